"""An item against its text at the command line: coloured like a diff, and as plain lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from services.client.views import CheckView
from services.model.differences import Difference
from services.model.transcript import Edits


def show(console: Console, checked: CheckView, places: Sequence[Difference]) -> None:
    """The rates, then each place: `-` what was expected, `+` what was heard instead."""
    for line in (*summary(checked), *lines(places)):
        console.print(line, soft_wrap=True)
    kept, count = len(places), checked.check.differences
    if count is not None and count > kept:
        console.print(Text(f"… and {count - kept} more, of which no list is kept", style="dim"))


def summary(checked: CheckView) -> Iterable[Text]:
    """How far it is from its text, and what was counted."""
    check = checked.check
    above = f", above {checked.threshold:.1%}" if checked.above else ""
    rates = f"WER {check.wer:.2%}  CER {check.cer:.2%}"
    yield Text(f"{checked.text_id}  {checked.language}  {rates}{above}", style="bold")
    for name, edits in (("words", check.words), ("characters", check.characters)):
        if edits is not None:
            decides = "  (decides)" if check.decides == name else ""
            yield Text(f"{_counts(edits)} {name}{decides}", style="dim")


def _counts(edits: Edits) -> str:
    return (
        f"{edits.hits} of {edits.length} as expected, {edits.substitutions} others, "
        f"{edits.deletions} missing, {edits.insertions} more"
    )


def lines(places: Iterable[Difference]) -> Iterable[Text]:
    for each in places:
        yield Text(f"@ {_when(each)}character {each.start}", style="cyan")
        if each.expected:
            yield Text(f"- {_on_one_line(each.expected)}", style="red")
        if each.heard:
            yield Text(f"+ {_on_one_line(each.heard)}", style="green")


def _when(each: Difference) -> str:
    if each.from_s is None or each.to_s is None:
        return ""
    return f"{_clock(each.from_s)}–{_clock(each.to_s)}, "


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 2), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:05.2f}"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
