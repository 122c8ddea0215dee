"""Media of every kind made by PyAV, of a sound that tells the time: each second has its own tone.

So what comes out shows by itself from which second it is, and the truth about a file is known from
how it was made.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

SECONDS = 12.0
_LOWEST, _STEP = 300.0, 80.0  # Hz of the first second, and more for each that follows
_LOUD = 0.4

Samples = np.ndarray[Any, np.dtype[np.float32]]


def hertz(second: int) -> float:
    return _LOWEST + _STEP * second


def stairs(rate: int, seconds: float = SECONDS) -> Samples:
    """A tone for each second, faded in and out so that no codec stumbles over the step."""
    moments = np.arange(round(seconds * rate)) / rate
    whole, part = np.divmod(moments, 1.0)
    fade = np.clip(np.minimum(part, 1.0 - part) * 50, 0.0, 1.0)
    return (_LOUD * fade * np.sin(2 * np.pi * (_LOWEST + _STEP * whole) * part)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Made:
    """How a file is made: muxer, encoder and what they are told. `skip` are stretches whose packets
    are never written, `start` is the timestamp of the first one; `pictures` come from 0 on."""

    suffix: str
    muxer: str
    codec: str
    rate: int = 48_000
    layout: str = "mono"
    bit_rate: int = 0
    seconds: float = SECONDS
    start: float = 0.0
    skip: Sequence[tuple[float, float]] = ()
    pictures: bool = False
    options: dict[str, str] = field(default_factory=dict)  # of the encoder
    muxing: dict[str, str] = field(default_factory=dict)  # of the muxer


def write(path: Path, made: Made, samples: Samples | None = None) -> Path:
    """The file; `samples` (channels × moments) instead of the stairs."""
    channels = av.AudioLayout(made.layout).nb_channels
    if samples is None:
        samples = np.tile(stairs(made.rate, made.seconds), (channels, 1))
    with av.open(str(path), "w", format=made.muxer, options=made.muxing) as container:
        picture = _picture_stream(container) if made.pictures else None
        stream: Any = container.add_stream(
            made.codec, rate=made.rate, layout=made.layout, options=made.options
        )
        context = stream.codec_context
        context.format = context.codec.audio_formats[0]
        if made.bit_rate:
            context.bit_rate = made.bit_rate
        context.open()
        if picture is not None:
            _film(container, picture, made.start + made.seconds)
        for piece in _pieces(samples, made, context):
            _mux(container, stream.encode(piece), made.skip)
        _mux(container, stream.encode(None), made.skip)
    return path


def _pieces(samples: Samples, made: Made, context: Any) -> list[av.AudioFrame]:
    packed = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=made.layout)
    frame.sample_rate = made.rate
    size = context.frame_size or 1024
    resampler = av.AudioResampler(context.format, made.layout, made.rate, frame_size=size)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    position = round(made.start * made.rate)
    for piece in pieces:
        piece.pts, piece.time_base = position, Fraction(1, made.rate)
        position += piece.samples
    return pieces


def _mux(container: Any, packets: Sequence[Any], skip: Sequence[tuple[float, float]]) -> None:
    for packet in packets:
        moment = float((packet.pts or 0) * packet.time_base)
        if not any(start <= moment < end for start, end in skip):
            container.mux(packet)


def _picture_stream(container: Any) -> Any:
    codec = {"mpeg": "mpeg1video", "mpegts": "mpeg1video", "flv": "flv"}
    stream: Any = container.add_stream(codec.get(container.format.name, "mpeg4"), rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    return stream


def _film(container: Any, stream: Any, seconds: float) -> None:
    for number in range(round(seconds * 25)):
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        frame.pts = number
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_film(path: Path, muxer: str) -> Path:
    """Pictures without a sound."""
    with av.open(str(path), "w", format=muxer) as container:
        _film(container, _picture_stream(container), 1.0)
    return path


def write_wav(path: Path, samples: Samples, rate: int) -> Path:
    """Channels × moments in 16 bits, of any number, without names."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.T * 32_767).astype("<i2").tobytes())
    return path


def packets(path: Path) -> list[tuple[int, int, float, float]]:
    """Where each packet of sound lies in a whole file (first byte, end) and in time (start, end).

    Of containers that put several into a page, a packet ends where the next page begins.
    """
    found = []
    with av.open(str(path)) as container:
        for packet in container.demux(audio=0):
            if packet.pos is not None and packet.size and packet.pts is not None:
                start = float(packet.pts * packet.time_base)
                length = float((packet.duration or 0) * packet.time_base)
                found.append((packet.pos, packet.pos + packet.size, start, start + length))
    begins = sorted({first for first, *_ in found})
    after = dict(zip(begins, [*begins[1:], path.stat().st_size], strict=True))
    return [(first, max(end, after[first]), a, b) for first, end, a, b in found]
