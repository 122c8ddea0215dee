"""Media made by PyAV for the tests: a tone, in any container, whole or broken."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 48_000

FORMATS = {
    ".wav": ("pcm_s16le", "s16"),
    ".mp3": ("libmp3lame", "s16p"),
    ".m4a": ("aac", "fltp"),
    ".flac": ("flac", "s16"),
    ".ogg": ("libopus", "flt"),
    ".webm": ("libopus", "flt"),
}


def tone(seconds: float, hertz: float = 440.0) -> np.ndarray[Any, np.dtype[np.float32]]:
    moments = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)


def write_audio(path: Path, seconds: float = 4.0, *, channels: int = 2) -> Path:
    codec, sample_format = FORMATS[path.suffix]
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=RATE, layout=layout, format=sample_format)
        samples = np.tile(tone(seconds), (channels, 1))
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate = RATE
        resampler = av.AudioResampler(sample_format, layout, RATE, frame_size=stream.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def write_float_wav(path: Path, samples: np.ndarray[Any, np.dtype[np.float32]]) -> Path:
    with av.open(str(path), "w", format="wav") as container:
        stream: Any = container.add_stream("pcm_f32le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_silent_film(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(10):
            picture = np.zeros((64, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def damaged(path: Path, *, at: float, length: int) -> Path:
    """The file with garbage over `length` bytes from the fraction `at` on."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * at)
    data[start : start + length] = np.random.default_rng(1).bytes(length)
    path.write_bytes(data)
    return path


def truncated(path: Path, keep: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


def write_wav(
    path: Path, samples: np.ndarray[Any, np.dtype[np.float32]], rate: int = 16_000
) -> Path:
    """Channels × moments, of any number."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples.T * 32_767).astype("<i2").tobytes())
    return path
