"""The table of a run: for people on a terminal, and for `docs/reliability.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.faults.runner import Outcome

BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
_HEADS = (
    "scenario", "tasks", "lost", "doubled", "stuck", "wrong", "p50 / max (figure)", "verdict",
)  # fmt: skip


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    table = Table()
    for head in _HEADS:
        table.add_column(head, no_wrap=head != "scenario")
    for outcome in outcomes:
        table.add_row(*_row(outcome, "\n"))
    console.print(table)


def markdown(outcomes: Sequence[Outcome], command: str) -> str:
    lines = [f"Measured by `{command}`.", "", _line(_HEADS), _line(["---"] * len(_HEADS))]
    return "\n".join([*lines, *(_line(_row(outcome, "<br>")) for outcome in outcomes)])


def write_docs(path: Path, outcomes: Sequence[Outcome], command: str) -> None:
    """Puts the table between the markers; raises ValueError where they are missing."""
    text = path.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise ValueError(f"{path} needs the lines {BEGIN} and {END}.")
    table = markdown(outcomes, command)
    path.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _row(outcome: Outcome, newline: str) -> list[str]:
    counts = [str(outcome.count(kind)) for kind in ("lost", "doubled", "stuck", "wrong")]
    times = newline.join(_times(name, outcome) for name in outcome.times)
    verdict = "failed" if outcome.bad else "passed"
    title = newline.join([f"{outcome.id} {outcome.title}", *outcome.notes])
    return [title, str(outcome.tasks), *counts, times, verdict]


def _times(name: str, outcome: Outcome) -> str:
    values, limit = outcome.times[name], outcome.limits[name]
    figure = "" if limit is None else f" (≤ {limit:g})"
    return f"{name} {median(values):.1f} / {max(values):.1f}{figure}"
