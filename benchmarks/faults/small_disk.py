"""Small file systems of a stack's own, to be filled up and freed again.

One process holds them in a mount namespace, for which nobody has to be root; the parts of the
stack are started inside it, and the bench reaches in by `/proc/PID/root`.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from benchmarks.faults.process import Part, tied, wait_for

_MOUNT = "mount -t tmpfs -o size={size}m none {path}"
_BLOCK = b"\0" * 4096  # a page: what a tmpfs gives out


@cache
def small_disks_work() -> bool:
    """Whether this machine lets us mount; some containers do not."""
    if not (shutil.which("unshare") and shutil.which("nsenter")):
        return False
    probe = ["unshare", "-rm", "sh", "-c", _MOUNT.format(size=1, path="/tmp")]  # noqa: S108
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


class SmallDisks:
    """`sizes` are folders with megabytes; they are there, and empty, when this was made."""

    def __init__(self, sizes: Mapping[Path, int], log: Path, base: dict[str, str]) -> None:
        for path in sizes:
            path.mkdir(parents=True, exist_ok=True)
        mounts = [_MOUNT.format(size=size, path=path) for path, size in sizes.items()]
        script = " && ".join([*mounts, "exec sleep infinity"])
        self.part = Part("disks", tied(["unshare", "-rm", "sh", "-c", script]), base, log)
        self.part.start()
        wait_for("the small disks", self._mounted)

    def inside(self, command: list[str]) -> list[str]:
        """The same command, started where the disks are."""
        where = ["--target", str(self.part.pid), "--user", "--mount", "--preserve-credentials"]
        return ["nsenter", *where, "--", *command]

    def path(self, path: Path) -> Path:
        """As seen from the bench."""
        return Path(f"/proc/{self.part.pid}/root{path}")

    def fill(self, path: Path) -> None:
        """Until nothing more fits in."""
        with suppress(OSError), (self.path(path) / "ballast").open("ab", buffering=0) as ballast:
            while ballast.write(_BLOCK) == len(_BLOCK):
                pass

    def free(self, path: Path) -> None:
        (self.path(path) / "ballast").unlink(missing_ok=True)

    def _mounted(self) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{self.part.pid}/cmdline").read_text().startswith("sleep\0")
        return False
