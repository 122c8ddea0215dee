"""Objects in a bucket of Aliyun OSS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import oss2
import requests
from oss2 import credentials, exceptions, models

from services.storage.parts import put_stream, spooled
from services.storage.protocol import ObjectInfo, ObjectMissing, Part, StorageUnavailable

_CHUNK = 1024 * 1024
_GIB = 1024**3
_TIMEOUTS = (5, 30)  # seconds to connect, seconds between two pieces of an answer
_PAST_THE_END = 416  # HTTP's word for a range that begins where the object has ended
_STANDARD = {"x-oss-range-behavior": "standard"}  # without it a range past the end gives it all


class OssStore:
    """`prefix` stands before every key. Without a key id the credentials are those of the
    environment (`OSS_ACCESS_KEY_ID`, …); requests are signed by version 4 where the region is
    known, as new buckets want it, else by version 1."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str,
        region: str = "",
        key_id: str = "",
        key_secret: str = "",
    ) -> None:
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        keys = (
            credentials.StaticCredentialsProvider(key_id, key_secret)
            if key_id
            else credentials.EnvironmentVariableCredentialsProvider()
        )
        self._bucket = oss2.Bucket(
            oss2.ProviderAuthV4(keys) if region else oss2.ProviderAuth(keys),
            endpoint,
            bucket,
            session=oss2.Session(adapter=requests.adapters.HTTPAdapter(pool_maxsize=64)),
            connect_timeout=_TIMEOUTS,
            region=region or None,
        )

    def put(self, key: str, chunks: Iterable[bytes], media_type: str = "") -> ObjectInfo:
        """Stores the bytes in one atomic step; the hash is computed on the way."""
        return put_stream(self, key, chunks, media_type)

    def put_whole(self, key: str, data: bytes, media_type: str = "") -> None:
        with self._answering(key):
            self._bucket.put_object(self._prefix + key, data, headers=_typed(media_type))

    def copy(self, source: str, key: str) -> ObjectInfo:
        """The same bytes under another key; they move inside the bucket, up to 1 GiB at once."""
        info = self.head(source)
        name, origin, target = self._bucket.bucket_name, self._prefix + source, self._prefix + key
        with self._answering(source):
            if info.size <= _GIB:
                self._bucket.copy_object(name, origin, target)
                return ObjectInfo(key, info.size)
            upload = self._bucket.init_multipart_upload(target).upload_id
            try:
                parts = []
                for number, start in enumerate(range(0, info.size, _GIB), 1):
                    span = (start, min(start + _GIB, info.size) - 1)
                    done = self._bucket.upload_part_copy(name, origin, span, target, upload, number)
                    parts.append(models.PartInfo(number, done.etag))
                self._bucket.complete_multipart_upload(target, upload, parts)
            except BaseException:
                self._bucket.abort_multipart_upload(target, upload)
                raise
        return ObjectInfo(key, info.size)

    def get(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes [start, end) in chunks; raises ObjectMissing before the first."""
        if end is not None and start >= end:
            self.head(key)
            return iter(())
        span = (start, None if end is None else end - 1) if start or end is not None else None
        with self._answering(key):
            try:
                body = self._bucket.get_object(
                    self._prefix + key, byte_range=span, headers=_STANDARD
                )
            except exceptions.ServerError as error:
                if error.status == _PAST_THE_END:
                    return iter(())
                raise
        return self._chunks(key, body)

    def head(self, key: str) -> ObjectInfo:
        with self._answering(key):
            answer = self._bucket.head_object(self._prefix + key)
        return ObjectInfo(key, answer.content_length)

    def delete(self, key: str) -> None:
        with self._answering(key):
            self._bucket.delete_object(self._prefix + key)

    def delete_prefix(self, prefix: str) -> int:
        """Removes every object whose key begins with `prefix` (which ends in `/`); how many."""
        if not prefix.endswith("/"):
            raise ValueError(f"A prefix ends in '/', and {prefix!r} does not.")
        count = 0
        with self._answering(prefix):
            while True:
                page = self._bucket.list_objects_v2(prefix=self._prefix + prefix, max_keys=1000)
                found = [each.key for each in page.object_list]
                if found:
                    self._bucket.batch_delete_objects(found)
                count += len(found)
                if not page.is_truncated:
                    return count

    def names_under(self, prefix: str) -> Iterator[str]:
        """The next step of every key that begins with `prefix` (which ends in `/`), each once."""
        start = self._prefix + prefix
        with self._answering(prefix):
            found = oss2.ObjectIteratorV2(self._bucket, prefix=start, delimiter="/")
            for each in found:
                yield each.key.removeprefix(start).rstrip("/")

    def url_to_get(self, key: str, expires_s: int) -> str:
        return self._signed("GET", key, expires_s)

    def url_to_put(self, key: str, expires_s: int) -> str:
        return self._signed("PUT", key, expires_s)

    def begin_parts(self, key: str, media_type: str = "") -> str:
        with self._answering(key):
            upload: str = self._bucket.init_multipart_upload(
                self._prefix + key, headers=_typed(media_type)
            ).upload_id
        return upload

    def put_part(self, key: str, upload: str, number: int, chunks: Iterable[bytes]) -> Part:
        with spooled(chunks) as (file, size), self._answering(key):
            answer = self._bucket.upload_part(self._prefix + key, upload, number, file)
        return Part(number, answer.etag, size)

    def url_to_put_part(self, key: str, upload: str, number: int, expires_s: int) -> str:
        return self._signed("PUT", key, expires_s, uploadId=upload, partNumber=str(number))

    def parts(self, key: str, upload: str) -> list[Part]:
        """Those that have come, by number; raises ObjectMissing."""
        with self._answering(key):
            found = oss2.PartIterator(self._bucket, self._prefix + key, upload, max_parts=1000)
            return [Part(each.part_number, each.etag, each.size) for each in found]

    def end_parts(self, key: str, upload: str, parts: Sequence[Part]) -> ObjectInfo:
        named = [models.PartInfo(part.number, part.etag) for part in parts]
        with self._answering(key):
            self._bucket.complete_multipart_upload(self._prefix + key, upload, named)
        return ObjectInfo(key, sum(part.size for part in parts))

    def drop_parts(self, key: str, upload: str) -> None:
        with suppress(ObjectMissing), self._answering(key):
            self._bucket.abort_multipart_upload(self._prefix + key, upload)

    def drop_unfinished(self, prefix: str, before: float) -> int:
        count = 0
        with self._answering(prefix):
            for each in oss2.MultipartUploadIterator(self._bucket, prefix=self._prefix + prefix):
                if each.initiation_date < before:
                    self.drop_parts(each.key.removeprefix(self._prefix), each.upload_id)
                    count += 1
        return count

    def _signed(self, method: str, key: str, expires_s: int, **params: str) -> str:
        with self._answering(key):
            url: str = self._bucket.sign_url(
                method, self._prefix + key, expires_s, params=params or None, slash_safe=True
            )
        return url

    def _chunks(self, key: str, body: Any) -> Iterator[bytes]:
        with self._answering(key):
            while chunk := body.read(_CHUNK):
                yield chunk

    @contextmanager
    def _answering(self, key: str) -> Iterator[None]:
        """Turns what oss2 raises into ours."""
        try:
            yield
        except exceptions.NotFound as error:
            if isinstance(error, exceptions.NoSuchBucket):
                raise self._unavailable("NoSuchBucket") from error
            raise ObjectMissing(key) from error
        except exceptions.OssError as error:
            raise self._unavailable(error.code or type(error).__name__) from error
        except requests.RequestException as error:  # in the middle of an answer's body
            raise self._unavailable(type(error).__name__) from error

    def _unavailable(self, reason: str) -> StorageUnavailable:
        name = self._bucket.bucket_name
        return StorageUnavailable(f"The bucket {name!r} cannot be used just now: {reason}.")


def _typed(media_type: str) -> dict[str, str] | None:
    return {"Content-Type": media_type} if media_type else None
