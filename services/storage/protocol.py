"""What every object store can do; keys are made in `services.storage.keys` only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    store calls its bytes, `size` is in bytes."""

    number: int
    etag: str
    size: int


class ObjectStore(Protocol):
    """Whole objects under keys. An object is there in full or not at all.

    Every operation may raise StorageUnavailable.
    """

    def put(self, key: str, chunks: Iterable[bytes]) -> ObjectInfo:
        """Stores the bytes in one atomic step; the hash is computed on the way."""
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

    def url_to_get(self, key: str, expires_s: int) -> str:
        """Nobody is asked whether the object is there; whoever gets it will see."""
        ...

    def url_to_put(self, key: str, expires_s: int) -> str: ...
