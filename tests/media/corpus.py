"""Files of every kind, whole, broken and odd, each with what has to come of it.

What is expected follows from how a file is made: which second has which tone, what was cut out of
it and where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import odd
from damage import DAMAGES
from making import SECONDS, Made, packets, write


@dataclass(frozen=True, slots=True)
class Truth:
    """What has to come of a file: `done` without a warning, `flagged` with these (any, if none is
    named), or a code. `pieces` are (from, to, second of the sound at `from`); between them there is
    silence. `loose`: the format keeps no times, so what follows a loss may come early.
    `may_refuse`: what is left may be too little."""

    outcome: str = "done"
    warnings: frozenset[str] = frozenset()
    pieces: tuple[tuple[float, float, float], ...] = ((0.0, SECONDS, 0.0),)
    seconds: float | None = None
    coverage: float | None = None  # None: as much as is heard
    gaps: tuple[tuple[float, float], ...] | None = None  # None: not asked
    loose: bool = False
    may_refuse: bool = False
    tones: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One file: `make` writes it and says what is true of it."""

    kind: str
    name: str
    suffix: str
    make: Callable[[Path], Truth]


WHOLE = [
    Made(".wav", "wav", "pcm_s16le", 16_000),
    Made(".u8.wav", "wav", "pcm_u8", 16_000),
    Made(".s24.wav", "wav", "pcm_s24le", 48_000, "stereo"),
    Made(".s32.wav", "wav", "pcm_s32le", 44_100),
    Made(".f32.wav", "wav", "pcm_f32le", 44_100),
    Made(".f64.wav", "wav", "pcm_f64le", 16_000),
    Made(".alaw.wav", "wav", "pcm_alaw", 8_000),
    Made(".ulaw.wav", "wav", "pcm_mulaw", 8_000),
    Made(".ima.wav", "wav", "adpcm_ima_wav", 22_050),
    Made(".ms.wav", "wav", "adpcm_ms", 22_050),
    Made(".g726.wav", "wav", "g726", 8_000, bit_rate=32_000),
    Made(".mp3.wav", "wav", "libmp3lame", 44_100, bit_rate=64_000),
    Made(".w64", "w64", "pcm_s16le", 16_000),
    Made(".rf64", "wav", "pcm_s16le", 16_000, muxing={"rf64": "always"}),
    Made(".aiff", "aiff", "pcm_s16be", 44_100, "stereo"),
    Made(".s24.aif", "aiff", "pcm_s24be", 44_100),
    Made(".caf", "caf", "pcm_s16be", 44_100),
    Made(".alac.caf", "caf", "alac", 44_100),
    Made(".au", "au", "pcm_mulaw", 8_000),
    Made(".voc", "voc", "pcm_u8", 16_000),
    Made(".sox", "sox", "pcm_s32le", 16_000),
    Made(".sf", "ircam", "pcm_s16le", 16_000),
    Made(".mp3", "mp3", "libmp3lame", 44_100, "stereo", 128_000),
    Made(".vbr.mp3", "mp3", "libmp3lame", 44_100, options={"compression_level": "5"}),
    Made(".plain.mp3", "mp3", "libmp3lame", 44_100, muxing={"write_xing": "0"}, bit_rate=64_000),
    Made(".mp2", "mp2", "mp2", 44_100, "stereo", 128_000),
    Made(".m4a", "ipod", "aac", 44_100, "stereo", 96_000),
    Made(".alac.m4a", "ipod", "alac", 44_100, "stereo"),
    Made(".mp4", "mp4", "aac", 48_000, "stereo", 96_000, pictures=True),
    Made(
        ".frag.mp4",
        "mp4",
        "aac",
        bit_rate=64_000,
        muxing={"movflags": "empty_moov+frag_every_frame"},
    ),
    Made(".opus.mp4", "mp4", "libopus", bit_rate=32_000),
    Made(".flac.mp4", "mp4", "flac"),
    Made(".mov", "mov", "pcm_s16le", 48_000, "stereo", pictures=True),
    Made(".3gp", "3gp", "libopencore_amrnb", 8_000, bit_rate=12_200),
    Made(".flac", "flac", "flac", 44_100, "stereo"),
    Made(".ogg", "ogg", "vorbis", 44_100, "stereo", options={"strict": "-2"}),
    Made(".opus", "ogg", "libopus", bit_rate=32_000),
    Made(".oga", "ogg", "flac", 44_100),
    Made(".webm", "webm", "libopus", 48_000, "stereo", 64_000),
    Made(".mkv", "matroska", "aac", 48_000, "stereo", 96_000, pictures=True),
    Made(".mp3.mkv", "matroska", "libmp3lame", bit_rate=64_000),
    Made(".pcm.mka", "matroska", "pcm_s16le", 16_000),
    Made(".live.mka", "matroska", "libopus", bit_rate=32_000, muxing={"live": "1"}),
    Made(".aac", "adts", "aac", 44_100, "stereo", 96_000),
    Made(".loas", "latm", "aac", 44_100, bit_rate=64_000),
    Made(".amr", "amr", "libopencore_amrnb", 8_000, bit_rate=12_200),
    Made(".wma", "asf", "wmav2", 44_100, bit_rate=64_000),
    Made(".v1.wma", "asf", "wmav1", 44_100, bit_rate=64_000),
    Made(".avi", "avi", "libmp3lame", 44_100, "stereo", 128_000, pictures=True),
    Made(".pcm.avi", "avi", "pcm_s16le", 44_100),
    Made(".ts", "mpegts", "aac", 48_000, "stereo", 96_000, pictures=True),
    Made(".mp2.ts", "mpegts", "mp2", bit_rate=64_000),
    Made(".mpg", "mpeg", "mp2", 48_000, "stereo", 128_000, pictures=True),
    Made(".vob", "vob", "ac3", 48_000, "stereo", 128_000),
    Made(".flv", "flv", "aac", 44_100, bit_rate=64_000),
    Made(".mp3.flv", "flv", "libmp3lame", 44_100, bit_rate=64_000),
    Made(".ac3", "ac3", "ac3", 48_000, "stereo", 128_000),
    Made(".eac3", "eac3", "eac3", 48_000, "stereo", 128_000),
    Made(".wv", "wv", "wavpack", 44_100),
    Made(".tta", "tta", "tta", 44_100),
    Made(".rm", "rm", "ac3", 44_100, bit_rate=64_000),
    Made(".nut", "nut", "pcm_s16le", 16_000),
    Made(".wtv", "wtv", "mp2", bit_rate=64_000),
    Made(".mmf", "mmf", "adpcm_yamaha", 22_050),
]

