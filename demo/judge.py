"""Is the pack complete and right? Judged against the grammar's true sentences, never against a
recorded run.

What was translated from a given text must be exact. What went through a loudspeaker first may
differ in a few characters: each such cell must agree in at least 90 % of its characters with the
truth, and all of them together in 97 % on average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jiwer

from demo.sample import SampleItem, expected_text

LEAST_OF_A_CELL = 0.90
LEAST_ON_AVERAGE = 0.97
LARGEST_RATE_OF_EQUALS = 0.10  # WER or CER of an item whose text is what was said
LEAST_RATE_OF_OTHERS = 0.30  # … and of one whose text is something else
_BEFORE, _SHOWN = 20, 120  # characters of a text that is wrong

Pack = Mapping[str, Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, as sentences; nothing if the pack is complete and right."""

    wrong: list[str]
    cells: int
    average: float  # character similarity of the cells that were heard; 1 is equal


def similarity(truth: str, found: str) -> float:
    """1 minus the character error rate, blanks aside; never below 0."""
    pure, got = "".join(truth.split()), "".join(found.split())
    return max(0.0, 1.0 - float(jiwer.cer(pure, got))) if pure else float(not got)


def judge(
    sample: Sequence[SampleItem],
    targets: Sequence[str],
    pack: Pack,
    checks: Mapping[str, Mapping[str, Any]],
) -> Verdict:
    """Judges all cells that the sample must have, and the check of each item with audio and
    text (`checks`: text id → its error rates)."""
    wrong = _strangers(sample, targets, pack)
    heard: list[float] = []
    cells = 0
    for item in sample:
        for target in targets:
            for source, truth in _truths(item, target).items():
                cells += 1
                found = pack.get(target, {}).get(item.text_id, {}).get(source)
                where = f"{target} / {item.text_id} / {source}"
                if found is None:
                    wrong.append(f"{where} is missing")
                elif source == "T":
                    wrong += [] if found.strip() == truth else [_differs(where, truth, found)]
                else:
                    heard.append(similarity(truth, found))
                    if heard[-1] < LEAST_OF_A_CELL:
                        wrong.append(_differs(where, truth, found))
        wrong += _judge_check(item, checks.get(item.text_id))
    average = sum(heard) / len(heard) if heard else 1.0
    if average < LEAST_ON_AVERAGE:
        wrong.append(f"on average {average:.1%} of the characters are right, not 97 %")
    return Verdict(wrong, cells, average)


def _truths(item: SampleItem, target: str) -> dict[str, str]:
    """The true text of each cell of an item in one language."""
    truths = {}
    if item.audio is not None:
        truths["A"] = expected_text(item.spoken or [], target)
    if item.text is not None:
        truths["T"] = expected_text(item.reference or [], target)
    return truths


def _strangers(sample: Sequence[SampleItem], targets: Sequence[str], pack: Pack) -> list[str]:
    """Cells that nobody asked for."""
    asked = {
        (target, item.text_id, source)
        for item in sample
        for target in targets
        for source in _truths(item, target)
    }
    return [
        f"nobody asked for {language} / {text_id} / {source}"
        for language, texts in pack.items()
        for text_id, sources in texts.items()
        for source in sources
        if (language, text_id, source) not in asked
    ]


def _judge_check(item: SampleItem, check: Mapping[str, Any] | None) -> list[str]:
    if item.audio is None or item.text is None:
        return []
    if check is None:
        return [f"{item.text_id}: audio and text were not compared"]
    rate = float(check["rate"])
    if item.spoken == item.reference and rate > LARGEST_RATE_OF_EQUALS:
        return [f"{item.text_id}: text and audio are the same, but the check says {rate:.0%}"]
    if item.spoken != item.reference and rate < LEAST_RATE_OF_OTHERS:
        return [f"{item.text_id}: text and audio differ, but the check says only {rate:.0%}"]
    return []


def _differs(where: str, truth: str, found: str) -> str:
    """Both texts, from a little before they part; long ones are cut."""
    same = next(
        (at for at, (one, two) in enumerate(zip(truth, found, strict=False)) if one != two),
        min(len(truth), len(found)),
    )
    start = max(0, same - _BEFORE)
    alike = f"{similarity(truth, found):.1%} of its characters are right"
    return f"{where}: {alike}\n    expected {_cut(truth, start)}\n    found    {_cut(found, start)}"


def _cut(text: str, start: int) -> str:
    end = start + _SHOWN
    return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")
