"""A stream into a bucket whose length nobody knows: one put if it is short, else in parts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import BinaryIO, Protocol

from services.storage.protocol import ObjectInfo, Part

PART = 8 * 1024 * 1024  # bytes; 10,000 of them, the most that a bucket takes, are 80 GB


class Bucket(Protocol):
    """What it takes to write an object in parts; nothing shows under the key until the end."""

    def put_whole(self, key: str, data: bytes, media_type: str = "") -> None: ...

    def begin_parts(self, key: str, media_type: str = "") -> str: ...

    def put_part(self, key: str, upload: str, number: int, chunks: Iterable[bytes]) -> Part: ...

    def end_parts(self, key: str, upload: str, parts: Sequence[Part]) -> ObjectInfo: ...

    def drop_parts(self, key: str, upload: str) -> None: ...


def put_stream(
    bucket: Bucket, key: str, chunks: Iterable[bytes], media_type: str = ""
) -> ObjectInfo:
    """Holds one part in memory at a time. What breaks off leaves neither object nor parts."""
    digest = sha256()
    size = 0
    pieces = joined(chunks, PART)
    piece = next(pieces, b"")
    upload = ""
    parts: list[Part] = []
    try:
        while True:
            digest.update(piece)
            size += len(piece)
            following = next(pieces, None)
            if following is None and not upload:
                bucket.put_whole(key, piece, media_type)
                break
            upload = upload or bucket.begin_parts(key, media_type)
            parts.append(bucket.put_part(key, upload, len(parts) + 1, [piece]))
            if following is None:
                bucket.end_parts(key, upload, parts)
                break
            piece = following
    except BaseException:
        if upload:
            bucket.drop_parts(key, upload)
        raise
    return ObjectInfo(key, size, digest.hexdigest())


def joined(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of `size`, the last one shorter."""
    piece = bytearray()
    for chunk in chunks:
        piece += chunk
        while len(piece) >= size:
            yield bytes(piece[:size])
            del piece[:size]
    if piece:
        yield bytes(piece)


@contextmanager
def spooled(chunks: Iterable[bytes]) -> Iterator[tuple[BinaryIO, int]]:
    """The bytes as a file, at its beginning, and how many they are: a bucket's client wants to
    know that before it sends the first, and reads them again when a try fails. Those of a slow
    sender wait on the disk."""
    with tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        size = file.tell()
        file.seek(0)
        yield file, size
