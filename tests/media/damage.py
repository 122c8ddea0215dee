"""What happens to files on their way: cut off, overwritten, holed, flipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np

KEPT = 0.7
AT = 0.45


def cut_off(path: Path) -> list[tuple[int, int]]:
    """The last third never came."""
    data = path.read_bytes()
    keep = int(len(data) * KEPT)
    path.write_bytes(data[:keep])
    return [(keep, len(data))]


def garbage(path: Path) -> list[tuple[int, int]]:
    """400 bytes of anything in the middle."""
    return _overwrite(path, np.random.default_rng(1).bytes(400))


def zeroed(path: Path) -> list[tuple[int, int]]:
    """A block of 4 KB that was never written."""
    return _overwrite(path, bytes(4096))


def flipped(path: Path) -> list[tuple[int, int]]:
    """200 bits anywhere behind the first twentieth, where headers lie."""
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(2)
    places = random.integers(len(data) // 20, len(data), 200)
    for place in places:
        data[place] ^= 1 << int(random.integers(8))
    path.write_bytes(data)
    return [(int(place), int(place) + 1) for place in places]


def _overwrite(path: Path, with_: bytes) -> list[tuple[int, int]]:
    data = bytearray(path.read_bytes())
    start = int(len(data) * AT)
    data[start : start + len(with_)] = with_
    path.write_bytes(data)
    return [(start, start + len(with_))]


DAMAGES = {"cut off": cut_off, "garbage": garbage, "zeroed": zeroed, "flipped": flipped}
