"""What is flagged as being in another language: `python -m benchmarks.other_language`.

Sentences that training never had stand in for translations, from each language of the demo into
each other one: right ones, and ones that are still in the language of the source, or in English.
"""

from __future__ import annotations

import argparse

from demo.grammar import LANGUAGES, Sentence, sentences
from translator_worker.engines.other_language import is_other_language


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=1000)
    known = sentences(parser.parse_args().sentences, seed=50, held_out=True)
    print("| from | into | right, flagged | as the source, flagged | English, flagged |")
    print("| --- | --- | --- | --- | --- |")
    for source in LANGUAGES:
        for target in LANGUAGES:
            if source != target:
                right, left = (_flagged(known, each, source, target) for each in (target, source))
                english = "" if "en" in {source, target} else _flagged(known, "en", source, target)
                print(f"| {source} | {target} | {right} | {left} | {english} |")


def _flagged(known: list[Sentence], written: str, source: str, target: str) -> str:
    count = sum(is_other_language(each.text(written), source, target) for each in known)
    return f"{count} of {len(known)}"


if __name__ == "__main__":
    main()
