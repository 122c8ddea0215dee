"""Objects as files under one folder, for one machine or behind the manager's signed URLs."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from services.model.errors import Conflict, Forbidden
from services.signing import sign_url
from services.storage.protocol import ObjectInfo, ObjectMissing, Part

_CHUNK = 1024 * 1024
_TEMPORARY = ".part-"  # begins the name of a file that is being written; no key may


class LocalStore:
    """`access` says how others reach the files: by `path`, or by `url` from the manager at
    `base_url`, signed with `secret`."""

    def __init__(
        self, root: Path, *, access: Literal["path", "url"], base_url: str, secret: str
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root.resolve()
        self._access = access
        self._base_url = base_url.rstrip("/")
        self._secret = secret

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        media_type: str = "",  # noqa: ARG002  a file has none
    ) -> ObjectInfo:
        """Stores the bytes in one atomic step; what was half written leaves nothing behind."""
        path = self._path(key)
        temporary = self._temporary_beside(path)
        try:
            size, digest = _written(temporary, chunks)
            self._path(key)  # nobody turned a folder into a link meanwhile
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return ObjectInfo(key, size, digest)

    def copy(self, source: str, key: str) -> ObjectInfo:
        """The same bytes under another key, without moving them: objects never change."""
        origin, path = self._existing(source), self._path(key)
        temporary = self._temporary_beside(path)
        try:
            temporary.hardlink_to(origin)
            temporary.replace(path)
        except OSError:  # a file system without hard links
            return self.put(key, self.get(source))
        finally:
            temporary.unlink(missing_ok=True)  # a link to the same file is not replaced
        return ObjectInfo(key, path.stat().st_size)

    def get(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes [start, end) in chunks; raises ObjectMissing before the first."""
        path = self._existing(key)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        return _chunks(descriptor, start, end)

    def head(self, key: str) -> ObjectInfo:
        return ObjectInfo(key, self._existing(key).stat().st_size)

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def delete_prefix(self, prefix: str) -> int:
        """Removes every object whose key begins with `prefix` (which ends in `/`); how many."""
        if not prefix.endswith("/"):
            raise ValueError(f"A prefix ends in '/', and {prefix!r} does not.")
        folder = self._path(prefix.rstrip("/"))
        if not folder.is_dir():
            return 0
        count = sum(len(_objects(names)) for _, _, names in os.walk(folder))
        shutil.rmtree(folder, ignore_errors=True)
        return count

    def names_under(self, prefix: str) -> Iterator[str]:
        """The next step of every key that begins with `prefix` (which ends in `/`), each once."""
        folder = self._path(prefix.rstrip("/"))
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        return iter(_objects(sorted(names)))

    def url_to_get(self, key: str, expires_s: int) -> str:
        return self._url("GET", key, expires_s)

    def url_to_put(self, key: str, expires_s: int) -> str:
        return self._url("PUT", key, expires_s)

    def begin_parts(self, key: str) -> str:
        """Parts lie in a folder of their own, one file each, until they are joined."""
        self._path(key)
        upload = secrets.token_hex(8)
        self._folder(upload).mkdir()
        return upload

    def put_part(self, key: str, upload: str, number: int, chunks: Iterable[bytes]) -> Part:
        """The file's name tells all there is to know of it, so that no list is kept."""
        folder = self._begun(key, upload)
        temporary = folder / (_TEMPORARY + secrets.token_hex(8))
        try:
            size, digest = _written(temporary, chunks)
            for older in folder.glob(f"{number:05}-*"):
                older.unlink(missing_ok=True)
            temporary.replace(folder / f"{number:05}-{digest}")
        except FileNotFoundError as gone:  # the upload was given up while this part came
            raise ObjectMissing(key) from gone
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return Part(number, digest, size)

    def url_to_put_part(
        self,
        key: str,  # noqa: ARG002
        upload: str,  # noqa: ARG002
        number: int,  # noqa: ARG002
        expires_s: int,  # noqa: ARG002
    ) -> str:
        """There is nobody else who could write the file."""
        raise Conflict(
            "This server keeps its files in no bucket: send the parts to itself.",
            code="not_direct",
        )

    def parts(self, key: str, upload: str) -> list[Part]:
        """Those that have come, by number; raises ObjectMissing."""
        names = _objects(sorted(each.name for each in self._begun(key, upload).iterdir()))
        parts = (self._part(upload, name) for name in names)
        # Of two that came at once under one number both files may be there: one of them counts.
        return list({part.number: part for part in parts}.values())

    def end_parts(self, key: str, upload: str, parts: Sequence[Part]) -> ObjectInfo:
        """Joins the files: for a moment the disk holds the bytes twice."""
        folder = self._begun(key, upload)
        files = [folder / f"{part.number:05}-{part.etag}" for part in parts]
        try:
            info = self.put(key, (chunk for file in files for chunk in _read(file)))
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        shutil.rmtree(folder, ignore_errors=True)
        return info

    def drop_parts(self, key: str, upload: str) -> None:
        """Forgets what came; no error where nothing was begun."""
        self._path(key)
        shutil.rmtree(self._folder(upload), ignore_errors=True)

    def drop_unfinished(self, prefix: str, before: float) -> int:
        """By when it was last written to. Parts do not tell their key: those of all prefixes go.
        Deeper down, where a task has a folder of its own, what is unfinished goes with that."""
        count = 0
        for folder in (self.root, self._path(prefix.rstrip("/"))):
            for path in folder.glob(f"{_TEMPORARY}*"):
                with suppress(FileNotFoundError):  # it has just ended
                    if path.stat().st_mtime < before:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
                        count += 1
        return count

    def _folder(self, upload: str) -> Path:
        if not upload.isalnum():
            raise Forbidden("There can be no parts under this name.", code="bad_key")
        return self.root / (_TEMPORARY + upload)

    def _begun(self, key: str, upload: str) -> Path:
        folder = self._folder(upload)
        if not folder.is_dir():
            raise ObjectMissing(key)
        return folder

    def _part(self, upload: str, name: str) -> Part:
        number, _, etag = name.partition("-")
        return Part(int(number), etag, (self._folder(upload) / name).stat().st_size)

    def _url(self, method: str, key: str, expires_s: int) -> str:
        path = self._path(key)
        if self._access == "path":
            return path.as_uri()
        expires = int(time.time()) + expires_s
        signature = sign_url(self._secret, method=method, key=key, expires=expires)
        return f"{self._base_url}/objects/{quote(key)}?expires={expires}&signature={signature}"

    def _path(self, key: str) -> Path:
        """The file of a key, which lies under the root by no detour. Raises Forbidden."""
        names = key.split("/")
        bad = any(name in {"", ".", ".."} or name.startswith(_TEMPORARY) for name in names)
        path = self.root.joinpath(*names) if not bad and "\0" not in key else self.root
        if path == self.root or path.resolve() != path or not path.is_relative_to(self.root):
            raise Forbidden("There can be no object under this key.", code="bad_key")
        return path

    def _existing(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise ObjectMissing(key)
        return path

    def _temporary_beside(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.with_name(_TEMPORARY + secrets.token_hex(8))


def _chunks(descriptor: int, start: int, end: int | None) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb") as file:
        file.seek(start)
        left = None if end is None else max(0, end - start)
        while left != 0:
            chunk = file.read(_CHUNK if left is None else min(_CHUNK, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk


def _read(file: Path) -> Iterator[bytes]:
    return _chunks(os.open(file, os.O_RDONLY | os.O_NOFOLLOW), 0, None)


def _objects(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith(_TEMPORARY)]


def _written(file: Path, chunks: Iterable[bytes]) -> tuple[int, str]:
    """Bytes and sha256 of what is on the disk now, in a file that was not there."""
    digest = sha256()
    size = 0
    with file.open("xb") as stream:
        for chunk in chunks:
            digest.update(chunk)
            size += stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    return size, digest.hexdigest()
