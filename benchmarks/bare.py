"""Whether the service hears what a bare faster-whisper hears: `python -m benchmarks.bare`.

Clips and a long talk in each language the demo model knows go through a stack of its own, and
through faster-whisper alone with the same model and options: as they are, with its own search for
speech, and window by window as the service cuts them. Each difference is shown, and which of the
two is nearer to what was said. Windows that are cut alike must give the same words.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

import demo
from benchmarks.one_machine import stack
from benchmarks.talks import Talk, differences, talk, words
from demo.speech import Audio, write_audio
from services.client.calls.submitting import Item
from services.client.client import Fanscribe
from services.model.transcript import join_texts
from services.model.voiced import within
from whisper_worker.segmenter import spans
from whisper_worker.timeline import RATE
from whisper_worker.voice import WINDOW, probabilities
from whisper_worker.windows import Sound, dips, plan

_MODEL = Path(demo.__file__).parent / "models" / "whisper-demo"
_NOISE_DB = (20, 40)  # below the speech, in every second clip
_SHOWN = 12
_PART_S = 300


@dataclass
class Row:
    """One way to hear a set of talks."""

    name: str
    heard: list[str] = field(default_factory=list)

    def rate(self, talks: Sequence[Talk]) -> float:
        """Of all of them together: errors over what was said."""
        lengths = [len(words(each.text, each.language)) for each in talks]
        wrong = sum(
            each.rate(text) * length
            for each, text, length in zip(talks, self.heard, lengths, strict=True)
        )
        return wrong / sum(lengths)


def clips(language: str, count: int) -> list[Talk]:
    """Of 5 to 25 seconds, every second one with noise."""
    chance = random.Random(f"bare/{language}")
    found = []
    for number in range(count):
        made = talk(language, chance.uniform(5, 25), 100 + number)
        found.append(_noisy(made, chance) if number % 2 else made)
    return found


def _noisy(given: Talk, chance: random.Random) -> Talk:
    level = float(np.sqrt(np.mean(given.audio**2))) * 10 ** (-chance.uniform(*_NOISE_DB) / 20)
    source = np.random.default_rng(chance.getrandbits(32))
    noise = source.standard_normal(len(given.audio), dtype=np.float32) * np.float32(level)
    audio: Audio = given.audio + noise
    return Talk(given.language, audio, given.text)


def by_service(talks: Sequence[Talk], folder: Path) -> list[str]:
    """All of them as the items of one task."""
    with stack(folder, models="demo") as up, Fanscribe(up.url) as api:
        items = []
        for number, each in enumerate(talks):
            write_audio(folder / f"{number}.flac", each.audio)
            items.append(Item(folder / f"{number}.flac", language=each.language))
        task = api.submit(*items, targets=[talks[0].language])
        seen = api.wait(task, slowest_s=1.0)
        if seen.state != "succeeded":
            raise SystemExit(f"the task ended as {seen.state}")
        return [api.transcript(task, str(number)).text for number in range(len(talks))]


def by_hand(model: WhisperModel, each: Talk, **options: Any) -> str:
    """As the service asks it: five readings, nothing carried over from window to window."""
    return _asked(model, _pcm(each), each.language, **options)


def by_windows(model: WhisperModel, each: Talk, folder: Path) -> str:
    """What it hears in the windows that the service would show it."""
    pcm, file = _pcm(each), folder / "pcm"
    file.write_bytes(pcm.tobytes())
    total = len(pcm)
    found = probabilities(file, lambda _: None, 0, total)
    speech = spans(found, window=WINDOW, total=total)
    sound = Sound(speech, dips(found, window=WINDOW, total=total), total)
    heard = []
    for start, end, _ in plan(sound, _PART_S * RATE):
        if stretches := within(speech, start, end):
            samples = np.concatenate([pcm[a:b] for a, b in stretches])
            heard.append(_asked(model, samples, each.language))
    return join_texts(heard, each.language)


def _pcm(each: Talk) -> NDArray[np.int16]:
    return (np.clip(each.audio, -1, 1) * 32767).astype("<i2")


def _asked(model: WhisperModel, pcm: NDArray[np.int16], language: str, **options: Any) -> str:
    segments, _ = model.transcribe(
        pcm.astype(np.float32) / np.float32(32768),
        language=language,
        beam_size=5,
        condition_on_previous_text=False,
        no_speech_threshold=None,
        **options,
    )
    return join_texts((segment.text for segment in segments), language)


def compared(name: str, talks: Sequence[Talk], model: WhisperModel, folder: Path) -> bool:
    """Prints the rates and each difference; whether the same windows gave the same words."""
    ways: dict[str, Callable[[], list[str]]] = {
        "bare": lambda: [by_hand(model, each) for each in talks],
        "bare, its own VAD": lambda: [by_hand(model, each, vad_filter=True) for each in talks],
        "bare, same windows": lambda: [by_windows(model, each, folder) for each in talks],
        "service": lambda: by_service(talks, folder),
    }
    rows = [Row(name, hear()) for name, hear in ways.items()]
    minutes = sum(each.seconds for each in talks) / 60
    print(f"{name}: {len(talks)} files, {minutes:.1f} min", flush=True)
    for row in rows:
        print(f"  {row.name:18} {row.rate(talks):7.2%}")
    for row in rows[:-1]:
        _explain(row, rows[-1], talks)
    return rows[-2].heard == rows[-1].heard


def _explain(bare: Row, service: Row, talks: Sequence[Talk]) -> None:
    for number, each in enumerate(talks):
        one, other = bare.heard[number], service.heard[number]
        found = differences(words(one, each.language), words(other, each.language))
        if found:
            better = each.rate(other) - each.rate(one)
            verdict = "equally wrong" if not better else "service" if better < 0 else bare.name
            print(f"  {bare.name} → service, file {number}: nearer to what was said: {verdict}")
            for line in found[:_SHOWN]:
                print(f"    {line}")


def main() -> None:
    """Exits with 1 where the same windows gave other words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    model = WhisperModel(str(_MODEL), device="cpu", compute_type="default", cpu_threads=1)
    others = []
    for language in ("en", "zh"):
        sets = {
            f"{language}, clips": clips(language, options.clips),
            f"{language}, one talk": [talk(language, options.minutes * 60, 7)],
        }
        for name, talks in sets.items():
            with tempfile.TemporaryDirectory() as folder:
                if not compared(name, talks, model, Path(folder)):
                    others.append(name)
    raise SystemExit(f"other words: {', '.join(others)}" if others else 0)


if __name__ == "__main__":
    main()
