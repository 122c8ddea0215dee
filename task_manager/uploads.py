"""Files in parts: announced, sent in any order and again after a break, completed or given up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from services.model.errors import Conflict, Gone, Invalid, NotFound
from services.model.task import Upload
from services.storage import keys
from services.storage.parts import PART
from services.storage.protocol import ObjectInfo, ObjectMissing, ObjectStore, Part
from task_manager.intake import Intake, full_disk_told
from task_manager.pipeline.accept import new_task_id
from task_manager.schemas.upload import (
    MAX_PARTS,
    MIN_PART,
    NewUpload,
    PartsView,
    PartUrl,
    PartView,
    UploadView,
)
from task_manager.store.protocol import Store

_MIB = 1024**2
_URLS = 100  # given to who asks for no part by its number
_NAMED = 5  # parts that are missing, in a message


@dataclass(frozen=True, slots=True)
class Uploads:
    """Those of one owner. `direct`: the parts may go straight to a bucket."""

    store: Store
    objects: ObjectStore
    intake: Intake
    owner: str
    direct: bool

    def begin(self, wanted: NewUpload) -> Upload:
        """Raises TooLarge and OutOfSpace."""
        self.intake.look_at_size(wanted.size)
        part_bytes = wanted.part_bytes or _part_bytes(wanted.size)
        if _count(wanted.size, part_bytes) > MAX_PARTS:
            raise Invalid(
                f"A file has up to {MAX_PARTS} parts: make them larger, or name no size.",
                code="too_many_parts",
                field="part_bytes",
            )
        key = keys.upload(new_task_id())
        upload = Upload(
            key=key,
            owner=self.owner,
            name=wanted.name,
            size=wanted.size,
            sha256=wanted.sha256 or "",
            created_at=self.store.now(),
            complete=False,
            parts=self.objects.begin_parts(key),
            part_bytes=part_bytes,
        )
        self.store.insert_upload(upload)
        return upload

    def find(self, upload_id: str) -> Upload:
        """Raises NotFound."""
        upload = self.store.upload(keys.upload(upload_id))
        if upload is None or upload.owner != self.owner:
            raise NotFound("There is no upload of yours under this id: begin a new one.")
        return upload

    def view(self, upload: Upload) -> UploadView:
        """Raises Gone."""
        name = upload.key.rpartition("/")[2]
        about = {"id": name, "key": upload.key, "name": upload.name, "size": upload.size}
        if upload.complete:
            return UploadView(**about, sha256=upload.sha256, complete=True)
        received = self._received(upload)
        parts = PartsView(
            part_bytes=upload.part_bytes,
            count=_count(upload.size, upload.part_bytes),
            direct=self.direct,
            received=[PartView(number=p.number, size=p.size, etag=p.etag) for p in received],
        )
        return UploadView(**about, sha256=upload.sha256, complete=False, parts=parts)

    def put(self, upload: Upload, number: int, chunks: Iterable[bytes], digest: str) -> PartView:
        """Stores a part; `digest` is a Content-Digest, or "". Raises Conflict and Invalid, before
        the first chunk is read, for one that cannot be sent."""
        _refuse_complete(upload)
        size = _size_of(upload, number)
        checked = _checked(chunks, size, digest)
        try:
            with full_disk_told():
                part = self.objects.put_part(upload.key, upload.parts, number, checked)
        except ObjectMissing as missing:
            raise _given_up() from missing
        return PartView(number=part.number, size=part.size, etag=part.etag)

    def urls(self, upload: Upload, numbers: Sequence[int] | None, expires_s: int) -> list[PartUrl]:
        """Raises Conflict where parts have to come through us."""
        _refuse_complete(upload)
        if numbers is None:
            known = {part.number for part in self._received(upload)}
            count = _count(upload.size, upload.part_bytes)
            numbers = [each for each in range(1, count + 1) if each not in known][:_URLS]
        for number in numbers:
            _size_of(upload, number)
        sign = self.objects.url_to_put_part
        return [
            PartUrl(number=number, url=sign(upload.key, upload.parts, number, expires_s))
            for number in numbers
        ]

    def complete(self, upload: Upload, digest: str | None) -> Upload:
        """The whole file, under its key. Asked twice, the second answer is the first. Raises
        Conflict while parts are missing, and Invalid where the file is not the one announced."""
        if upload.complete:
            return upload
        stated = digest or upload.sha256
        if upload.sha256 and stated != upload.sha256:
            raise Invalid(
                "You announced this file with another sha256.",
                code="wrong_checksum",
                field="sha256",
            )
        info = self._joined(upload)
        if stated and info.sha256 and info.sha256 != stated:
            self.drop(upload)
            raise Invalid(
                "The file that came has another sha256 than yours: it changed on its way, or "
                "while it was read. Begin again.",
                code="wrong_checksum",
                field="sha256",
            )
        known = info.sha256 or stated
        done = self.store.complete_upload(upload.key, known) or self.store.upload(upload.key)
        if done is None:
            raise _given_up()
        return done

    def drop(self, upload: Upload) -> None:
        """Removes the file, or what has come of it; tasks that named it keep theirs."""
        forget(self.store, self.objects, upload)

    def _received(self, upload: Upload) -> list[Part]:
        try:
            return self.objects.parts(upload.key, upload.parts)
        except ObjectMissing as missing:
            raise _given_up() from missing

    def _joined(self, upload: Upload) -> ObjectInfo:
        try:
            parts = self.objects.parts(upload.key, upload.parts)
            _refuse_unfinished(upload, parts)
            with full_disk_told():
                return self.objects.end_parts(upload.key, upload.parts, parts)
        except ObjectMissing as missing:
            try:  # somebody joined them just now, or before a break that kept us from noting it
                return self.objects.head(upload.key)
            except ObjectMissing:
                raise _given_up() from missing


def forget(store: Store, objects: ObjectStore, upload: Upload) -> None:
    """The object first: what breaks off is found again by the document."""
    if upload.parts:
        objects.drop_parts(upload.key, upload.parts)
    objects.delete(upload.key)
    store.drop_upload(upload.key)


def _part_bytes(size: int) -> int:
    """Parts small enough to be sent again, and few enough for a bucket."""
    return max(PART, -(-size // MAX_PARTS // _MIB) * _MIB, MIN_PART)


def _count(size: int, part_bytes: int) -> int:
    return -(-size // part_bytes)


def _size_of(upload: Upload, number: int) -> int:
    count = _count(upload.size, upload.part_bytes)
    if not 1 <= number <= count:
        raise Invalid(f"This file has the parts 1 to {count}.", code="no_such_part", field="number")
    return min(upload.part_bytes, upload.size - (number - 1) * upload.part_bytes)


def _refuse_complete(upload: Upload) -> None:
    if upload.complete:
        raise Conflict("This upload is complete: nothing can be added.", code="upload_complete")


def _refuse_unfinished(upload: Upload, parts: Sequence[Part]) -> None:
    count = _count(upload.size, upload.part_bytes)
    sizes = {part.number: part.size for part in parts}
    missing = [
        number for number in range(1, count + 1) if sizes.get(number) != _size_of(upload, number)
    ]
    if missing:
        named = ", ".join(map(str, missing[:_NAMED]))
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise Conflict(
            f"Parts have not come, or not whole: {named}{more}. Send them, then complete again.",
            code="parts_missing",
        )


def _checked(chunks: Iterable[bytes], size: int, digest: str) -> Iterator[bytes]:
    """The same chunks. Raises Invalid as soon as it is known that they are not those stated."""
    sha = sha256()
    came = 0
    for chunk in chunks:
        came += len(chunk)
        if came > size:
            raise _wrong_size(size, "more came")
        sha.update(chunk)
        yield chunk
    if came < size:
        raise _wrong_size(size, f"{came} came")
    if any(each != sha.digest() for each in _stated(digest)):
        raise Invalid(
            "The bytes that came are not those of Content-Digest: send the part again.",
            code="wrong_checksum",
            field="Content-Digest",
        )


def _wrong_size(size: int, came: str) -> Invalid:
    return Invalid(f"This part has {size} bytes, and {came}.", code="wrong_part_size")


def _stated(digest: str) -> Iterator[bytes]:
    """`sha-256=:<base64>:` (RFC 9530); other algorithms are for others to check."""
    for entry in digest.split(","):
        name, _, value = entry.strip().partition("=")
        if name.lower() == "sha-256":
            try:
                yield base64.b64decode(value.strip(":"), validate=True)
            except binascii.Error:
                yield b""


def _given_up() -> Gone:
    return Gone("This upload was given up: begin a new one.")
