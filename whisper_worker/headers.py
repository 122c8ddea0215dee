"""What a file's own header says of its length, where FFmpeg would guess from the file's size."""

from __future__ import annotations

import struct
from typing import BinaryIO

_UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF})  # as written by those who cannot seek back

_LARGEST_PAGES = 2 * 65_307  # bytes: two of Ogg's
_OGG_LAST = 4  # a flag of its pages


def mp3_counts_its_frames(file: BinaryIO) -> bool:
    """Whether an MP3 begins with a header that says how many frames there are."""
    head = _at(file, 0, 10)
    skip = 0
    if head[:3] == b"ID3" and len(head) == 10:
        skip = 10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    first = _at(file, skip, 4096)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def wav_seconds(file: BinaryIO) -> float | None:
    """What a WAV promises, whether or not the file holds it; None where it does not say."""
    if _at(file, 0, 4) != b"RIFF":
        return None
    position, rate = 12, 0
    while len(chunk := _at(file, position, 20)) >= 8:
        name, size = chunk[:4], int(struct.unpack("<I", chunk[4:8])[0])
        if name == b"fmt " and len(chunk) == 20:
            rate = int(struct.unpack("<I", chunk[16:20])[0])  # bytes a second
        if name == b"data":
            return size / rate if rate and size not in _UNKNOWN_SIZES else None
        position += 8 + size + size % 2
    return None


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
        hours, minutes, seconds = (float(part) for part in text.split(":"))
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def _at(file: BinaryIO, position: int, size: int) -> bytes:
    """Bytes from somewhere; the file stays where it was."""
    before = file.tell()
    file.seek(position)
    data = file.read(size)
    file.seek(before)
    return data
