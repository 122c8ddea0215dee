"""How an evaluation is shown: a bar while it runs, then a table or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from services.client.evaluating.running import Tell
from services.client.evaluating.scores import Heard, Score


@contextmanager
def bars(console: Console, model: str, *, files: int, requests: int) -> Iterator[Tell]:
    """Two bars; where there is no terminal a line for each that is full."""
    totals = {"requests": requests, "files": files}
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    named = TextColumn("{task.description}")
    with Progress(
        named, *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        of = {
            name: progress.add_task(f"{model}: {name}", total=total)
            for name, total in totals.items()
            if total
        }
        done = dict.fromkeys(totals, 0)

        def tell(name: str, more: int) -> None:
            done[name] += more
            progress.update(of[name], advance=more)
            if more and done[name] == totals[name] and not console.is_terminal:
                console.print(Text(f"{model}: {done[name]} {name}"))

        yield tell


def table(scores: Sequence[Score]) -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    names = ("model", "files", "audio", "WER", "CER", "requests", "mean", "p50", "p95", "RTF")
    for name in (*names, "failed"):
        shown.add_column(name, justify="left" if name == "model" else "right")
    for score in scores:
        shown.add_row(*map(Text, _row(score)))
    return shown


def _row(score: Score) -> list[str]:
    times = [""] * 4
    if (latency := score.latency) is not None:
        seconds = (latency.mean_s, latency.p50_s, latency.p95_s)
        times = [str(latency.requests), *(f"{each:.2f} s" for each in seconds)]
    return [
        score.model,
        str(score.files),
        f"{score.audio_seconds:.1f} s",
        _percent(score.wer),
        _percent(score.cer),
        *times,
        "" if score.real_time_factor is None else f"{score.real_time_factor:.3f}",
        str(len(score.failed)),
    ]


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.2%}"


def failure(model: str, heard: Heard) -> Text:
    return Text(f"✗ {model}: {heard.name}: {heard.message} ({heard.code})", style="red")
