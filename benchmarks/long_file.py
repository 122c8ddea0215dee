"""What memory a file of ten hours takes over one of ten minutes: `python -m benchmarks.long_file`.

With `--codec mp3` or `opus` the files are compressed, so that decoding them is looked at too.

Starts a stack of its own with the demo models. All that it started is looked at four times a
second; what is compared is the most that all of it held at any one time. Before that every child
gets something to do, so that each has its model.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import threading
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import av
import numpy as np

from benchmarks.faults.process import command, descendants, usage
from benchmarks.one_machine import spoken, stack
from demo.speech import write_wav
from services.client.calls.submitting import Item
from services.client.client import Fanscribe

GOAL_MB = 150.0
SHORT_S = 600.0
_LOOK_EVERY_S = 0.25
_TEXT = "The red house stands beside the old bridge."
_TEXTS = 400
_CODECS = {".mp3": "libmp3lame", ".opus": "libopus"}
_SHOWN = 60  # characters of a command line


@dataclass
class Peak:
    """The most that a family of processes held, all together and each, in MB; looked at by a
    thread of its own."""

    pid: int
    most: float = 0.0
    each: dict[int, float] = field(default_factory=dict)
    commands: dict[int, str] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            family = [self.pid, *descendants(self.pid)]
            held = {pid: usage(pid)[0] / 1024 for pid in family}
            self.most = max(self.most, sum(held.values()))
            self.commands |= {pid: command(pid) for pid in held.keys() - self.commands.keys()}
            self.each |= {pid: max(mb, self.each.get(pid, 0.0)) for pid, mb in held.items()}


def repeat(short: Path, long: Path, seconds: float) -> None:
    """The short file again and again, for exactly so long."""
    with wave.open(str(short), "rb") as given, wave.open(str(long), "wb") as made:
        made.setparams(given.getparams())
        frames = given.readframes(given.getnframes())
        left = int(seconds * given.getframerate()) * given.getsampwidth()
        while left > 0:
            made.writeframes(frames[:left])
            left -= min(left, len(frames))


def compress(wav: Path, made: Path) -> Path:
    """As the suffix says, a second at a time."""
    with wave.open(str(wav), "rb") as given, av.open(str(made), "w") as container:
        rate = given.getframerate()
        stream: Any = container.add_stream(_CODECS[made.suffix], rate=rate, layout="mono")
        resampler = av.AudioResampler(
            stream.codec_context.codec.audio_formats[0], "mono", rate, stream.frame_size or 1152
        )
        while data := given.readframes(rate):
            frame = av.AudioFrame.from_ndarray(
                np.frombuffer(data, "<i2").reshape(1, -1), format="s16", layout="mono"
            )
            frame.sample_rate = rate
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return made


def hear(api: Fanscribe, file: Path, copies: int) -> float:
    """Sends it and waits until all is heard and translated; the seconds that it took."""
    sent = api.upload(file)
    return work(api, [Item(sent, text_id=str(n)) for n in range(copies)])


def work(api: Fanscribe, items: list[Item]) -> float:
    began = time.monotonic()
    seen = api.wait(api.submit(*items, targets=["zh"], language="en"), slowest_s=1.0)
    if seen.state != "succeeded" or seen.warnings:
        raise SystemExit(f"a task ended as {seen.state}, {seen.warnings}")
    return time.monotonic() - began


def main() -> None:
    """Exits with 1 when the difference is over the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--codec", choices=["wav", "mp3", "opus"], default="wav")
    options = parser.parse_args()
    slots = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        short, long = Path(name) / "short.wav", Path(name) / "long.wav"
        write_wav(short, spoken(SHORT_S, 1, random.Random(1)))
        repeat(short, long, options.hours * 3600)
        if options.codec != "wav":
            short, long = (compress(f, f.with_suffix(f".{options.codec}")) for f in (short, long))
        with stack(Path(name), models="demo") as up, Fanscribe(up.url) as api:
            hear(api, short, slots)
            work(api, [Item(text=_TEXT, text_id=str(n)) for n in range(_TEXTS)])
            peaks = {}
            for file, copies in ((short, slots), (long, 1)):
                with Peak(up.pid) as peak:
                    took = hear(api, file, copies)
                peaks[file] = peak
                print(f"{file.stem}: {took:.0f} s, {peak.most:.0f} MB at most", flush=True)
    for pid, most in sorted(peaks[long].each.items()):
        before = peaks[short].each.get(pid, 0.0)
        print(f"  {most:6.0f} MB, {most - before:+5.0f}: {peaks[long].commands[pid][-_SHOWN:]}")
    more = peaks[long].most - peaks[short].most
    print(f"{options.hours:g} h over {SHORT_S / 60:.0f} min: {more:+.0f} MB")
    print(f"goal: {GOAL_MB:+.0f} MB")
    raise SystemExit(0 if more <= GOAL_MB else 1)


if __name__ == "__main__":
    main()
