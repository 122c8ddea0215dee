"""Which upload belongs to a file on disk, noted down so that a broken one goes on where it was."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.client.media import Medium


@dataclass(frozen=True, slots=True)
class Note:
    """Which upload a file's is, as long as neither changes; nothing is noted of what is on no
    disk."""

    path: Path | None

    @classmethod
    def of(cls, url: str, medium: Medium) -> Note:
        if medium.path is None:
            return cls(None)
        about = medium.path.stat()
        identity: list[Any] = [url, str(medium.path.resolve()), about.st_size, about.st_mtime_ns]
        name = sha256(json.dumps(identity).encode()).hexdigest()[:32]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cls(cache / "fanscribe" / "uploads" / f"{name}.json")

    def read(self) -> str | None:
        if self.path is None:
            return None
        try:
            key: str = json.loads(self.path.read_text())["key"]
        except (OSError, ValueError, KeyError):
            return None
        return key

    def write(self, key: str) -> None:
        if self.path is not None:
            with suppress(OSError):  # where nothing can be noted, it is sent anew
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.write_text(json.dumps({"key": key}))

    def forget(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
