"""Objects in an S3 bucket: AWS's own, or one of MinIO, SeaweedFS and their like."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import md5
from io import BytesIO
from typing import Any, BinaryIO

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from services.storage.parts import put_stream, spooled
from services.storage.protocol import ObjectInfo, ObjectMissing, Part, StorageUnavailable

_CHUNK = 1024 * 1024
_GIB = 1024**3
_MISSING = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
_COPY = TransferConfig(multipart_threshold=4 * _GIB, multipart_chunksize=_GIB, use_threads=False)


class S3Store:
    """`prefix` stands before every key. Without an endpoint this is AWS; without a key id the
    credentials are looked for where AWS's own tools look."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str = "",
        region: str = "",
        key_id: str = "",
        key_secret: str = "",
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=region or ("us-east-1" if endpoint else None),
            aws_access_key_id=key_id or None,
            aws_secret_access_key=key_secret or None,
            config=_config(own_endpoint=bool(endpoint)),
        )

    def put(self, key: str, chunks: Iterable[bytes], media_type: str = "") -> ObjectInfo:
        """Stores the bytes in one atomic step; the hash is computed on the way."""
        return put_stream(self, key, chunks, media_type)

    def put_whole(self, key: str, data: bytes, media_type: str = "") -> None:
        with self._answering(key):
            self._client.put_object(
                **self._at(key), Body=data, ContentMD5=_md5(BytesIO(data)), **_typed(media_type)
            )

    def copy(self, source: str, key: str) -> ObjectInfo:
        """The same bytes under another key; they move inside the bucket."""
        info = self.head(source)
        with self._answering(source):
            self._client.copy(self._at(source), Config=_COPY, **self._at(key))
        return ObjectInfo(key, info.size)

    def get(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes [start, end) in chunks; raises ObjectMissing before the first."""
        if end is not None and start >= end:
            self.head(key)
            return iter(())
        span = f"bytes={start}-{'' if end is None else end - 1}"
        options = {"Range": span} if start or end is not None else {}
        with self._answering(key):
            try:
                body = self._client.get_object(**self._at(key), **options)["Body"]
            except ClientError as error:
                if _code(error) == "InvalidRange":  # it begins where the object has ended
                    return iter(())
                raise
        return self._chunks(key, body)

    def head(self, key: str) -> ObjectInfo:
        with self._answering(key):
            answer = self._client.head_object(**self._at(key))
        return ObjectInfo(key, answer["ContentLength"])

    def delete(self, key: str) -> None:
        with self._answering(key):
            self._client.delete_object(**self._at(key))

    def delete_prefix(self, prefix: str) -> int:
        """Removes every object whose key begins with `prefix` (which ends in `/`); how many."""
        if not prefix.endswith("/"):
            raise ValueError(f"A prefix ends in '/', and {prefix!r} does not.")
        count = 0
        with self._answering(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                found = [{"Key": each["Key"]} for each in page.get("Contents", [])]
                if found:
                    self._client.delete_objects(
                        Bucket=self._bucket, Delete={"Objects": found, "Quiet": True}
                    )
                count += len(found)
        return count

    def names_under(self, prefix: str) -> Iterator[str]:
        """The next step of every key that begins with `prefix` (which ends in `/`), each once."""
        start = self._prefix + prefix
        with self._answering(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=start, Delimiter="/"
            )
            for page in pages:
                for each in page.get("CommonPrefixes", []):
                    yield each["Prefix"].removeprefix(start).rstrip("/")
                for each in page.get("Contents", []):
                    yield each["Key"].removeprefix(start)

    def url_to_get(self, key: str, expires_s: int) -> str:
        return self._signed("get_object", expires_s, self._at(key))

    def url_to_put(self, key: str, expires_s: int) -> str:
        return self._signed("put_object", expires_s, self._at(key))

    def begin_parts(self, key: str, media_type: str = "") -> str:
        with self._answering(key):
            answer = self._client.create_multipart_upload(**self._at(key), **_typed(media_type))
        upload: str = answer["UploadId"]
        return upload

    def put_part(self, key: str, upload: str, number: int, chunks: Iterable[bytes]) -> Part:
        about = {**self._at(key), "UploadId": upload, "PartNumber": number}
        with spooled(chunks) as (file, size):
            checksum = _md5(file)
            with self._answering(key):
                answer = self._client.upload_part(**about, Body=file, ContentMD5=checksum)
        return Part(number, answer["ETag"].strip('"'), size)

    def url_to_put_part(self, key: str, upload: str, number: int, expires_s: int) -> str:
        about = {**self._at(key), "UploadId": upload, "PartNumber": number}
        return self._signed("upload_part", expires_s, about)

    def parts(self, key: str, upload: str) -> list[Part]:
        """Those that have come, by number; raises ObjectMissing."""
        with self._answering(key):
            pages = self._client.get_paginator("list_parts").paginate(
                **self._at(key), UploadId=upload
            )
            return [
                Part(each["PartNumber"], each["ETag"].strip('"'), each["Size"])
                for page in pages
                for each in page.get("Parts", [])
            ]

    def end_parts(self, key: str, upload: str, parts: Sequence[Part]) -> ObjectInfo:
        named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with self._answering(key):
            self._client.complete_multipart_upload(
                **self._at(key), UploadId=upload, MultipartUpload={"Parts": named}
            )
        return ObjectInfo(key, sum(part.size for part in parts))

    def drop_parts(self, key: str, upload: str) -> None:
        with suppress(ObjectMissing), self._answering(key):
            self._client.abort_multipart_upload(**self._at(key), UploadId=upload)

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    def drop_unfinished(self, prefix: str, before: float) -> int:
        count = 0
        with self._answering(prefix):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for each in page.get("Uploads", []):
                    if each["Initiated"].timestamp() < before:
                        self.drop_parts(each["Key"].removeprefix(self._prefix), each["UploadId"])
                        count += 1
        return count

    def _signed(self, operation: str, expires_s: int, about: dict[str, Any]) -> str:
        with self._answering(about["Key"]):
            url: str = self._client.generate_presigned_url(
                operation, Params=about, ExpiresIn=expires_s
            )
        return url

    def _chunks(self, key: str, body: Any) -> Iterator[bytes]:
        with body, self._answering(key):
            yield from body.iter_chunks(_CHUNK)

    @contextmanager
    def _answering(self, key: str) -> Iterator[None]:
        """Turns what boto3 raises into ours."""
        try:
            yield
        except ClientError as error:
            if _code(error) in _MISSING:
                raise ObjectMissing(key) from error
            raise _unavailable(self._bucket, _code(error)) from error
        except (BotoCoreError, HTTPClientError) as error:
            raise _unavailable(self._bucket, type(error).__name__) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unavailable(bucket: str, reason: str) -> StorageUnavailable:
    return StorageUnavailable(f"The bucket {bucket!r} cannot be used just now: {reason}.")


def _typed(media_type: str) -> dict[str, str]:
    return {"ContentType": media_type} if media_type else {}


def _md5(file: BinaryIO) -> str:
    """Of all of it, which is then at its beginning. The bucket refuses bytes that changed on the
    way; this checksum is the one that all know."""
    digest = md5(usedforsecurity=False)
    while piece := file.read(_CHUNK):
        digest.update(piece)
    file.seek(0)
    return b64encode(digest.digest()).decode()


def _config(*, own_endpoint: bool) -> Config:
    """Others than AWS name buckets by path. The newer checksums are left out: others do not know
    them, and a signed URL would ask its user for one."""
    return Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"total_max_attempts": 2},
        signature_version="s3v4",
        s3={"addressing_style": "path" if own_endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        max_pool_connections=64,
    )
