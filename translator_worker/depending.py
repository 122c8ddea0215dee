"""What a translation depends on beside its sentence: the model's files, and how they are run.

A hash of it stands in the digest of each sentence that is remembered, so that nothing that was
made otherwise can ever answer: another model, another beam, another release of ours.
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
from translator_worker.engines import Row

_SMALL = 4 * 1024 * 1024  # bytes; a file up to this size is read, and not taken by its time
_PROGRAMS = ("fanscribe", "ctranslate2", "sentencepiece", "opencc")
_ASIDE: Any = {  # which no translation depends on
    **dict.fromkeys(("location", "size_mb", "memory_mb", "licence"), True),
    "chat": {"key", "parallel", "timeout_s", "price_in", "price_out"},
}


def of_folder(folder: Path, entry: ModelEntry, **run: str) -> str:
    """Of a model in a folder, what the catalog says of it, and how it is `run`.

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
    return _hash([_releases(), files, entry.model_dump(mode="json", exclude=_ASIDE), run])


def of_service(entry: ModelEntry) -> str:
    """Of a chat service: all that decides what it is asked."""
    return _hash([_releases(), entry.model_dump(mode="json", exclude=_ASIDE)])


def digest(row: Row, on: str, beside: Sequence[Sequence[str]] = ()) -> str:
    """Of a row whose translation depends `on` that, on the terms that stand in it, and on what
    stands `beside` it."""
    terms = [(each.start, each.put) for each in row.terms.spans_in(row.text)] if row.terms else []
    return _hash([on, row.text, row.source, row.target, terms, beside])


def _known_by(path: Path, locked: LockedFile | None) -> str:
    found = path.stat()
    if locked and (found.st_size, found.st_mtime_ns) == (locked.size, locked.seen_ns):
        return locked.sha256
    if found.st_size <= _SMALL:
        return sha256(path.read_bytes()).hexdigest()
    return f"{found.st_size} {found.st_mtime_ns}"


def _releases() -> dict[str, str]:
    return {name: version(name) for name in _PROGRAMS}


def _hash(what: Any) -> str:
    return sha256(json.dumps(what, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
