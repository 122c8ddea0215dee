"""Brings a model from a hub: file by file into a folder of its own, checked, then put in place."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.installing.choosing import choose
from services.installing.errors import Damaged, NoRoom
from services.installing.hub import Hub, HubFile, Listing
from services.model_lock import LockedFile, ModelLock, damaged, hashed, read_lock, write_lock

PARTIAL = ".partial"  # beside the models; a name that no model has
_SPARE = 64 * 1024 * 1024  # for the lock, the store, a log line
_CHUNK = 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{7,64}")

Show = Callable[[str, int, int], None]  # a file's name, its bytes so far, and in all (0: unknown)


@dataclass(frozen=True, slots=True)
class Installed:
    """What lies in a folder now. `anew` is false where it lay there already, whole."""

    folder: Path
    lock: ModelLock
    anew: bool


def pull(
    hub: Hub, hub_id: str, revision: str, folder: Path, root: Path, *, show: Show = lambda *_: None
) -> Installed:
    """Brings a revision of a model into `folder`, which lies in the models folder `root`.

    What lies there stays until the new one is whole. A pull that broke off goes on with its next
    try; two at once wait for each other. Raises CannotInstall.
    """
    listing = hub.listing(hub_id, revision)
    names = choose(listing.files, f"{hub_id} at {listing.commit[:12]}")
    with alone(root, f"{hub_id.replace('/', '--')}-{listing.commit}") as partial:
        there = read_lock(folder)
        if there and there.revision == listing.commit and not damaged(folder, there, thorough=True):
            return Installed(folder, there, anew=False)
        files, verified = fetch(hub, listing, names, partial, root, show=show)
        lock = ModelLock(
            hub_id=hub_id,
            revision=listing.commit,
            licence=listing.licence,
            verified=verified,
            files=files,
        )
        put_in_place(partial, folder, lock)
        _forget_other_commits(partial, listing)
        return Installed(folder, lock, anew=True)


def fetch(
    hub: Hub, listing: Listing, names: Sequence[str], partial: Path, root: Path, *, show: Show
) -> tuple[list[LockedFile], bool]:
    """Brings those files of a revision into `partial`; whether all of them were compared with a
    hash. Raises CannotInstall."""
    sizes = {name: listing.files[name].size for name in names}
    check_room(root, sum(sizes.values()) - _bytes_in(partial))
    fetched = [_fetch(hub, listing, name, partial, show) for name in names]
    return [file for file, _ in fetched], all(checked for _, checked in fetched)


def _forget_other_commits(partial: Path, listing: Listing) -> None:
    """What pulls of other commits of the model left unfinished, but for one that runs just now."""
    stem = partial.name.removesuffix(listing.commit)
    for left in partial.parent.glob(f"{stem}*.lock"):
        other = left.with_suffix("")
        if other == partial or not _COMMIT.fullmatch(other.name.removeprefix(stem)):
            continue
        with left.open("w") as held, contextlib.suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(other, ignore_errors=True)


@contextmanager
def alone(root: Path, name: str) -> Iterator[Path]:
    """A folder for what is not whole yet, held by one process at a time; it stays if that ends."""
    root.mkdir(parents=True, exist_ok=True)
    partial = root / PARTIAL / name
    partial.mkdir(parents=True, exist_ok=True)
    with partial.with_name(f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        partial.mkdir(exist_ok=True)  # whoever had it before may have put it in place
        try:
            yield partial
        finally:
            with contextlib.suppress(OSError):  # not empty: the next try goes on with it
                partial.rmdir()


def check_room(root: Path, needed: int) -> None:
    """Raises NoRoom before anything is begun that cannot end."""
    free = shutil.disk_usage(root).free
    if needed + _SPARE > free:
        raise NoRoom(
            f"The model needs {_mb(needed)} MB, and {root} has {_mb(free)} MB left. Make room "
            "there, or name another folder by FANSCRIBE_MODELS_DIR."
        )


def put_in_place(partial: Path, folder: Path, lock: ModelLock) -> None:
    """From now on it is there, whole; what was there before is gone."""
    write_lock(partial, lock)
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = partial.with_name(f"{partial.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _fetch(
    hub: Hub, listing: Listing, name: str, partial: Path, show: Show
) -> tuple[LockedFile, bool]:
    """One file, whole, and whether its hash was compared. Raises Damaged."""
    path = partial / name
    promised = listing.files[name]
    if 0 < promised.size < _size(path):
        path.unlink()
    for pause in hub.again(f"{name} of {listing.hub_id}", lambda: _size(path)):
        with pause:
            if promised.size == 0 or _size(path) < promised.size:
                promised = _receive(hub, listing, name, path, show)
            break
    file = hashed(path)
    if _is_other(path, file, promised):
        path.unlink()
        raise Damaged(
            f"{name} of {listing.hub_id} came in with the wrong size or hash, and was thrown "
            f"away. Pull it again; if it happens again, {hub.endpoint} is not to be trusted."
        )
    return file, bool(promised.sha256 or promised.blob)


def _receive(hub: Hub, listing: Listing, name: str, path: Path, show: Show) -> HubFile:
    """One try, which goes on where the last one ended."""
    with hub.incoming(listing, name, _size(path)) as incoming, path.open("ab") as file:
        file.truncate(incoming.start)
        for chunk in incoming.chunks:
            file.write(chunk)
            show(name, file.tell(), incoming.promised.size)
        file.flush()
        os.fsync(file.fileno())
        return incoming.promised


def _is_other(path: Path, file: LockedFile, promised: HubFile) -> bool:
    if promised.size and promised.size != file.size:
        return True
    if promised.sha256:
        return promised.sha256 != file.sha256
    return bool(promised.blob) and promised.blob != _blob(path, file.size)


def _blob(path: Path, size: int) -> str:
    """Git's hash of a file's content, by which the hub names what is small."""
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _mb(size: int) -> int:
    return -(-size // 1_000_000)
