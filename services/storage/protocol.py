"""What every object store can do; keys are made in `services.storage.keys` only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from services.model.errors import FanscribeError


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


class ObjectStore(Protocol):
    """Whole objects under keys. An object is there in full or not at all."""

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

    def url_to_get(self, key: str, expires_s: int) -> str: ...

    def url_to_put(self, key: str, expires_s: int) -> str: ...
