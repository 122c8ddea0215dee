"""What a model should be: the lock file beside it names its origin and each file's hash."""

from __future__ import annotations

import os
from hashlib import file_digest, sha256
from pathlib import Path

from pydantic import ValidationError

from services.model.values import Stored

LOCK_FILE = "fanscribe-model.json"

_PARTS = frozenset({".bin", ".json", ".txt", ".model", ".spm"})  # that engines read


class LockedFile(Stored):
    """A file as it was hashed; `seen_ns` is its time then, so that it need not be read again."""

    name: str
    size: int
    sha256: str
    seen_ns: int = 0


class ModelLock(Stored):
    """Where a model came from, and all of its files. `revision` is a commit of the hub. Where the
    hashes are only those that were seen here at first, and nobody's word, it is not `verified`."""

    hub_id: str = ""
    revision: str = ""
    licence: str = ""
    verified: bool = True
    files: list[LockedFile]

    @property
    def digest(self) -> str:
        """One hash over the names and hashes of all files."""
        lines = sorted(f"{file.sha256}  {file.name}\n" for file in self.files)
        return sha256("".join(lines).encode()).hexdigest()


def read_lock(folder: Path) -> ModelLock | None:
    """None where a model was put by hand, or the file cannot be read."""
    try:
        return parse_lock((folder / LOCK_FILE).read_bytes())
    except OSError:
        return None


def parse_lock(text: bytes) -> ModelLock | None:
    """None if it is no lock."""
    try:
        return ModelLock.model_validate_json(text)
    except ValidationError:
        return None


def write_lock(folder: Path, lock: ModelLock) -> None:
    """Whole or not at all. Raises OSError."""
    temporary = folder / f".{LOCK_FILE}.{os.getpid()}"
    try:
        temporary.write_text(lock.model_dump_json(indent=2) + "\n", encoding="utf-8")
        temporary.replace(folder / LOCK_FILE)
    finally:
        temporary.unlink(missing_ok=True)


def hashed(path: Path) -> LockedFile:
    """A file as it is now; this reads all of it."""
    before = path.stat()
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return LockedFile(
        name=path.name, size=before.st_size, sha256=digest, seen_ns=before.st_mtime_ns
    )


def lock_of(folder: Path) -> ModelLock:
    """What a folder without a lock holds now; this reads all of it. Raises OSError."""
    parts = (path for path in folder.iterdir() if path.suffix in _PARTS and path.is_file())
    files = [hashed(path) for path in sorted(parts) if path.name != LOCK_FILE]
    return ModelLock(verified=False, files=files)


def damaged(folder: Path, lock: ModelLock, *, thorough: bool = False) -> list[str]:
    """The files that are not what the lock says. A file that still has its size and its time is
    read only if this is to be `thorough`."""
    return [file.name for file in lock.files if not _is_whole(folder / file.name, file, thorough)]


def seen_again(folder: Path, lock: ModelLock) -> ModelLock:
    """The same lock with the times that whole files have now."""
    times = [(folder / file.name).stat().st_mtime_ns for file in lock.files]
    files = [
        file.model_copy(update={"seen_ns": time})
        for file, time in zip(lock.files, times, strict=True)
    ]
    return lock.model_copy(update={"files": files})


def _is_whole(path: Path, wanted: LockedFile, thorough: bool) -> bool:  # noqa: FBT001
    try:
        found = path.stat()
        if found.st_size != wanted.size:
            return False
        if found.st_mtime_ns == wanted.seen_ns and not thorough:
            return True
        return hashed(path).sha256 == wanted.sha256
    except OSError:
        return False
