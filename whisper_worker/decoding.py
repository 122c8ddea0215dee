"""Media to 16 kHz s16le PCM, packet by packet, within a budget; runs in the decoder child.

A bad packet costs itself, never the rest of the file: what is missing is measured, and silence
stands for it where timestamps tell how long it was. Memory does not grow with duration.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import av

from services.model.errors import FailureClass, JobFailed
from whisper_worker import headers
from whisper_worker.packets import Packets
from whisper_worker.placing import Placing
from whisper_worker.soundtrack import Soundtrack, check_length

_LEAST_COVERAGE = 0.5
_FULL_COVERAGE = 0.98
_PADDING_S = 0.25  # what encoders add or trim at the ends is no loss
_LISTED = 100  # gaps that are told of

# Containers that hold sound themselves. Playlists, concat scripts and network formats, which
# name other files, are not among them.
FORMATS = (
    "aac,ac3,aea,aiff,amr,amrnb,amrwb,ape,asf,ast,au,avi,avr,bonk,caf,daud,dsf,dss,dts,dtshd,dv,"
    "eac3,flac,flv,gxf,hca,iff,ilbc,ircam,kvag,loas,matroska,webm,mlp,mmf,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nsv,nut,ogg,oma,osq,paf,pva,pvf,qcp,qoa,rka,rm,rso,"
    "shn,sox,tak,truehd,tta,voc,vqf,w64,wav,wavarc,wsd,wtv,wv,wve,xwma"
)
_NO_PROTOCOL = "none"  # the file is handed over open; nothing may be opened by name
# Containers in which nothing needs to be sent while nobody speaks: a gap may be a pause.
_PAUSING = ("asf", "flv", "matroska", "mov", "mpeg", "nut", "rm", "wtv")
# Streams without a header that says how long they are: FFmpeg guesses from size and bit rate.
_GUESSED = frozenset(
    {"aac", "ac3", "amr", "dts", "eac3", "loas", "mlp", "mpeg", "mpegts", "truehd"}
)


@dataclass(slots=True)
class Decoded:
    """What came out. `declared_seconds` is what the container promises, where it does; `missing`
    what of the sound is not there, and `gaps` where. `seconds` counts silence that stands for a
    gap; `channels` names those that were kept apart."""

    format: str
    declared_seconds: float | None
    seconds: float = 0.0
    missing: float = 0.0
    warnings: list[str] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """What share of the sound is there; 1 where nothing tells of a loss."""
        whole = max(self.declared_seconds or 0.0, self.seconds)
        return round(1 - min(self.missing, whole) / whole, 4) if whole else 0.0


def decode(
    source: Path,
    target: Path,
    max_seconds: float,
    tell: Callable[[float], None],
    *,
    apart: bool = False,
) -> Decoded:
    """Writes the PCM to `target`: the mix, or (`apart`) its channels one behind the other, all
    equally long; `tell` hears how far it is (0…1).

    `max_seconds` 0 is no limit. Raises JobFailed(permanent): `empty_file`, `bad_media`,
    `no_audio_stream`, `audio_too_long`, `too_many_channels`.
    """
    if source.stat().st_size == 0:
        text = "The file is empty: upload it again."
        raise JobFailed(FailureClass.PERMANENT, "empty_file", text)
    with source.open("rb") as file:
        av.logging.set_level(av.logging.ERROR)
        with av.logging.Capture() as log, ExitStack() as files:
            try:
                decoded = _decode(file, _Channels(target, files), max_seconds, tell, apart=apart)
            except (av.FFmpegError, IndexError, ValueError) as error:
                raise bad_media(_reason(error, log)) from error
        if file.seek(0) == 0 and headers.ogg_lacks_its_end(file):
            decoded.warnings.append("end_missing")
    _append(target, range(1, len(decoded.channels)))
    return decoded


def bad_media(reason: str) -> JobFailed:
    return JobFailed(
        FailureClass.PERMANENT,
        "bad_media",
        f"This is not a sound or video file that can be read ({reason}): convert it to WAV, MP3, "
        "M4A, FLAC, OGG or WebM and upload it again.",
    )


def _reason(error: Exception, log: list[tuple[int, str, str]]) -> str:
    """FFmpeg logs more than it raises."""
    if any("moov atom not found" in text for _, _, text in log):
        return "its index, which stands at the end, is missing: it was cut off"
    return getattr(error, "strerror", None) or str(error)


def _decode(
    file: BinaryIO,
    open_file: Callable[[int], BinaryIO],
    max_seconds: float,
    tell: Callable[[float], None],
    *,
    apart: bool,
) -> Decoded:
    options = {"format_whitelist": FORMATS, "protocol_whitelist": _NO_PROTOCOL}
    # Without a name: PyAV would hand it to FFmpeg, which looks at suffixes.
    with av.open(_Nameless(file), mode="r", container_options=options) as container:
        stream = _sound(container)
        declared = _declared_seconds(container, stream, file)
        channels = stream.codec_context.layout.nb_channels if apart else 1
        check_length((declared or 0.0) * channels, max_seconds)
        decoded = Decoded(container.format.name, declared)
        track = Soundtrack(
            open_file,
            max_seconds,
            decoded.warnings,
            lambda s: tell(min(1.0, s / declared) if declared else 0.0),
            apart=apart,
        )
        placing, packets = Placing(_zero(container), declared), Packets(container, stream)
        for frame, moment in packets.frames():
            silence = placing.silence(moment)
            track.take(frame, placing.at if silence else 0.0)
            placing.follow(frame.samples / frame.sample_rate)
        track.finish()
        if container.format.name == "aac":  # FFmpeg passes over what is broken without a word
            decoded.missing = packets.seconds_of(container.size - packets.end)
    return _judged(decoded, track, placing, packets)


def _sound(container: Any) -> Any:
    if not container.streams.audio:
        text = "The file has no sound in it: nothing to transcribe."
        raise JobFailed(FailureClass.PERMANENT, "no_audio_stream", text)
    best = container.streams.best("audio")
    for stream in [*filter(None, [best]), *container.streams.audio]:
        if stream.codec_context is not None:
            return stream
    raise bad_media("nothing here decodes its sound")


def _judged(decoded: Decoded, track: Soundtrack, placing: Placing, packets: Packets) -> Decoded:
    """Refuses what is mostly missing, and says of the rest what is not whole.

    A gap in a file without a fault is a pause: who was muted sends nothing."""
    if track.seconds == 0:
        raise bad_media("no sound could be decoded")
    decoded.seconds, decoded.channels, decoded.gaps = track.seconds, track.channels, placing.gaps
    bad = packets.bad + track.bad
    if bad or packets.complaints or not decoded.format.startswith(_PAUSING):
        decoded.missing += placing.lost
    cut_off = (decoded.declared_seconds or 0.0) - decoded.seconds
    if cut_off > _PADDING_S:
        decoded.missing += cut_off
        decoded.gaps.append((decoded.seconds, decoded.seconds + cut_off))
    if decoded.coverage < _LEAST_COVERAGE or (bad * 2 > packets.total and bad > 1):
        heard = decoded.coverage * max(decoded.seconds, decoded.declared_seconds or 0.0)
        raise bad_media(f"only {heard:.1f} s of it could be decoded")
    if decoded.coverage < _FULL_COVERAGE:
        decoded.warnings.append("partial_audio")
    if bad or packets.complaints:
        decoded.warnings.append("bad_packets")
    if placing.jumps:
        decoded.warnings.append("timestamps_jump")
    decoded.gaps = [(round(a, 3), round(b, 3)) for a, b in decoded.gaps[:_LISTED]]
    return decoded


class _Channels:
    """The file of each channel: `target` for the first, with a number for the others."""

    def __init__(self, target: Path, files: ExitStack) -> None:
        self._target = target
        self._files = files

    def __call__(self, number: int) -> BinaryIO:
        return self._files.enter_context(_numbered(self._target, number).open("wb"))


def _numbered(target: Path, number: int) -> Path:
    return target.with_name(f"{target.name}.{number}") if number else target


def _append(target: Path, numbers: range) -> None:
    with target.open("ab") as whole:
        for number in numbers:
            with _numbered(target, number).open("rb") as channel:
                shutil.copyfileobj(channel, whole, 1 << 20)
            _numbered(target, number).unlink()


class _Nameless:
    """An open file without its name."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


def _zero(container: Any) -> float | None:
    """Where the file begins, by its own timestamps: with its pictures, if they come first."""
    return None if container.start_time is None else container.start_time / av.time_base


def _declared_seconds(container: Any, stream: Any, file: BinaryIO) -> float | None:
    """What the container promises of this stream; None where FFmpeg could only guess, or where
    it speaks of the pictures."""
    name = container.format.name
    if name in _GUESSED or (name == "mp3" and not headers.mp3_counts_its_frames(file)):
        return None
    if promised := headers.seconds(file):
        return promised
    if stream.duration and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    written = headers.clock(stream.metadata.get("DURATION", ""))
    if written is None and not container.streams.video and container.duration:
        written = float(container.duration) / av.time_base
    if written is not None and name.startswith("matroska"):  # which counts from its own zero
        written -= max(0.0, _zero(container) or 0.0)
    return written
