"""Media to 16 kHz mono s16le PCM, packet by packet, within a budget; runs in the decoder child.

A bad packet costs itself, never the rest of the file, and what is missing at the end is measured.
Memory does not grow with duration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from services.model.errors import FailureClass, JobFailed
from whisper_worker import headers

RATE = 16_000
_GROUP = 400_000  # samples that are resampled at once
_LEAST_COVERAGE = 0.5
_FULL_COVERAGE = 0.98
_PADDING_S = 0.25  # what encoders add or trim at the ends is no loss
_PATIENCE = 100  # broken reads in a row before the rest is given up

# Containers that hold sound themselves. Playlists, concat scripts and network formats, which
# name other files, are not among them.
FORMATS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,matroska,webm,"
    "mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,ogg,oma,rm,tta,voc,w64,wav,wv"
)
_NO_PROTOCOL = "none"  # the file is handed over open; nothing may be opened by name


@dataclass(slots=True)
class Decoded:
    """What came out. `declared_seconds` is what the container promises, where it does."""

    format: str
    declared_seconds: float | None
    seconds: float = 0.0
    bad_packets: int = 0
    packets: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """Decoded ÷ declared, 1 where nothing is declared."""
        declared = self.declared_seconds
        if not declared or self.seconds + _PADDING_S >= declared:
            return 1.0
        return round(self.seconds / declared, 4)


def decode(
    source: Path, target: Path, max_seconds: float, tell: Callable[[float], None]
) -> Decoded:
    """Writes the PCM to `target`; `tell` hears how far it is (0…1).

    `max_seconds` 0 is no limit. Raises JobFailed(permanent): `empty_file`, `bad_media`,
    `no_audio_stream`, `audio_too_long`.
    """
    if source.stat().st_size == 0:
        raise refusal("empty_file", "The file is empty: upload it again.")
    with source.open("rb") as file, target.open("wb") as out:
        try:
            return _decode(file, out, max_seconds, tell)
        except (av.FFmpegError, IndexError, ValueError) as error:
            raise _bad_media(str(error)) from error


def refusal(code: str, message: str) -> JobFailed:
    return JobFailed(FailureClass.PERMANENT, code, message)


def _bad_media(reason: str) -> JobFailed:
    return refusal(
        "bad_media",
        f"This is not a sound or video file that can be read ({reason}): convert it to WAV, MP3, "
        "M4A, FLAC, OGG or WebM and upload it again.",
    )


def _decode(
    file: BinaryIO, out: BinaryIO, max_seconds: float, tell: Callable[[float], None]
) -> Decoded:
    options = {"format_whitelist": FORMATS, "protocol_whitelist": _NO_PROTOCOL}
    # Without a name: PyAV would hand it to FFmpeg, which looks at suffixes.
    with av.open(_Nameless(file), mode="r", container_options=options) as container:
        if not container.streams.audio:
            raise refusal("no_audio_stream", "The file has no sound in it: nothing to transcribe.")
        stream: Any = container.streams.best("audio") or container.streams.audio[0]
        declared = _declared_seconds(container, stream, file)
        if max_seconds and declared and declared > max_seconds + 1:
            raise _too_long(max_seconds)
        decoded = Decoded(container.format.name, declared)
        sink = _Sink(out, max_seconds, lambda s: tell(min(1.0, s / declared) if declared else 0.0))
        clean = _Cleaner(decoded) if stream.codec_context.name.startswith("pcm_f") else None
        for frame in _frames(container, stream, decoded):
            sink.take(clean(frame) if clean else frame)
        sink.finish()
    return _judged(decoded, sink)


def _judged(decoded: Decoded, sink: _Sink) -> Decoded:
    """Refuses what is mostly missing, and says of the rest what is not whole."""
    decoded.seconds = sink.seconds
    decoded.bad_packets += sink.bad
    if sink.seconds == 0:
        raise _bad_media("no sound could be decoded")
    mostly_bad = decoded.bad_packets * 2 > decoded.packets and decoded.bad_packets > 1
    if decoded.coverage < _LEAST_COVERAGE or mostly_bad:
        raise _bad_media(f"only {decoded.seconds:.1f} s of it could be decoded")
    if decoded.coverage < _FULL_COVERAGE:
        decoded.warnings.append("partial_audio")
    if decoded.bad_packets:
        decoded.warnings.append("bad_packets")
    return decoded


def _frames(container: Any, stream: Any, decoded: Decoded) -> Iterator[AudioFrame]:
    broken = 0
    while broken < _PATIENCE:
        try:
            for packet in container.demux(stream):
                decoded.packets += 1
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    decoded.bad_packets += 1
                    continue
                broken = 0
                yield from frames
        except av.FFmpegError:
            decoded.bad_packets += 1
            broken += 1
        else:
            return


class _Sink:
    """Resamples frames in groups and writes them, up to the budget."""

    def __init__(self, out: BinaryIO, max_seconds: float, tell: Callable[[float], None]) -> None:
        self._out = out
        self._max_seconds = max_seconds
        self._tell = tell
        self._samples = 0
        self.bad = 0
        self._begin()

    @property
    def seconds(self) -> float:
        return self._samples / RATE

    def take(self, frame: AudioFrame) -> None:
        frame.pts = None
        try:
            self._fifo.write(frame)
        except ValueError:  # the stream changed its rate or channels on the way
            self.finish()
            self._begin()
            self._fifo.write(frame)
        if self._fifo.samples >= _GROUP:
            self._write(self._fifo.read())

    def finish(self) -> None:
        if self._fifo.samples:
            self._write(self._fifo.read())
        self._write(None)

    def _begin(self) -> None:
        self._fifo = AudioFifo()
        self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE)

    def _write(self, frame: AudioFrame | None) -> None:
        try:
            pieces = self._resampler.resample(frame)
        except (av.FFmpegError, ValueError):
            self.bad += 1
            return
        for piece in pieces:
            samples = piece.to_ndarray().reshape(-1)
            self._out.write(samples.astype("<i2", copy=False).tobytes())
            self._samples += len(samples)
        if self._max_seconds and self.seconds > self._max_seconds + 1:
            raise _too_long(self._max_seconds)
        self._tell(self.seconds)


class _Cleaner:
    """Float recordings may hold NaN and infinity, which would become the loudest noise."""

    def __init__(self, decoded: Decoded) -> None:
        self._decoded = decoded

    def __call__(self, frame: AudioFrame) -> AudioFrame:
        samples = frame.to_ndarray()
        if np.isfinite(samples).all():
            return frame
        if "cleaned_samples" not in self._decoded.warnings:
            self._decoded.warnings.append("cleaned_samples")
        finite = np.nan_to_num(samples.astype(np.float32), posinf=0.0, neginf=0.0)
        clean = AudioFrame.from_ndarray(
            finite, "fltp" if frame.format.is_planar else "flt", frame.layout.name
        )
        clean.sample_rate = frame.sample_rate
        return clean


class _Nameless:
    """An open file without its name."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


def _declared_seconds(container: Any, stream: Any, file: BinaryIO) -> float | None:
    """What the container promises of this stream; None where FFmpeg could only guess, or where
    it speaks of the pictures."""
    name = container.format.name
    if name in {"aac", "mpeg", "mpegts"} or (
        name == "mp3" and not headers.mp3_counts_its_frames(file)
    ):
        return None
    promised = headers.wav_seconds(file) if name == "wav" else None
    if promised is not None:
        return promised
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    written = headers.clock(stream.metadata.get("DURATION", ""))
    if written is not None or container.streams.video or container.duration is None:
        return written
    return float(container.duration) / av.time_base


def _too_long(max_seconds: float) -> JobFailed:
    return refusal(
        "audio_too_long",
        f"The recording is longer than {max_seconds:.0f} s, which is the most this server takes: "
        "cut it into shorter files.",
    )
