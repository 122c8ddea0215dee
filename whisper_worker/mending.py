"""Samples that would spoil a recording: those that are no numbers, and channels that cancel each
other out when they are mixed."""

from __future__ import annotations

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

_BLOCKS_A_SECOND = 2
_CANCELLED = 0.2  # a mix below this share of what the loudest channel alone would give
_AUDIBLE = 1e-6  # power of a sample; -60 dB

Samples = NDArray[np.float32]  # channels × moments


class Mender:
    """Mends what is to be mixed, or (`mixes` false) kept apart, and says so in `warnings`."""

    def __init__(self, warnings: list[str], *, mixes: bool) -> None:
        self._warnings = warnings
        self._mixes = mixes
        self._packer: tuple[object, AudioResampler] | None = None

    def __call__(self, frame: AudioFrame) -> AudioFrame:
        floats = frame.format.name.rstrip("p") in {"flt", "dbl"}
        several = self._mixes and frame.layout.nb_channels > 1
        if not floats and not several:
            return frame
        samples = given = self._samples(frame)
        if floats and not np.isfinite(samples).all():
            samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0)
            self._warn("cleaned_samples")
        if several and (blocks := cancelled(_voices(frame, samples), frame.sample_rate)):
            samples = _loudest_instead(samples, _voices(frame, samples), blocks)
            self._warn("channels_cancel")
        if several and not _named(frame):  # FFmpeg would take some for low frequencies
            return _frame(samples.mean(axis=0, keepdims=True), "mono", frame.sample_rate)
        return frame if samples is given else _frame(samples, frame.layout.name, frame.sample_rate)

    def _samples(self, frame: AudioFrame) -> Samples:
        """As floats; FFmpeg packs them, for PyAV miscounts the planes of eight channels."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._packer is None or self._packer[0] != kind:
            self._packer = (
                kind,
                AudioResampler(format="flt", layout=frame.layout.name, rate=frame.sample_rate),
            )
        pieces = [piece.to_ndarray().reshape(-1) for piece in self._packer[1].resample(frame)]
        packed = np.concatenate(pieces).astype(np.float32, copy=False)
        return packed.reshape(-1, frame.layout.nb_channels).T

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)


def cancelled(voices: Samples, rate: int) -> list[tuple[int, int]]:
    """The stretches of half a second in which next to nothing is left of a mix."""
    starts = np.arange(0, voices.shape[1], max(1, rate // _BLOCKS_A_SECOND))
    lengths = np.diff(starts, append=voices.shape[1])
    mix = np.add.reduceat(np.square(voices.mean(axis=0)), starts)
    loudest = np.add.reduceat(np.square(voices), starts, axis=1).max(axis=0)
    gone = (mix < loudest * (_CANCELLED / len(voices)) ** 2) & (loudest > _AUDIBLE * lengths)
    ends = starts + lengths
    return [(int(starts[i]), int(ends[i])) for i in np.flatnonzero(gone)]


def _loudest_instead(given: Samples, voices: Samples, blocks: list[tuple[int, int]]) -> Samples:
    loudest = voices[int(np.square(voices).sum(axis=1).argmax())]
    samples = given.copy()
    for start, end in blocks:
        samples[:, start:end] = loudest[start:end]
    return samples


def _voices(frame: AudioFrame, samples: Samples) -> Samples:
    """Without the low frequencies of a cinema, which no mix has."""
    kept = [i for i, channel in enumerate(frame.layout.channels) if channel.name != "LFE"]
    return samples[kept] if kept and len(kept) < len(samples) else samples


def _named(frame: AudioFrame) -> bool:
    return any(channel.name != "NONE" for channel in frame.layout.channels)


def _frame(samples: Samples, layout: str, rate: int) -> AudioFrame:
    packed = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
    made = AudioFrame.from_ndarray(packed, format="flt", layout=layout)
    made.sample_rate = rate
    return made
