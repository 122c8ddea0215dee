"""The sample task of the demo: audio and texts whose transcript and translations are known.

The bundled sample lies in ``demo/sample``; ``make_sample`` makes another of the same shape, with
other sentences and voices that training never had. ``python -m demo.sample FOLDER`` writes one.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.grammar import LANGUAGES, Sentence, sentences

BUNDLED = Path(__file__).parent / "sample"
DESCRIPTION = "sample.json"
REFERENCES = "references.tsv"

_JOINTS = {"en": " ", "zh": "", "ja": "", "de": " "}
_LONG_S = 75.0


@dataclass(frozen=True, slots=True)
class SampleItem:
    """One item to submit, and the sentences that are spoken in it and written in its text."""

    text_id: str
    language: str
    audio: Path | None
    text: str | None
    spoken: list[Sentence] | None
    reference: list[Sentence] | None


def expected_text(sentences: Sequence[Sentence], language: str) -> str:
    """What a transcript or a translation into this language must say."""
    return _JOINTS[language].join(sentence.text(language) for sentence in sentences)


def load_sample(folder: Path = BUNDLED) -> list[SampleItem]:
    """The items of a sample that was written before; by default the bundled one."""
    entries = json.loads((folder / DESCRIPTION).read_text("utf-8"))["items"]
    return [
        SampleItem(
            entry["text_id"],
            entry["language"],
            folder / entry["audio"] if entry["audio"] else None,
            entry["text"],
            _read(entry["spoken"]),
            _read(entry["reference"]),
        )
        for entry in entries
    ]


def make_sample(seed: int, folder: Path) -> list[SampleItem]:
    """Write a new sample into the folder: held-out sentences, spoken by held-out voices."""
    chance = random.Random(f"sample/{seed}")
    known = sentences(60, seed=1000 + seed, held_out=True)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = iter(known)

    def take(count: int) -> list[Sentence]:
        return [next(drawn) for _ in range(count)]

    talk, story, note, checked, changed, speech = (take(n) for n in (4, 4, 3, 2, 3, 40))
    differing = [changed[0], *take(2)]
    long = _speak(speech, "en", folder / "6.ogg", chance, until=_LONG_S)
    items = [
        SampleItem("1", "en", folder / "1.mp3", None, talk, None),
        SampleItem("2", "zh", folder / "2.ogg", None, story, None),
        SampleItem("3", "en", None, expected_text(note, "en"), None, note),
        SampleItem("4", "en", folder / "4.flac", expected_text(checked, "en"), checked, checked),
        SampleItem("5", "zh", folder / "5.mp3", expected_text(differing, "zh"), changed, differing),
        SampleItem("6", "en", folder / "6.ogg", None, long, None),
    ]
    for item in items[:-1]:
        if item.audio is not None and item.spoken is not None:
            _speak(item.spoken, item.language, item.audio, chance)
    described = {"seed": seed, "items": [_describe(item) for item in items]}
    text = json.dumps(described, ensure_ascii=False, indent=1)
    (folder / DESCRIPTION).write_text(text + "\n", "utf-8")
    (folder / REFERENCES).write_text(references(items), "utf-8")
    return items


def references(items: Sequence[SampleItem]) -> str:
    """What is said in each audio, as `fanscribe evaluate` reads it."""
    rows = [
        "\t".join((item.audio.name, expected_text(item.spoken, item.language), item.language))
        for item in items
        if item.audio is not None and item.spoken is not None
    ]
    return "\n".join(["audio\ttext\tlanguage", *rows]) + "\n"


def _speak(
    spoken: list[Sentence],
    language: str,
    path: Path,
    chance: random.Random,
    *,
    until: float | None = None,
) -> list[Sentence]:
    # the speech maker needs packages that the bundled sample does without
    from demo import speech  # noqa: PLC0415

    voice = chance.choice(speech.voices(language, held_out=True))
    clips, gaps, seconds = [], [0.3], 0.3
    for sentence in spoken:
        if until is not None and seconds > until:
            break
        clip = speech.speak(sentence.text(language), language, voice)
        clips.append(clip)
        gaps.append(chance.uniform(0.35, 0.8))
        seconds += len(clip) / speech.SAMPLE_RATE + gaps[-1]
    audio, _ = speech.join(clips, gaps)
    speech.write_audio(path, audio, bit_rate=13000 if until else 32000)
    return spoken[: len(clips)]


def _describe(item: SampleItem) -> dict[str, object]:
    return {
        "text_id": item.text_id,
        "language": item.language,
        "audio": item.audio.name if item.audio else None,
        "text": item.text,
        "spoken": _write(item.spoken),
        "reference": _write(item.reference),
    }


def _write(given: list[Sentence] | None) -> list[dict[str, str]] | None:
    return None if given is None else [dict(sentence.texts) for sentence in given]


def _read(entries: list[dict[str, str]] | None) -> list[Sentence] | None:
    if entries is None:
        return None
    return [Sentence({lang: entry[lang] for lang in LANGUAGES}) for entry in entries]


def main() -> None:
    """Write a sample and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for item in make_sample(options.seed, options.folder):
        size = item.audio.stat().st_size if item.audio else 0
        words = item.spoken or item.reference or []
        print(f"{item.text_id} {item.language} {size:>7} bytes  {expected_text(words, 'en')}")


if __name__ == "__main__":
    main()
