"""Files that are no sound, hardly any, or change on the way."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from making import Made, Samples, write, write_film, write_wav

RATE = 16_000
_WAV = Made(".wav", "wav", "pcm_f32le", RATE)
_MP3 = Made(".mp3", "mp3", "libmp3lame", 44_100, bit_rate=64_000)
_FLAC = Made(".flac", "flac", "flac", 44_100)
_OPUS = Made(".opus", "ogg", "libopus", bit_rate=32_000)
_M4A = Made(".m4a", "ipod", "aac", 44_100, bit_rate=64_000)
_WEBM = Made(".webm", "webm", "libopus", bit_rate=32_000)


def _bytes(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _sound(made: Made, samples: Samples) -> Callable[[Path], object]:
    return lambda path: write(path, made, samples)


def _head(made: Made, size: int) -> Callable[[Path], object]:
    """Only the first bytes of a good file."""

    def make(path: Path) -> None:
        write(path, made)
        path.write_bytes(path.read_bytes()[:size])

    return make


def _channels(count: int) -> Callable[[Path], object]:
    return lambda path: write_wav(path, np.zeros((count, RATE), np.float32), RATE)


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("talk.txt", "Nothing to hear." * 100)
    return packed.getvalue()


def _not_finite() -> Samples:
    samples = np.zeros((1, RATE), np.float32)
    samples[0, 100:200], samples[0, 300:400], samples[0, 500:600] = np.nan, np.inf, -np.inf
    return samples


_SILENCE = np.zeros((1, 3 * RATE), np.float32)
_ONE = np.full((1, 1), 0.5, np.float32)
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0" + bytes(2000)

_CLEANED = "cleaned_samples"

Expected = tuple[str, ...]
FILES: list[tuple[str, str, str, Callable[[Path], object], Expected]] = [
    ("no media", "nothing at all", ".mp3", _bytes(b""), ("empty_file",)),
    ("no media", "one byte", ".mp3", _bytes(b"x"), ("bad_media",)),
    ("no media", "a text", ".mp3", _bytes(b"Dear diary, nobody spoke.\n" * 99), ("bad_media",)),
    ("no media", "a page", ".wav", _bytes(b"<!doctype html><p>404" * 99), ("bad_media",)),
    ("no media", "a picture", ".png", _bytes(_PNG), ("bad_media",)),
    ("no media", "an archive", ".zip", _bytes(_zip()), ("bad_media",)),
    ("no media", "a PDF", ".pdf", _bytes(b"%PDF-1.7\n" + b"stream " * 500), ("bad_media",)),
    ("no media", "noise", ".bin", _bytes(random.Random(7).randbytes(100_000)), ("bad_media",)),
    ("no media", "zeros", ".raw", _bytes(bytes(100_000)), ("bad_media",)),
    ("no media", "an empty frame", ".wav", _bytes(b"RIFF" + b"\xff" * 4 + b"WAVE"), ("bad_media",)),
    ("header only", "wav", ".wav", _head(_WAV, 58), ("bad_media",)),
    ("header only", "mp3", ".mp3", _head(_MP3, 253), ("bad_media",)),
    ("header only", "flac", ".flac", _head(_FLAC, 86), ("bad_media",)),
    ("header only", "opus", ".opus", _head(_OPUS, 120), ("bad_media",)),
    ("header only", "m4a", ".m4a", _head(_M4A, 40), ("bad_media",)),
    ("header only", "webm", ".webm", _head(_WEBM, 400), ("bad_media",)),
    ("pictures only", "mp4", ".mp4", partial(write_film, muxer="mp4"), ("no_audio_stream",)),
    ("pictures only", "mkv", ".mkv", partial(write_film, muxer="matroska"), ("no_audio_stream",)),
    ("pictures only", "ts", ".ts", partial(write_film, muxer="mpegts"), ("no_audio_stream",)),
    ("hardly any", "one sample", ".wav", _sound(_WAV, _ONE), ("done",)),
    ("hardly any", "one sample", ".flac", _sound(_FLAC, _ONE), ("done",)),
    ("hardly any", "silence", ".wav", _sound(_WAV, _SILENCE), ("done",)),
    ("hardly any", "silence", ".flac", _sound(_FLAC, _SILENCE), ("done",)),
    ("hardly any", "silence", ".mp3", _sound(_MP3, _SILENCE), ("done",)),
    ("hardly any", "not finite", ".wav", _sound(_WAV, _not_finite()), ("flagged", _CLEANED)),
    ("too many channels", "9", ".wav", _channels(9), ("too_many_channels",)),
    ("too many channels", "64", ".wav", _channels(64), ("too_many_channels",)),
]  # fmt: skip


def _one_behind_the_other(*parts: Made) -> Callable[[Path], object]:
    """As players of streams and `cat` make them."""

    def make(path: Path) -> None:
        pieces = [write(path.with_name(f"{n}{made.suffix}"), made) for n, made in enumerate(parts)]
        path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))

    return make


_SHORT = {"seconds": 4.0, "bit_rate": 64_000}
_AAC_44 = Made(".aac", "adts", "aac", 44_100, **_SHORT)
_AAC_48 = Made(".aac", "adts", "aac", 48_000, "stereo", **_SHORT)
_MP3_44 = Made(".mp3", "mp3", "libmp3lame", 44_100, muxing={"write_xing": "0"}, **_SHORT)
_MP3_48 = Made(".mp3", "mp3", "libmp3lame", 48_000, muxing={"write_xing": "0"}, **_SHORT)
_OGG_4 = Made(".opus", "ogg", "libopus", **_SHORT)
_TWICE = [(0.0, 4.0), (4.0, 4.0)]
CHANGING: list[tuple[str, str, Callable[[Path], object], list[tuple[float, float]]]] = [
    ("44.1 then 48 kHz stereo", ".aac", _one_behind_the_other(_AAC_44, _AAC_48), _TWICE),
    ("44.1 then 48 kHz", ".mp3", _one_behind_the_other(_MP3_44, _MP3_48), _TWICE),
    ("two files in one", ".mp3", _one_behind_the_other(_MP3_44, _MP3_44), _TWICE),
    ("a chain", ".opus", _one_behind_the_other(_OGG_4, _OGG_4), _TWICE),
]
