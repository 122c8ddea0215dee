"""Measure the shipped demo models on sentences and voices that training never had.

``python -m demo.evaluate`` prints the tables that the model cards quote; ``--quick`` prints the
same from fewer clips. Only faster-whisper and CTranslate2 run; the measures are jiwer's WER and
CER and sacrebleu's chrF and BLEU.
"""

import argparse
import time
from pathlib import Path

from demo.evaluate_nmt import translation_tables
from demo.evaluate_whisper import speech_tables

MODELS = Path(__file__).parent / "models"


def print_table(title: str, rows: list[dict[str, str]]) -> None:
    """One Markdown table."""
    print(f"\n### {title}\n", flush=True)
    names = list(rows[0])
    print("| " + " | ".join(names) + " |")
    print("|" + " --- |" * len(names))
    for row in rows:
        print("| " + " | ".join(row.values()) + " |", flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the clips and sentences")
    parser.add_argument("--only", choices=("whisper", "nmt"))
    parser.add_argument("--whisper", type=Path, default=MODELS / "whisper-demo")
    parser.add_argument("--nmt", type=Path, default=MODELS / "nmt-demo")
    options = parser.parse_args()
    began = time.monotonic()
    if options.only != "nmt":
        clips = 30 if options.quick else 300
        for title, rows in speech_tables(options.whisper, clips=clips):
            print_table(title, rows)
    if options.only != "whisper":
        count = 60 if options.quick else 600
        for title, rows in translation_tables(options.nmt, count=count):
            print_table(title, rows)
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
