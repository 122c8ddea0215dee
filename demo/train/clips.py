"""Speak the training sentences once and keep them with the time of every word.

``python -m demo.train.clips --out clips --count 8000`` speaks so many sentences of each language
into shards of 250; shards that are there already are kept, so it may be stopped and started again.
"""

import argparse
import dataclasses
import json
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo import speech
from demo.grammar import sentences

SHARD = 250
SPOKEN = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Clip:
    """One spoken sentence; ``words`` holds (start s, end s, offset in the text) of each word."""

    language: str
    text: str
    audio: NDArray[np.int16]
    words: tuple[tuple[float, float, int], ...]
    phonemes: tuple[tuple[float, float, str], ...]


def word_times(text: str, language: str, heard: speech.Utterance) -> list[tuple[float, float, int]]:
    """The words with their offset in the written text, whatever text was read out."""
    if language != "zh":
        return [(word.start, word.end, int(word.name)) for word in heard.words]
    offsets, position = [], 0
    for syllable in speech.spoken_form(text, language).split():
        offsets.append(position)
        position += len(syllable) + 1
    spans = []
    for word in heard.words:
        index = max(i for i, offset in enumerate(offsets) if offset <= int(word.name))
        spans.append((word.start, word.end, index))
    return spans


def speak_shard(job: tuple[Path, str, int, int]) -> Path:
    """Speak one shard and write it; the name appears when the shard is whole."""
    folder, language, number, seed = job
    path = folder / f"{language}-{number:04d}.npz"
    if path.exists():
        return path
    chance = random.Random(f"{seed}/{language}/{number}")
    chosen = sentences(SHARD, seed=seed * 100_000 + number, held_out=False)
    pool = speech.voices(language, held_out=False)
    audio, about = [], []
    for sentence in chosen:
        voice = dataclasses.replace(chance.choice(pool), pitch=chance.randint(30, 70))
        text = sentence.text(language)
        heard = speech.pronounce(text, language, voice)
        audio.append((np.clip(heard.audio, -1, 1) * 32767).astype(np.int16))
        about.append(
            {
                "text": text,
                "words": word_times(text, language, heard),
                "phonemes": [dataclasses.astuple(sound) for sound in heard.phonemes],
            }
        )
    lengths = np.array([len(clip) for clip in audio])
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, audio=np.concatenate(audio), lengths=lengths, about=json.dumps(about))
    unfinished.rename(path)
    return path


def load_shard(path: Path) -> list[Clip]:
    """The clips of one shard."""
    with np.load(path) as shard:
        pieces = np.split(shard["audio"], np.cumsum(shard["lengths"])[:-1])
        about = json.loads(str(shard["about"]))
    language = path.name.split("-")[0]
    return [
        Clip(
            language,
            entry["text"],
            piece,
            tuple(map(tuple, entry["words"])),
            tuple(map(tuple, entry["phonemes"])),
        )
        for entry, piece in zip(about, pieces, strict=True)
    ]


class Pool:
    """The clips that are there; more may appear while training runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clips: dict[str, list[Clip]] = {language: [] for language in SPOKEN}
        self._loaded: set[str] = set()

    def refresh(self) -> None:
        """Load the shards that were not there before."""
        for path in sorted(self.folder.glob("??-????.npz")):
            if path.name not in self._loaded:
                self._loaded.add(path.name)
                clips = load_shard(path)
                self.clips[clips[0].language].extend(clips)


def main() -> None:
    """Speak all shards with as many processes as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    shards = -(-options.count // SHARD)
    jobs = [
        (options.out, lang, number, options.seed) for number in range(shards) for lang in SPOKEN
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        for path in pool.map(speak_shard, jobs):
            print(path, flush=True)


if __name__ == "__main__":
    main()
