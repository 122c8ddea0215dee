"""What survives a translation, with and without protection: `python -m benchmarks.protection`.

Sentences that training never had get something that is no language in their middle, and go to the
demo model, which has never seen a link or a digit, into each language that it knows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from demo.grammar import sentences
from services.model.glossary import Rule
from translator_worker.engines import Row, Translation
from translator_worker.engines.ctranslate2 import CTranslate2Engine
from translator_worker.engines.protected import IN_PIECES, ProtectedEngine
from translator_worker.glossary import Terms

MODEL = Path(__file__).parents[1] / "demo" / "models" / "nmt-demo"
TARGETS = ("zh", "ja", "de")
TERM = Rule(term="Fanscribe", put="Fächerschrift")
# What is put in, and what has to come out.
KINDS = {
    "link": ("https://example.com/a", "https://example.com/a"),
    "address": ("anna@example.org", "anna@example.org"),
    "placeholder": ("{name}", "{name}"),
    "number": ("1989", "1989"),
    "term": ("Fanscribe", "Fächerschrift"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=24)
    texts = [
        each.text("en") for each in sentences(parser.parse_args().sentences, seed=7, held_out=True)
    ]
    engine = CTranslate2Engine(MODEL, device="cpu", compute_type="int8")
    print("| in the sentence | bare model | protected | of these in pieces |")
    print("| --- | --- | --- | --- |")
    for kind, (given, wanted) in KINDS.items():
        rows = [row for text in texts for row in _rows(_with(text, given))]
        bare = _kept(engine.translate(rows, beam_size=None), wanted)
        made = ProtectedEngine(engine, masks=True).translate(rows, beam_size=None)
        cut = sum(IN_PIECES in each.flags for each in made)
        print(f"| {kind} | {bare} of {len(rows)} | {_kept(made, wanted)} of {len(rows)} | {cut} |")


def _with(text: str, given: str) -> str:
    words = text.split()
    middle = len(words) // 2
    return " ".join([*words[:middle], given, *words[middle:]])


def _rows(text: str) -> list[Row]:
    terms = Terms([TERM], [text])
    return [Row(text, "en", target, terms) for target in TARGETS]


def _kept(made: Sequence[Translation], wanted: str) -> int:
    return sum(wanted in each.text for each in made)


if __name__ == "__main__":
    main()
