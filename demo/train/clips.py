"""Speak the training sentences once and keep them with the time of every word.

``python -m demo.train.clips --out clips --count 10000 --named 10000`` speaks so many sentences of
each language, and so many English ones with a made-up name in them, into shards of 250; shards that
are there already are kept, so it may be stopped and started again.

Names are English only: a Mandarin syllable is written with any of many characters, so a model that
is told no name could only guess, and would learn to.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo import speech
from demo.grammar import sentences
from demo.names import named_sentences

SHARD = 250
SPOKEN = ("en", "zh")
NAMED = "names"  # the kind of shards with a made-up name in each sentence
NAMED_SHARE = 0.6  # of the English sentences in windows


@dataclass(frozen=True, slots=True)
class Clip:
    """One spoken sentence; ``words`` holds (start s, end s, offset in the text) of each word,
    ``name`` the made-up name in it."""

    language: str
    text: str
    audio: NDArray[np.int16]
    words: tuple[tuple[float, float, int], ...]
    phonemes: tuple[tuple[float, float, str], ...]
    name: str = ""


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


def speak_clip(text: str, language: str, voice: speech.Voice, name: str = "") -> Clip:
    """One sentence, spoken."""
    heard = speech.pronounce(text, language, voice)
    audio = (np.clip(heard.audio, -1, 1) * 32767).astype(np.int16)
    words = tuple(word_times(text, language, heard))
    return Clip(language, text, audio, words, tuple(map(dataclasses.astuple, heard.phonemes)), name)


def _texts(kind: str, seed: int) -> list[tuple[str, str]]:
    """The sentences of a shard, with the names in them; none of them is held out."""
    if kind == NAMED:
        return named_sentences(SHARD, seed=seed, held_out=False)
    return [(each.text(kind), "") for each in sentences(SHARD, seed=seed, held_out=False)]


def _language(kind: str) -> str:
    return "en" if kind == NAMED else kind


def speak_shard(job: tuple[Path, str, int, int]) -> Path:
    """Speak one shard and write it; the name appears when the shard is whole."""
    folder, kind, number, seed = job
    path = folder / f"{kind}-{number:04d}.npz"
    if path.exists():
        return path
    chance = random.Random(f"{seed}/{kind}/{number}")
    pool = speech.voices(_language(kind), held_out=False)
    clips = []
    for text, name in _texts(kind, seed * 100_000 + number):
        voice = dataclasses.replace(chance.choice(pool), pitch=chance.randint(30, 70))
        clips.append(speak_clip(text, _language(kind), voice, name))
    lengths = np.array([len(clip.audio) for clip in clips])
    about = [
        {"text": c.text, "name": c.name, "words": c.words, "phonemes": c.phonemes} for c in clips
    ]
    unfinished = path.with_suffix(".part.npz")
    audio = np.concatenate([clip.audio for clip in clips])
    np.savez(unfinished, audio=audio, lengths=lengths, about=json.dumps(about))
    unfinished.rename(path)
    return path


def load_shard(path: Path) -> list[Clip]:
    """The clips of one shard."""
    with np.load(path) as shard:
        pieces = np.split(shard["audio"], np.cumsum(shard["lengths"])[:-1])
        about = json.loads(str(shard["about"]))
    return [
        Clip(
            _language(path.name.split("-")[0]),
            entry["text"],
            piece,
            tuple(map(tuple, entry["words"])),
            tuple(map(tuple, entry["phonemes"])),
            entry.get("name", ""),
        )
        for entry, piece in zip(about, pieces, strict=True)
    ]


def speak(
    folder: Path, *, count: int, named: int, seed: int = 1, workers: int = 2
) -> Iterator[Path]:
    """All shards of so many sentences, with as many processes as asked."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {**dict.fromkeys(SPOKEN, count), NAMED: named}
    jobs = [
        (folder, kind, number, seed)
        for kind, sentences_of_kind in wanted.items()
        for number in range(-(-sentences_of_kind // SHARD))
    ]
    # a fork would take over the voice's threads without their work, and wait for them for ever
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(speak_shard, jobs)


class Pool:
    """Clips to draw from, those with a name apart."""

    def __init__(self, clips: Iterable[Clip]) -> None:
        self.clips: dict[str, list[Clip]] = {language: [] for language in SPOKEN}
        self.named: list[Clip] = []
        for clip in clips:
            (self.named if clip.name else self.clips[clip.language]).append(clip)

    @classmethod
    def load(cls, folder: Path) -> Pool:
        """Every whole shard of a folder."""
        paths = sorted(folder.glob("*-????.npz"))
        return cls(clip for path in paths for clip in load_shard(path))

    def draw(self, language: str, chance: random.Random) -> Clip:
        """Any sentence of the language; some have a name in them."""
        named = language == "en" and self.named and chance.random() < NAMED_SHARE
        return chance.choice(self.named if named else self.clips[language])


def main() -> None:
    """Speak all shards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10_000, help="sentences of each language")
    parser.add_argument("--named", type=int, default=10_000, help="sentences with a made-up name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    for path in speak(
        options.out,
        count=options.count,
        named=options.named,
        seed=options.seed,
        workers=options.workers,
    ):
        print(path, flush=True)


if __name__ == "__main__":
    main()
