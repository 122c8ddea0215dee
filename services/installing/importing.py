"""Brings a model from a folder or a tar archive, for machines that no network reaches."""

from __future__ import annotations

import gzip
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from services.installing.choosing import choose
from services.installing.errors import CannotInstall, Damaged, Unfit
from services.installing.pulling import Installed, Show, alone, check_room, put_in_place
from services.model_lock import LOCK_FILE, ModelLock, hashed, parse_lock

_CHUNK = 1024 * 1024
_LOCK_BYTES = 1024 * 1024  # far more than any lock has


class _Found:
    """The files of a source, by name: how large each is, and how to open it."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.openers: dict[str, Callable[[], BinaryIO]] = {}

    def add(self, name: str, size: int, opened: Callable[[], BinaryIO]) -> None:
        self.sizes[name] = size
        self.openers[name] = opened


def bring(
    source: Path, hub_id: str, folder: Path, root: Path, *, show: Show = lambda *_: None
) -> Installed:
    """Copies a model from `source` into `folder`, which lies in the models folder `root`.

    The lock that lies with a pulled model goes along, and its hashes are compared. Raises
    CannotInstall.
    """
    if source.is_dir():
        return _bring(_in_folder(source), source, hub_id, folder, root, show=show)
    try:
        with tarfile.open(source) as archive:
            return _bring(_in_archive(archive, source), source, hub_id, folder, root, show=show)
    except FileNotFoundError as error:
        raise CannotInstall(f"There is no {source}.") from error
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise Unfit(f"{source} is neither a folder nor a whole tar archive: {error}.") from error


def _bring(
    found: _Found, source: Path, hub_id: str, folder: Path, root: Path, *, show: Show
) -> Installed:
    names = choose(found.sizes, str(source))
    told = _lock_in(found)
    with alone(root, f"import-{folder.name}") as partial:
        for leftover in partial.iterdir():
            leftover.unlink()
        check_room(root, sum(found.sizes[name] for name in names))
        for name in names:
            _copy(found, name, partial, show)
        files = [hashed(partial / name) for name in names]
        lock = (told or ModelLock(hub_id=hub_id, verified=False, files=[])).model_copy(
            update={"files": files}
        )
        if told and told.digest != lock.digest:
            shutil.rmtree(partial)
            raise Damaged(
                f"{source} is not what its {LOCK_FILE} says: it was damaged on its way, or "
                "changed. Copy it again."
            )
        put_in_place(partial, folder, lock)
        return Installed(folder, lock, anew=True)


def _copy(found: _Found, name: str, partial: Path, show: Show) -> None:
    with found.openers[name]() as source, (partial / name).open("wb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            show(name, target.tell(), found.sizes[name])


def _lock_in(found: _Found) -> ModelLock | None:
    if found.sizes.get(LOCK_FILE, _LOCK_BYTES) >= _LOCK_BYTES:
        return None
    with found.openers[LOCK_FILE]() as file:
        return parse_lock(file.read())


def _in_folder(source: Path) -> _Found:
    """Links are followed: a hub's own cache is made of them."""
    found = _Found()
    for path in source.iterdir():
        if path.is_file():
            found.add(path.name, path.stat().st_size, _opener(path))
    return found


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _in_archive(archive: tarfile.TarFile, source: Path) -> _Found:
    """The files beside the one `model.bin`. Only their last names are used, so that none of them
    leads anywhere else; links are not followed."""
    members = [member for member in archive.getmembers() if member.isfile()]
    by_path = {PurePosixPath(member.name): member for member in members}
    models = [path for path in by_path if path.name == "model.bin"]
    if len(models) > 1:
        raise Unfit(f"{source} holds {len(models)} models: unpack it, and name one folder.")
    beside = {
        path.name: member
        for path, member in by_path.items()
        if not models or path.parent == models[0].parent
    }
    return _of_members(archive, beside)


def _of_members(archive: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo]) -> _Found:
    found = _Found()
    for name, member in members.items():
        found.add(name, member.size, _extractor(archive, member))
    return found


def _extractor(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        file = archive.extractfile(member)
        if file is None:
            raise Unfit(f"{member.name} is no file.")
        return file  # type: ignore[return-value]  # it reads and closes as one

    return opened
