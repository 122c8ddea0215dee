"""What hotwords do, by method: `python -m benchmarks.hotwords`.

Three kinds of clips, all of sentences and voices that training never had, each with ten terms of
which one is said or none. Names: somebody who does not exist does what the grammar says, with
a name that could be spelt otherwise.
Confusable words: a word of the grammar, in so much noise that it is often misheard. Unrelated:
none of the terms is said, and what changes by them is a mistake.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo import speech
from demo.grammar import sentences
from demo.names import named_sentences, names, sisters, spellings
from services.model.hotwords import Hotwords, Method, Term
from whisper_worker.engines import Hearing
from whisper_worker.engines.faster_whisper import FasterWhisper
from whisper_worker.hotwords import hint

MODEL = Path(__file__).parents[1] / "demo" / "models" / "whisper-demo"
KINDS = ("names", "confusable", "unrelated")
TERMS = 10  # of each clip
LOUDEST = (0.6, 1.0)  # noise ÷ speech
WAYS: Sequence[tuple[str, Method, float]] = (
    ("prompt", "prompt", 1.5),
    ("bias 1.5", "bias", 1.5),
    ("bias 3", "bias", 3.0),
    ("bias 10", "bias", 10.0),
)


@dataclass(frozen=True)
class Spoken:
    """A clip with the terms that are given to the model; `said` is the one that is in it."""

    samples: speech.Audio
    text: str
    terms: list[str]
    said: str | None


@dataclass
class Score:
    """Of many clips: how often the term that was said was heard, how many other terms were written
    that nobody had said, and how many texts are not those without help."""

    clips: int = 0
    heard: int = 0
    invented: int = 0
    changed: int = 0


def clips(kind: str, count: int) -> list[Spoken]:
    """The same each time."""
    chance = random.Random(f"hotwords/{kind}")
    voices = speech.voices("en", held_out=True)
    if kind == "names":
        known = named_sentences(count, seed=90, held_out=True)
        said: list[tuple[str, str | None]] = [*known]
        others = names(20 * TERMS, seed=91, held_out=True)
    else:
        texts = [each.text("en") for each in sentences(count, seed=92, held_out=True)]
        pool = sorted({word for text in texts for word in _long_words(text)})
        confusable = kind == "confusable"
        said = [(text, _word_of(text, chance) if confusable else None) for text in texts]
        others = pool if confusable else names(20 * TERMS, seed=93, held_out=True)
    return [_spoken(text, term, others, chance, voices, noisy=kind == "confusable")
            for text, term in said]  # fmt: skip


def _word_of(text: str, chance: random.Random) -> str:
    return chance.choice(_long_words(text))


def _long_words(text: str) -> list[str]:
    """As they are spelt; the first one has another spelling elsewhere."""
    return [word for word in re.findall(r"[A-Za-z]+", text)[1:] if len(word) > 3]


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]+", text.lower())


def _spoken(
    text: str,
    term: str | None,
    others: Sequence[str],
    chance: random.Random,
    voices: Sequence[speech.Voice],
    *,
    noisy: bool,
) -> Spoken:
    clip = speech.speak(text, "en", chance.choice(voices))
    samples, _ = speech.join([clip], [0.2, 0.4])
    if noisy:
        source = np.random.default_rng(chance.getrandbits(32))
        level = float(np.sqrt(np.mean(clip**2))) * chance.uniform(*LOUDEST)
        samples += source.standard_normal(len(samples), dtype=np.float32) * np.float32(level)
    alike = sisters(term) if term in spellings() else ()
    absent = [each for each in others if each.lower() not in _words(text) and each not in alike]
    terms = chance.sample(absent, TERMS - (term is not None)) + ([term] if term else [])
    chance.shuffle(terms)
    return Spoken(samples.astype(np.float32), text, terms, term)


def score(spoken: Sequence[Spoken], hear: Callable[[Spoken], str], plain: Sequence[str]) -> Score:
    """`plain` are the texts without help."""
    found = Score(clips=len(spoken))
    for clip, without in zip(spoken, plain, strict=True):
        text = hear(clip)
        written = {term for term in clip.terms if term.lower() in _words(text)}
        found.heard += clip.said in written
        found.invented += len(written - {clip.said})
        found.changed += text != without
    return found


def listener(engine: FasterWhisper, method: Method, boost: float) -> Callable[[Spoken], str]:
    """Hears a clip with its terms, as a worker does."""

    def hear(clip: Spoken) -> str:
        terms = [Term(text=term) for term in clip.terms]
        wanted = Hotwords(terms=terms, method=method, boost_factor=boost)
        hints = hint("", [], wanted, engine.count)
        return _text(engine, clip, Hearing(hotwords=hints.hotwords, bias=hints.bias))

    return hear


def _text(engine: FasterWhisper, clip: Spoken, hearing: Hearing) -> str:
    return " ".join(each.text for each in engine.transcribe(clip.samples, "en", hearing))


def main() -> None:
    """Prints a table of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--clips", type=int, default=60, help="of each kind")
    parser.add_argument("--only", choices=KINDS)
    options = parser.parse_args()
    engine = FasterWhisper(options.model, "cpu", "int8")
    for kind in [options.only] if options.only else KINDS:
        spoken = clips(kind, options.clips)
        plain = [_text(engine, clip, Hearing()) for clip in spoken]
        known = iter(plain)
        rows = {"none": score(spoken, lambda _, known=known: next(known), plain)}  # type: ignore[misc]
        for name, method, boost in WAYS:
            rows[name] = score(spoken, listener(engine, method, boost), plain)
        _show(kind, rows)


def _show(kind: str, rows: dict[str, Score]) -> None:
    print(f"\n### {kind}: {rows['none'].clips} clips of {TERMS} terms\n")
    print("| help | the term heard | terms that nobody said | texts changed |")
    print("| --- | --- | --- | --- |", flush=True)
    for name, found in rows.items():
        heard = "–" if kind == "unrelated" else f"{found.heard} of {found.clips}"
        print(f"| {name} | {heard} | {found.invented} | {found.changed} |", flush=True)


if __name__ == "__main__":
    main()
