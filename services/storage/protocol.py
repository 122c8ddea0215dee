"""What every object store can do; keys are made in `services.storage.keys` only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.model.errors import FanscribeError, Unavailable


class StorageUnavailable(Unavailable):
    """The bucket does not answer, or answers that it cannot: try again after Retry-After."""

    code = "storage_unavailable"


class ObjectMissing(FanscribeError):
    """There is no object under this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no object {key!r}.")
        self.key = key


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object's key, size in bytes, and sha256 in hex where the writer knows it, else ""."""

    key: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an object that is being written: numbers count from 1, `etag` is what the
    store calls its bytes (a bucket their MD5, a folder their sha256, in hex), `size` is in
    bytes."""

    number: int
    etag: str
    size: int


class ObjectStore(Protocol):
    """Whole objects under keys. An object is there in full or not at all.

    Every operation may raise StorageUnavailable.
    """

    def put(self, key: str, chunks: Iterable[bytes], media_type: str = "") -> ObjectInfo:
        """Stores the bytes in one atomic step; the hash is computed on the way. A bucket tells
        whoever gets the object its media type."""
        ...

    def copy(self, source: str, key: str) -> ObjectInfo:
        """The same object under a second key; raises ObjectMissing."""
        ...

    def get(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes [start, end) in chunks; raises ObjectMissing before the first."""
        ...

    def head(self, key: str) -> ObjectInfo:
        """Raises ObjectMissing."""
        ...

    def delete(self, key: str) -> None:
        """Removing what is not there is no error."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Removes every object whose key begins with `prefix` (which ends in `/`); how many."""
        ...

    def names_under(self, prefix: str) -> Iterator[str]:
        """The next step of every key that begins with `prefix` (which ends in `/`), each once."""
        ...

    def url_to_get(self, key: str, expires_s: int) -> str:
        """Nobody is asked whether the object is there; whoever gets it will see."""
        ...

    def url_to_put(self, key: str, expires_s: int) -> str: ...

    # ── in parts, which may come in any order, and again; nothing shows before the end ───────

    def begin_parts(self, key: str) -> str:
        """The store's own name for what begins here."""
        ...

    def put_part(self, key: str, upload: str, number: int, chunks: Iterable[bytes]) -> Part:
        """All but the last are of one size, 5 MiB or more; none is held in memory. What the chunks
        raise leaves the part as it was. Raises ObjectMissing where nothing was begun."""
        ...

    def url_to_put_part(self, key: str, upload: str, number: int, expires_s: int) -> str:
        """Raises Conflict where parts can only be put by ourselves."""
        ...

    def parts(self, key: str, upload: str) -> list[Part]:
        """Those that have come, by number; raises ObjectMissing."""
        ...

    def end_parts(self, key: str, upload: str, parts: Sequence[Part]) -> ObjectInfo:
        """The object made of these parts; raises ObjectMissing."""
        ...

    def drop_parts(self, key: str, upload: str) -> None:
        """Forgets what came; no error where nothing was begun."""
        ...

    def drop_unfinished(self, prefix: str, before: float) -> int:
        """Forgets what was begun under this prefix before then (Unix time) and has not ended,
        parts and what a killed process was writing; how many."""
        ...
