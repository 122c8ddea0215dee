"""The decoder child: the only process that opens what a user sent, and it can do little else.

It reads one JSON line a file from stdin and answers in JSON lines on stdout: `{"fraction": …}` on
the way, then `{"done": …}` or `{"failed": …}`. It has no network where the system allows it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from services.lifeline import end_with_parent
from services.model.errors import JobFailed

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_MEMORY = 4 * 1024**3  # address space; a decoder needs a tenth of it


def main() -> None:
    """Serves until stdin ends or the parent is gone."""
    end_with_parent()
    answers = _private_stdout()
    confine()
    from whisper_worker import decoding  # noqa: PLC0415  after the walls are up

    for request in _requests():
        _serve(decoding, request, answers)


def confine() -> None:
    """Gives up the network, core dumps and endless memory, as far as the system lets us."""
    if sys.platform == "linux":
        _leave_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _leave_network() -> None:
    """An empty network of our own; an ordinary user gets one within a user namespace."""
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    user, group = os.getuid(), os.getgid()
    if unshare(_CLONE_NEWNET) == 0 or unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def _private_stdout() -> TextIO:
    """Our answers go out alone: what a library prints goes to stderr instead."""
    ours = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(ours, "w", encoding="utf-8", buffering=1)


def _requests() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def _serve(decoding: Any, request: dict[str, Any], answers: TextIO) -> None:
    def tell(fraction: float) -> None:
        print(json.dumps({"fraction": fraction}), file=answers)

    try:
        decoded = decoding.decode(
            Path(request["source"]),
            Path(request["target"]),
            request["max_seconds"],
            tell,
            apart=request["apart"],
        )
        answer = {"done": {**asdict(decoded), "coverage": decoded.coverage}}
    except JobFailed as failed:
        answer = {"failed": {"code": failed.code, "message": failed.message}}
    except MemoryError:
        refused = decoding.bad_media("it asks for more memory than sound needs")
        answer = {"failed": {"code": refused.code, "message": refused.message}}
    except OSError as error:
        answer = {"system": {"errno": error.errno, "message": str(error)}}
    print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
