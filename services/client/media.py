"""What can be sent: a file on disk, bytes, or an open file."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """How many bytes of a file are there, sent before or just now."""

    name: str
    sent: int
    size: int


@dataclass(frozen=True, slots=True)
class Medium:
    """Something that can be read from its beginning as often as needed."""

    name: str
    size: int
    path: Path | None
    stream: BinaryIO | None

    @classmethod
    def of(cls, file: str | Path | bytes | BinaryIO, name: str | None) -> Medium:
        """Raises OSError, and ValueError for a stream that cannot be read twice."""
        if isinstance(file, bytes):
            return cls(name or "", len(file), None, io.BytesIO(file))
        if isinstance(file, str | Path):
            path = Path(file)
            return cls(name or path.name, path.stat().st_size, path, None)
        if not file.seekable():
            raise ValueError("A stream that cannot be read twice: write it to a file first.")
        called = getattr(file, "name", "")
        name = name or (Path(called).name if isinstance(called, str) else "")
        return cls(name, file.seek(0, os.SEEK_END), None, file)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        if self.path is not None:
            with self.path.open("rb") as stream:
                yield stream
        elif self.stream is not None:
            self.stream.seek(0)
            yield self.stream
