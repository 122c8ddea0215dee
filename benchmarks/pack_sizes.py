"""How large packs are, coded and expanded, plain and zipped: `python -m benchmarks.pack_sizes`.

Nothing is timed and no server runs: the packs are made by the code that makes those of the
server, from sentences of the demo's grammar, and are the same each time.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.grammar import LANGUAGES, sentences
from demo.sample import expected_text, load_sample
from services.model.codebook import BOOK
from services.model.pack import coded, dumps, expanded

PAGE = Path(__file__).parents[1] / "docs" / "pack.md"
BEGIN, END = "<!-- sizes begin -->", "<!-- sizes end -->"
HEAD = "| pack | cells | expanded | coded | expanded, gzip | coded, gzip |"

Cells = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True)
class Case:
    title: str
    make: Callable[[], Cells]


def demo() -> Cells:
    """What the sample task of the demo must come to."""
    made: Cells = {}
    for language in ("zh", "ja", "de"):
        for item in load_sample():
            said = {"A": item.spoken, "T": item.reference}
            made.setdefault(language, {})[item.text_id] = {
                source: expected_text(words, language) for source, words in said.items() if words
            }
    return made


def lines(count: int, languages: Sequence[str], *, sentences_each: int = 1) -> Cells:
    """Texts by ids as games have them. A language that the grammar does not speak has sentences
    of one that it does, but never the same as another language."""
    made: Cells = {}
    for number, language in enumerate(languages):
        spoken = language if language in LANGUAGES else LANGUAGES[number % len(LANGUAGES)]
        seed = 0 if language in LANGUAGES else number
        known = sentences(count * sentences_each, seed=seed, held_out=True)
        made[language] = {
            f"quest.{place // 20:03}.line.{place % 20:02}": {
                "T": expected_text(known[place::count], spoken)
            }
            for place in range(count)
        }
    return made


_TWENTY = [language for language in BOOK.values() if language != "en"][:20]

CASES = (
    Case("the demo: 6 items, 3 languages", demo),
    Case("1,000 lines of a game, 3 languages", lambda: lines(1000, ["zh", "ja", "de"])),
    Case("1,000 lines of a game, 20 languages", lambda: lines(1000, _TWENTY)),
    Case("one of those languages, with `language=de`", lambda: lines(1000, ["de"])),
    Case(
        "100 long texts, 3 languages",
        lambda: lines(100, ["zh", "ja", "de"], sentences_each=50),
    ),
)


def figures(case: Case) -> list[int]:
    """Cells, then bytes: expanded and coded as they are served, plain and zipped."""
    made = case.make()
    document = coded(made, [])
    bodies = [dumps(form).encode() for form in (expanded(document), document)]
    zipped = [gzip.compress(body, compresslevel=6, mtime=0) for body in bodies]
    cells = sum(len(sources) for texts in made.values() for sources in texts.values())
    return [cells, *map(len, bodies), *map(len, zipped)]


def row(case: Case) -> str:
    return f"| {case.title} | " + " | ".join(f"{each:,}" for each in figures(case)) + " |"


def table() -> str:
    return "\n".join([HEAD, "| --- " * HEAD.count(" | ") + "| --- |", *map(row, CASES)])


def main() -> None:
    """Prints the table, in bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help="fill docs/pack.md")
    asked = parser.parse_args()
    made = table()
    print(made)
    if asked.write_docs:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