# Where a file says nothing of its length, nobody can know how much of it was cut off.
_NO_LENGTH = {".aac", ".amr", ".ts", ".ac3"}
_INDEX_LAST = {".m4a", ".mp4"}
_NO_TIMES = {".aac", ".amr", ".avi"}
_SAMPLES = {".wav", ".aiff"}

DAMAGED = [
    Made(".wav", "wav", "pcm_s16le", 16_000),
    Made(".aiff", "aiff", "pcm_s16be", 16_000),
    Made(".mp3", "mp3", "libmp3lame", 44_100, bit_rate=64_000),
    Made(".m4a", "ipod", "aac", 44_100, bit_rate=64_000),
    Made(".mp4", "mp4", "aac", bit_rate=64_000, pictures=True),
    Made(".flac", "flac", "flac", 44_100),
    Made(".opus", "ogg", "libopus", bit_rate=32_000),
    Made(".ogg", "ogg", "vorbis", 44_100, "stereo", options={"strict": "-2"}),
    Made(".webm", "webm", "libopus", bit_rate=32_000),
    Made(".mkv", "matroska", "aac", bit_rate=64_000),
    Made(".aac", "adts", "aac", 44_100, bit_rate=64_000),
    Made(".amr", "amr", "libopencore_amrnb", 8_000, bit_rate=12_200),
    Made(".ts", "mpegts", "aac", bit_rate=64_000),
    Made(".wma", "asf", "wmav2", 44_100, bit_rate=64_000),
    Made(".ac3", "ac3", "ac3", bit_rate=96_000),
    Made(".avi", "avi", "libmp3lame", 44_100, bit_rate=64_000),
    Made(".flv", "flv", "libmp3lame", 44_100, bit_rate=64_000),
    Made(".wv", "wv", "wavpack", 44_100),
]


def _whole(made: Made) -> Callable[[Path], Truth]:
    def make(path: Path) -> Truth:
        write(path, made)
        start = made.start if made.pictures else 0.0
        pieces = _without(made, start)
        ends = start + made.seconds
        return Truth(pieces=pieces, seconds=ends, coverage=1.0, gaps=tuple(made.skip))

    return make


def _without(made: Made, start: float) -> tuple[tuple[float, float, float], ...]:
    """What is left of the sound where stretches of it were never written."""
    pieces, at = [], 0.0
    for first, last in [*made.skip, (made.start + made.seconds, 0.0)]:
        first, last = first - made.start, last - made.start  # noqa: PLW2901  in the sound's time
        pieces.append((start + at, start + first, at))
        at = last
    return tuple(pieces)


