"""What a file's own header says of its length, where FFmpeg would guess from the file's size, and
whether it has its end."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

_UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF})  # as written by those who cannot seek back
_HEAD = 65_536  # bytes in which a header has to be
_LARGEST_PAGES = 2 * 65_307  # bytes: two of Ogg's
_OGG_LAST = 4  # a flag of its pages
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"


def seconds(file: BinaryIO) -> float | None:
    """What the header promises, whether or not the file holds it; None where it does not say, or
    where FFmpeg reads it as it stands."""
    start = _at(file, 0, 16)
    for magic, read in _READERS.items():
        if start.startswith(magic):
            try:
                return read(file)
            except (struct.error, ZeroDivisionError):
                return None
    return None


def mp3_counts_its_frames(file: BinaryIO) -> bool:
    """Whether an MP3 begins with a header that says how many frames there are."""
    head = _at(file, 0, 10)
    skip = 0
    if head[:3] == b"ID3" and len(head) == 10:
        skip = 10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    first = _at(file, skip, 4096)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def ogg_lacks_its_end(file: BinaryIO) -> bool:
    """Whether an Ogg file stops before a whole page that is marked as the last of its stream."""
    if _at(file, 0, 4) != b"OggS":
        return False
    size = file.seek(0, 2)
    file.seek(0)
    tail = _at(file, max(0, size - _LARGEST_PAGES), _LARGEST_PAGES)
    last = tail.rfind(b"OggS")
    head = tail[last : last + 27]
    if last < 0 or len(head) < 27:
        return True
    lacing = tail[last + 27 : last + 27 + head[26]]
    whole = len(tail) - last >= 27 + len(lacing) + sum(lacing)
    return not (whole and len(lacing) == head[26] and head[5] & _OGG_LAST)


def clock(text: str) -> float | None:
    """Seconds of `00:01:02.345000000`, as Matroska files say it."""
    try:
        hours, minutes, rest = (float(part) for part in text.split(":"))
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + rest


def _wav(file: BinaryIO) -> float | None:
    rate = 0
    for name, position, size in _chunks(file, 12, "<4sI", even=True):
        if name == b"fmt ":
            (rate,) = struct.unpack("<I", _at(file, position + 8, 4))  # bytes a second
        elif name == b"data":
            return None if size in _UNKNOWN_SIZES else size / rate
    return None


def _w64(file: BinaryIO) -> float | None:
    rate = 0
    for name, position, size in _chunks(file, 40, "<16sQ", counted=24):
        if name[:4] == b"fmt ":
            (rate,) = struct.unpack("<I", _at(file, position + 8, 4))
        elif name[:4] == b"data":
            return size / rate
    return None


def _caf(file: BinaryIO) -> float | None:
    per_second = 0.0
    for name, position, size in _chunks(file, 8, ">4sq"):
        if name == b"desc":
            rate, _, _, length, frames = struct.unpack(">d4sIII", _at(file, position, 24))
            per_second = rate * length / frames if length and frames else 0.0
        elif name == b"data":
            return (size - 4) / per_second if size > 0 and per_second else None
    return None


def _asf(file: BinaryIO) -> float | None:
    head = _at(file, 0, _HEAD)
    found = head.find(_ASF_PROPERTIES)
    if found < 0:
        return None
    play, _, preroll = struct.unpack("<QQQ", head[found + 64 : found + 88])
    return max(0.0, play / 1e7 - preroll / 1e3) or None


def _avi(file: BinaryIO) -> float | None:
    """Of the first stream of sound."""
    head = _at(file, 0, _HEAD)
    found = head.find(b"auds")
    if found < 0 or head[found - 8 : found - 4] != b"strh":
        return None
    scale, rate, _, length = struct.unpack("<IIII", head[found + 20 : found + 36])
    return length * scale / rate or None


def _riff(file: BinaryIO) -> float | None:
    return _avi(file) if _at(file, 8, 4) == b"AVI " else _wav(file)


_READERS: dict[bytes, Callable[[BinaryIO], float | None]] = {
    b"RIFF": _riff,
    _W64_RIFF: _w64,
    b"caff": _caf,
    bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"): _asf,
}


def _chunks(
    file: BinaryIO, position: int, form: str, *, counted: int = 0, even: bool = False
) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and size of each; `counted` of its bytes are the head itself."""
    length = struct.calcsize(form)
    while len(head := _at(file, position, length)) == length:
        name, size = struct.unpack(form, head)
        size -= counted
        yield name, position + length, size
        if size < 0:
            return
        position += length + size + (size % 2 if even else -size % 8 if counted else 0)


def _at(file: BinaryIO, position: int, size: int) -> bytes:
    """Bytes from somewhere; the file stays where it was."""
    before = file.tell()
    file.seek(position)
    data = file.read(size)
    file.seek(before)
    return data
