"""The corpus as a table, one line a kind: `python tests/media/table.py` prints it, and every fault;
`--store` writes it into docs/media.md, `--each` adds a line a file."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from corpus import Case, cases
from judging import Verdict, judge

from whisper_worker.media import Decoder

PAGE = Path(__file__).resolve().parents[2] / "docs" / "media.md"
BEGIN, END = "<!-- corpus, by tests/media/table.py -->\n", "<!-- corpus ends -->\n"
EXPECTED = {
    "whole": "done, in full length, every second where it belongs",
    "rate": "the same at every rate",
    "channels": "the same with every number of channels",
    "late sound": "done; sound that begins 2 s after the pictures begins at 2 s",
    "start offset": "done; a file that begins at 40 s begins at 0",
    "gap": "done; 3 s without packets are 3 s of silence, and listed",
    "cut off": "flagged, with the coverage where the length is known; refused without its index",
    "garbage": "flagged where sound is lost; every second where it belongs",
    "zeroed": "flagged where sound is lost; every second where it belongs",
    "flipped": "flagged or refused, unless every sample stands for itself",
    "no media": "`bad_media`, or `empty_file`",
    "header only": "`bad_media`",
    "pictures only": "`no_audio_stream`",
    "hardly any": "done; what is no number is cleaned and flagged",
    "too many channels": "`too_many_channels`",
    "changing": "all of it is heard, flagged or not",
}  # fmt: skip


def table(found: Iterable[tuple[Case, Verdict]]) -> str:
    """In Markdown."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for case, verdict in found:
        outcomes[case.kind][verdict.outcome] += 1
    rows = [
        "| kind | files | what has to come of them | what came of them |",
        "| --- | --- | --- | --- |",
    ]
    for kind, counts in outcomes.items():
        came = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        rows.append(f"| {kind} | {counts.total()} | {EXPECTED[kind]} | {came} |")
    total = sum(counts.total() for counts in outcomes.values())
    return "\n".join([*rows, f"| all | {total} | | |"]) + "\n"


def main() -> None:
    """Exits with 1 when something is not as it has to be."""
    decoder = Decoder()
    found = []
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            verdict = judge(case, decoder, Path(folder))
        found.append((case, verdict))
        if verdict.faults or "--each" in sys.argv:
            print(case.kind, case.name, verdict.outcome, verdict.told, *verdict.faults, sep=" · ")
    decoder.close()
    print(table(found))
    if "--store" in sys.argv:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}", encoding="utf-8")
    sys.exit(any(verdict.faults for _, verdict in found))


if __name__ == "__main__":
    main()
