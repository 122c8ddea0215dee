"""What a model in a folder is known by: a hash of its files, its entry, and how it is run.

Whatever is remembered of its work stands under that, so that nothing that was made otherwise can
ever answer: by another model, another device, or another release of ours.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from services.model.catalog import ModelEntry
from services.model_lock import LOCK_FILE, LockedFile, read_lock

_SMALL = 4 * 1024 * 1024  # bytes; a file up to this size is read, and not taken by its time
_ASIDE: Any = {  # on which no work depends
    **dict.fromkeys(("location", "size_mb", "memory_mb", "licence"), True),
    "chat": {"key", "parallel", "timeout_s", "price_in", "price_out"},
}


def identity(folder: Path, entry: ModelEntry, programs: Sequence[str], **run: str) -> str:
    """Of a model, what the catalog says of it, how it is `run`, and by which `programs`.

    A file is known by its hash in the lock while it has the size and the time of then, a small one
    by its content, and a large one that nobody hashed by its size and time: then other machines
    do not recognise what was made by it, but nothing is ever taken for another.
    """
    lock = read_lock(folder)
    locked = {file.name: file for file in lock.files} if lock else {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != LOCK_FILE)
    files = {
        name: _known_by(path, locked.get(name))
        for path in paths
        for name in [path.relative_to(folder).as_posix()]
    }
    return hash_of([releases(programs), files, described(entry), run])


def described(entry: ModelEntry) -> Any:
    """What its work depends on of an entry."""
    return entry.model_dump(mode="json", exclude=_ASIDE)


def releases(programs: Sequence[str]) -> dict[str, str]:
    return {name: version(name) for name in programs}


def hash_of(what: Any) -> str:
    return sha256(json.dumps(what, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _known_by(path: Path, locked: LockedFile | None) -> str:
    found = path.stat()
    if locked and (found.st_size, found.st_mtime_ns) == (locked.size, locked.seen_ns):
        return locked.sha256
    if found.st_size <= _SMALL:
        return sha256(path.read_bytes()).hexdigest()
    return f"{found.st_size} {found.st_mtime_ns}"