def _damaged(made: Made, what: str) -> Callable[[Path], Truth]:
    def make(path: Path) -> Truth:
        write(path, made)
        before = packets(path)
        hit = DAMAGES[what](path)
        gone = sum(b - a for f, e, a, b in before if any(s < e and f < t for s, t in hit))
        return _cut_off(made, gone) if what == "cut off" else _hurt(made, what, gone)

    return make


def _cut_off(made: Made, gone: float) -> Truth:
    if made.suffix in _INDEX_LAST:
        return Truth("bad_media")
    left = SECONDS - gone
    truth = Truth(pieces=((0.0, left, 0.0),), seconds=left, loose=True)
    if made.muxer == "ogg":
        return replace(truth, outcome="flagged", warnings=frozenset({"end_missing"}), coverage=1.0)
    if made.suffix in _NO_LENGTH:
        return replace(truth, outcome="any", coverage=1.0)
    return replace(
        truth, outcome="flagged", warnings=frozenset({"partial_audio"}), coverage=left / SECONDS
    )


def _hurt(made: Made, what: str, gone: float) -> Truth:
    loose = made.suffix in _NO_TIMES
    if made.suffix in _SAMPLES:  # a wrong sample is as long as a right one
        return Truth(seconds=SECONDS)
    if what == "flipped":
        return Truth("flagged", loose=True, may_refuse=True, tones=False)
    if gone < 0.02 * SECONDS:
        return Truth("any", loose=loose, tones=made.suffix != ".amr")
    return Truth(
        "flagged", loose=loose, may_refuse=made.suffix == ".wv", tones=made.suffix != ".amr"
    )


_RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000]
_RATES += [176_400, 192_000]
_LAYOUTS = ["mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1"]
_MORE = [
    *(("rate", Made(f".{rate}.wav", "wav", "pcm_s16le", rate)) for rate in _RATES),
    *(("rate", Made(f".{rate}.flac", "flac", "flac", rate)) for rate in (8_000, 96_000, 192_000)),
    *(("channels", Made(f".{name}.flac", "flac", "flac", 16_000, name)) for name in _LAYOUTS),
    ("channels", Made(".5.1.m4a", "ipod", "aac", 48_000, "5.1", 192_000)),
    ("channels", Made(".7.1.opus", "ogg", "libopus", 48_000, "7.1", 192_000)),
    ("channels", Made(".5.1.ac3", "ac3", "ac3", 48_000, "5.1", 192_000)),
    ("channels", Made(".7.1.wv", "wv", "wavpack", 48_000, "7.1")),
    *(
        ("late sound", Made(f".late{suffix}", muxer, codec, 48_000, start=2.0, pictures=True))
        for suffix, muxer, codec in [
            (".mp4", "mp4", "aac"),
            (".mkv", "matroska", "aac"),
            (".ts", "mpegts", "mp2"),
            (".flv", "flv", "aac"),
        ]
    ),
    *(
        ("start offset", Made(f".from40{suffix}", muxer, codec, bit_rate=64_000, start=40.0))
        for suffix, muxer, codec in [
            (".mka", "matroska", "libopus"),
            (".m4a", "ipod", "aac"),
            (".ts", "mpegts", "aac"),
            (".webm", "webm", "libopus"),
        ]
    ),
    *(
        ("gap", Made(f".gap{suffix}", muxer, codec, bit_rate=64_000, skip=((4.0, 7.0),)))
        for suffix, muxer, codec in [
            (".mka", "matroska", "libopus"),
            (".webm", "webm", "libopus"),
            (".mp4", "mp4", "aac"),
            (".ts", "mpegts", "mp2"),
            (".flv", "flv", "aac"),
        ]
    ),
]  # fmt: skip


def cases() -> Iterator[Case]:
    """All of them, in the order of the table."""
    for made in WHOLE:
        yield Case("whole", made.suffix[1:], made.suffix, _whole(made))
    for kind, made in _MORE:
        yield Case(kind, made.suffix[1:], made.suffix, _whole(made))
    for what in DAMAGES:
        for made in DAMAGED:
            yield Case(what, made.suffix[1:], made.suffix, _damaged(made, what))
    for kind, name, suffix, make, (outcome, *warnings) in odd.FILES:
        yield Case(kind, name, suffix, _odd(make, Truth(outcome, frozenset(warnings), tones=False)))
    for name, suffix, make, seconds in odd.CHANGING:
        pieces = tuple((at, at + length, 0.0) for at, length in seconds)
        truth = Truth("any", pieces=pieces, seconds=sum(length for _, length in seconds))
        yield Case("changing", name, suffix, _odd(make, truth))


def _odd(make: Callable[[Path], object], truth: Truth) -> Callable[[Path], Truth]:
    def made(path: Path) -> Truth:
        make(path)
        return truth

    return made
