"""What the demo prints: the sample, the packs, the cues, the checks, the times, the verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.judge import LEAST_OF_A_CELL, LEAST_ON_AVERAGE, Verdict
from demo.sample import SampleItem
from services.client.views import ItemView, TaskView

_CUES_SHOWN = 3


def show_sample(console: Console, sample: Sequence[SampleItem]) -> None:
    _head(console, "The sample")
    for item in sample:
        parts = [item.audio.name if item.audio else "", "text" if item.text else ""]
        what = " + ".join(part for part in parts if part)
        differs = item.audio and item.text and item.spoken != item.reference
        note = "  (the text is not what is said)" if differs else ""
        console.print(Text(f"  {item.text_id}  {item.language}  {what}{note}"))


def show_pack(console: Console, title: str, pack: Any) -> None:
    _head(console, title)
    console.print(Text(json.dumps(pack, ensure_ascii=False, indent=2)))


def show_task(console: Console, task: TaskView, items: Sequence[ItemView], subtitles: str) -> None:
    """The first cues, the error rates of the checked items, the time of each stage."""
    _head(console, f"First subtitles of item {items[0].text_id} in zh")
    console.print(Text("\n\n".join(subtitles.strip().split("\n\n")[:_CUES_SHOWN])))
    _head(console, "Audio against its text")
    for item in items:
        if item.check is not None:
            flags = "  flagged" if item.warnings else ""
            rates = f"WER {item.check.wer:.1%}  CER {item.check.cer:.1%}"
            console.print(Text(f"  item {item.text_id}  {item.language}  {rates}{flags}"))
    _head(console, "Time by stage")
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name in ("stage", "jobs", "work", "from first to last"):
        table.add_column(name)
    for name, timing in task.timings.items():
        seconds = f"{timing.work_seconds:.2f} s", f"{timing.wall_seconds:.2f} s"
        table.add_row(name, str(timing.jobs), *seconds)
    console.print(table)


def show_verdict(console: Console, verdict: Verdict) -> None:
    console.print()
    for each in verdict.wrong:
        console.print(Text(f"✗ {each}", style="red"))
    if verdict.wrong:
        console.print(Text(f"{len(verdict.wrong)} things are wrong.", style="bold red"))
        return
    console.print(
        Text(
            f"✓ All {verdict.cells} cells are there and right: texts exactly, what was heard in "
            f"{verdict.average:.1%} of its characters (wanted: {LEAST_OF_A_CELL:.0%} of each cell, "
            f"{LEAST_ON_AVERAGE:.0%} on average).",
            style="bold green",
        )
    )


def _head(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))
