"""Resamples what is decoded to 16 kHz s16le and writes it: as one mix, or every channel into a file
of its own; never more than the budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from services.model.errors import FailureClass, JobFailed
from whisper_worker.mending import Mender

RATE = 16_000
MOST_CHANNELS = 8
_GROUP = 400_000  # samples that are resampled at once
_QUIET = np.zeros(10 * RATE, "<i2")  # written at once

Tell = Callable[[float], None]


class Soundtrack:
    """`open_file` gives the file of each channel, or number 0 for the mix. `channels` are the names
    of those that are kept apart, known once the first frame is there."""

    def __init__(
        self,
        open_file: Callable[[int], BinaryIO],
        max_seconds: float,
        warnings: list[str],
        tell: Tell,
        *,
        apart: bool,
    ) -> None:
        self._open_file = open_file
        self._files: list[BinaryIO] = []
        self._max_seconds = max_seconds
        self._tell = tell
        self._apart = apart
        self._mend = Mender(warnings, mixes=not apart)
        self._layout = "mono"
        self._samples = 0
        self.channels: list[str] = []
        self.bad = 0
        self._begin()

    @property
    def seconds(self) -> float:
        return self._samples / RATE

    def take(self, frame: AudioFrame, silence_until: float = 0.0) -> None:
        """Writes silence up to that moment first. Raises JobFailed(permanent)
        `too_many_channels`, `audio_too_long`."""
        if frame.layout.nb_channels > MOST_CHANNELS:  # PyAV cannot hold them safely
            raise JobFailed(
                FailureClass.PERMANENT,
                "too_many_channels",
                f"The sound has more than {MOST_CHANNELS} channels: mix it down, or send "
                "groups of channels as files of their own.",
            )
        if not self._files:
            self._open(frame)
        if silence_until:
            self._rest(silence_until)
        frame.pts = None
        try:
            self._fifo.write(frame)
        except ValueError:  # the stream changed its rate or channels on the way
            self._flush()
            self._begin()
            self._fifo.write(frame)
        if self._fifo.samples >= _GROUP:
            self._write(self._fifo.read())

    def finish(self) -> None:
        """What is still held back; less than a sample of ours counts as one."""
        self._flush()
        if self._files and not self._samples:
            self._keep(_QUIET[:1].reshape(1, 1).repeat(len(self._files), axis=0))

    def _flush(self) -> None:
        if self._fifo.samples:
            self._write(self._fifo.read())
        self._write(None)

    def _open(self, frame: AudioFrame) -> None:
        if self._apart:
            self._layout = frame.layout.name
            names = [channel.name for channel in frame.layout.channels]
            self.channels = ["" if name == "NONE" else name for name in names]
        self._files = [self._open_file(number) for number in range(max(1, len(self.channels)))]
        self._begin()

    def _rest(self, until: float) -> None:
        self._flush()
        self._begin()
        while (missing := round(until * RATE) - self._samples) > 0:
            self._keep(np.tile(_QUIET[:missing], (len(self._files), 1)))

    def _begin(self) -> None:
        self._fifo = AudioFifo()
        self._resampler = AudioResampler(format="s16", layout=self._layout, rate=RATE)

    def _write(self, frame: AudioFrame | None) -> None:
        try:
            pieces = self._resampler.resample(self._mend(frame) if frame else None)
        except (av.FFmpegError, ValueError):
            self.bad += 1
            return
        for piece in pieces:
            packed = piece.to_ndarray().astype("<i2", copy=False)
            self._keep(packed.reshape(-1, len(self._files)).T)

    def _keep(self, samples: NDArray[Any]) -> None:
        """Writes channels × moments."""
        for file, channel in zip(self._files, samples, strict=True):
            file.write(channel.tobytes())
        self._samples += samples.shape[1]
        check_length(self.seconds * len(self._files), self._max_seconds)
        self._tell(self.seconds)


def check_length(seconds: float, most: float) -> None:
    """Raises JobFailed(permanent) `audio_too_long`; `most` 0 is no limit."""
    if most and seconds > most + 1:
        raise JobFailed(
            FailureClass.PERMANENT,
            "audio_too_long",
            f"The recording is longer than {most:.0f} s, which is the most this server takes "
            "(channels that are heard apart count each): cut it into shorter files.",
        )
