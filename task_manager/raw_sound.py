"""Samples without a header, as whisper-asr-webservice takes them: 16 kHz, mono, s16le."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_RATE, _BYTES = 16_000, 2
_ANY_LENGTH = 0xFFFFFFFF  # as those write it who do not know yet


def as_wav(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same with a header that does not say how long it is; nothing stays nothing."""
    first = next(chunks, None)
    if first is not None:
        yield _HEADER
        yield first
        yield from chunks


_HEADER = (
    struct.pack("<4sI4s", b"RIFF", _ANY_LENGTH, b"WAVE")
    + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _RATE, _RATE * _BYTES, _BYTES, 8 * _BYTES)
    + struct.pack("<4sI", b"data", _ANY_LENGTH)
)
