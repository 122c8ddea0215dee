"""What memory a large upload takes over a small one: `python -m benchmarks.uploads`.

Sends both to a stack of its own, in every way that there is: whole and in parts to local files, in
parts through the server and straight to the bucket with S3 and OSS, the emulators of the tests.
Each process of ours is looked at four times a second: the server's, and this one, which is the
client. What is compared is the most that one of them held.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmarks.long_file import Peak
from benchmarks.one_machine import Up, stack
from services.client.client import Fanscribe
from services.client.media import Medium
from services.client.notes import Note

GOAL_MB = 64.0  # a part of 8 MiB, held a few times over by the clients of buckets
SMALL_BYTES = 96 * 1024**2
_BLOCK = 16 * 1024**2
_WHOLE = 2**60  # no file is so large that it is cut
_BUCKETS = ("s3", "oss")
_MIB = 1024**2


def write(file: Path, size: int) -> str:
    """Random bytes, no two blocks alike; their sha256 in hex."""
    block = bytearray(random.Random(size).randbytes(_BLOCK))
    digest = sha256()
    with file.open("wb") as stream:
        for number, start in enumerate(range(0, size, _BLOCK)):
            block[:8] = number.to_bytes(8, "big")
            piece = bytes(block[: min(_BLOCK, size - start)])
            digest.update(piece)
            stream.write(piece)
    return digest.hexdigest()


@contextmanager
def bucket(kind: str) -> Iterator[dict[str, str]]:
    """The settings of a bucket whose server is a process of its own."""
    command = [sys.executable, "-m", "benchmarks.uploads", "--serve", kind]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a line for each request
        text=True,
    )
    assert process.stdout is not None
    try:
        yield {
            "FANSCRIBE_OBJECTS_URL": f"{kind}://media/bench",
            "FANSCRIBE_OBJECTS_ENDPOINT": process.stdout.readline().strip(),
            "FANSCRIBE_OBJECTS_KEY_ID": "test-key",
            "FANSCRIBE_OBJECTS_KEY_SECRET": "test-secret",
        }
    finally:
        process.kill()
        process.wait()


def serve(kind: str) -> None:
    from tests.contract.buckets import oss_server, s3_server  # noqa: PLC0415  of the tests

    with (s3_server if kind == "s3" else oss_server)() as address:
        print(address, flush=True)
        sys.stdin.read()


@dataclass(frozen=True, slots=True)
class Way:
    """How a file travels: up to how many bytes in one go, and else whether past the server."""

    name: str
    in_one_go: int
    direct: bool = False

    def send(self, url: str, file: Path, digest: str) -> None:
        with Fanscribe(url, "") as client:
            try:
                upload = client.upload(file, in_one_go=self.in_one_go, direct=self.direct)
            finally:
                Note.of(url, Medium.of(file, None)).forget()
        if upload.sha256 != digest:
            raise SystemExit(f"the file that arrived is another: {upload}")


def compare(way: Way, up: Up, files: list[tuple[Path, str]]) -> float:
    """The most that any process held more for the large file than for the small one, in MB."""
    held: list[dict[int, float]] = []
    for file, digest in files:
        began = time.monotonic()
        with Peak(up.pid) as server, Peak(os.getpid()) as client:
            way.send(up.url, file, digest)
        seconds = time.monotonic() - began
        held.append({**server.each, os.getpid(): client.each[os.getpid()]})
        size = file.stat().st_size / _MIB
        told = f"{size:.0f} MiB in {seconds:.0f} s, {size / seconds:.0f} MiB/s"
        print(f"{way.name}: {told}, {max(held[-1].values()):.0f} MB at most", flush=True)
    small, large = held
    more = max(most - small[pid] for pid, most in large.items() if pid in small)
    print(f"{way.name}: {more:+.0f} MB", flush=True)
    return more


def main() -> None:
    """Exits with 1 when a difference is over the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local-gib", type=float, default=5.0)
    parser.add_argument("--bucket-gib", type=float, default=1.0)
    parser.add_argument("--serve", choices=_BUCKETS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    most: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        small, large = folder / "small.bin", folder / "large.bin"
        pair = [
            (small, write(small, SMALL_BYTES)),
            (large, write(large, int(options.local_gib * 1024**3))),
        ]
        with stack(folder / "local", models="stub") as up:
            ways = [Way("local, whole", _WHOLE), Way("local, parts", 0)]
            most += [compare(way, up, pair) for way in ways]
        pair[1] = (large, write(large, int(options.bucket_gib * 1024**3)))
        for kind in _BUCKETS:
            with bucket(kind) as more, stack(folder / kind, models="stub", more=more) as up:
                ways = [Way(f"{kind}, whole", _WHOLE), Way(f"{kind}, parts", 0)]
                ways.append(Way(f"{kind}, direct", 0, direct=True))
                most += [compare(way, up, pair) for way in ways]
    print(f"at most {max(most):+.0f} MB; goal: {GOAL_MB:+.0f} MB")
    raise SystemExit(0 if max(most) <= GOAL_MB else 1)


if __name__ == "__main__":
    main()
