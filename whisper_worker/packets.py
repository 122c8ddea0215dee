"""The frames of a stream, packet by packet: a bad one costs itself, never the rest of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
from av.audio.frame import AudioFrame

_PATIENCE = 100  # broken reads in a row before the rest is given up
_COUNTED = 0.1  # a bad packet that stands for no more than this is told by its timestamp
# Streams that say no time themselves: FFmpeg counts packets, and knows nothing of what is lost.
_WITHOUT_TIMES = frozenset({"aac", "ac3", "dts", "eac3", "loas", "mp3"})
# Decoders that take a wrong checksum for right unless they are told to look; others then repeat
# what was before, which is worse than what they make of the damage.
_SILENT_ABOUT_SUMS = frozenset({"tta", "wavpack"})
_TAGS = (b"ID3", b"APETAGEX", b"LYRICS")  # which are no sound


class Packets:
    """Demuxes and decodes one stream. `bad` of `total` packets gave nothing or broke off a read,
    and `complaints` is how often FFmpeg said that something is wrong with the sound."""

    def __init__(self, container: Any, stream: Any) -> None:
        codec = stream.codec_context.codec.name
        if codec in _SILENT_ABOUT_SUMS:
            stream.codec_context.options = {"err_detect": "crccheck"}
        self._container = container
        self._stream = stream
        self._names = {container.format.name, codec}
        self._counts = container.format.name in _WITHOUT_TIMES
        self._plain = codec.startswith("pcm_")
        self._good_bytes = 0
        self._good_seconds = 0.0
        self._shift = 0.0
        self._rate = stream.codec_context.sample_rate
        self.total = 0
        self.bad = 0
        self.complaints = 0
        self.end = 0  # of the last packet, in bytes

    def frames(self) -> Iterator[tuple[AudioFrame, float | None]]:
        """Each with its timestamp in seconds, where there is one."""
        broken = 0
        with av.logging.Capture() as log:
            while broken < _PATIENCE:
                try:
                    for packet in self._container.demux(self._stream):
                        frames = self._decoded(packet)
                        self._listen(log)
                        broken = 0 if frames else broken
                        yield from ((each, self._moment(each)) for each in frames)
                except IndexError:  # PyAV's word for a stream that was not there at the beginning
                    broken += 1
                except av.FFmpegError:
                    self.bad += 1
                    broken += 1
                else:
                    self._listen(log)
                    return

    def _decoded(self, packet: Any) -> list[AudioFrame]:
        self.total += 1
        # Of bare samples FFmpeg marks the last packet where the header leaves the length open.
        self.complaints += packet.is_corrupt and not self._plain
        if packet.pos is not None:
            self.end = packet.pos + packet.size
        try:
            frames: list[AudioFrame] = packet.decode()
        except av.FFmpegError:
            self.bad += 1
            self._pass_over(packet)
            return []
        self._good_bytes += packet.size
        self._good_seconds += _seconds(packet)
        return frames

    def _pass_over(self, packet: Any) -> None:
        """What did not decode is as long as so many bytes are in the mean."""
        if not self._counts or any(tag in bytes(packet) for tag in _TAGS):
            return
        more = self.seconds_of(packet.size) - _seconds(packet)
        if more > _COUNTED:
            self._shift += more

    def seconds_of(self, size: int) -> float:
        """How long so many bytes of this stream are."""
        return size * self._good_seconds / self._good_bytes if self._good_bytes else 0.0

    def _moment(self, frame: AudioFrame) -> float | None:
        if frame.time is None or (self._counts and frame.sample_rate != self._rate):
            return None  # FFmpeg counts on at the rate of the beginning
        return frame.time + self._shift

    def _listen(self, log: list[tuple[int, str, str]]) -> None:
        """Pictures may be as broken as they like."""
        if log:
            self.complaints += sum(name in self._names for _, name, _ in log)
            log.clear()


def _seconds(packet: Any) -> float:
    return float(packet.duration * packet.time_base) if packet.duration else 0.0
