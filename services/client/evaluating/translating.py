"""Translation models on a whole folder, through a running server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from services.client import output
from services.client.calls.submitting import Item, Options
from services.client.client import Fanscribe
from services.client.errors import ClientError, Conflict, NotFound
from services.client.evaluating import closeness, shown
from services.client.evaluating.closeness import Score, Translated
from services.client.evaluating.evaluation import served
from services.client.evaluating.parallel import Pair
from services.client.views import CellView, TaskView

_AT_ONCE = 50  # texts a task


def of_all(
    api: Fanscribe,
    pairs: Sequence[Pair],
    models: Sequence[str | None],
    *,
    keep: bool,
    console: Console,
) -> list[Score]:
    """A score for each model, in the given order; without one the server chooses for each pair.
    Raises BadArguments for one that is not there."""
    served(api, "translate", models)
    scores = []
    for model in models:
        named = model or "the server's choice"
        with shown.bars(console, named, files=len(pairs), requests=0) as tell:
            cells = list(_translated(api, pairs, model, keep, lambda n: tell("files", n)))
        scores.append(closeness.of_model(named, cells))
    return scores


def _translated(
    api: Fanscribe,
    pairs: Sequence[Pair],
    model: str | None,
    keep: bool,  # noqa: FBT001
    tell: Callable[[int], None],
) -> Iterator[Translated]:
    """All of one pair of languages in one task."""
    options: Options = {"language_spelling": "caller"}
    if model is not None:
        options["translate_model"] = model
    alike = sorted(pairs, key=_kind)
    for (language, targets), group in groupby(alike, key=_kind):
        together = list(group)
        for first in range(0, len(together), _AT_ONCE):
            batch = together[first : first + _AT_ONCE]
            items = [Item(each.audio, each.text, each.name) for each in batch]
            task = api.submit(*items, targets=list(targets), language=language, options=options)
            api.wait(task)
            yield from _read(api, task, batch)
            tell(len(batch))
            if not keep:
                with suppress(ClientError):  # it goes with its time
                    api.delete(task)


def _kind(pair: Pair) -> tuple[str, tuple[str, ...]]:
    return pair.language, tuple(pair.references)


def _read(api: Fanscribe, task: TaskView, batch: Sequence[Pair]) -> Iterator[Translated]:
    result: dict[str, dict[str, dict[str, str]]] = {}
    with suppress(NotFound, Conflict):  # it ended without one
        result = api.result(task)
    items = {item.text_id: item for item in api.items(task)}
    for pair in batch:
        for language, reference in pair.references.items():
            texts = result.get(language, {}).get(pair.name, {})
            for source, cell in items[pair.name].cells.get(language, {}).items():
                about = Translated(
                    name=pair.name, language=language, source=source, reference=reference
                )
                yield about.model_copy(update=_outcome(cell, texts.get(source)))


def _outcome(cell: CellView, text: str | None) -> dict[str, object]:
    if cell.state == "done" and text is not None:
        return {"text": text, "flags": cell.flags}
    code, message = (
        (cell.state, "") if cell.error is None else (cell.error.code, cell.error.message)
    )
    return {"code": code, "message": message}


def show(scores: Sequence[Score], *, cells: bool, out: Path | None, as_json: bool) -> None:
    """The table, or the JSON; which also goes to the file, if one is named."""
    told = {"models": [score.model_dump(mode="json") for score in scores]}
    if out is not None:
        out.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if as_json:
        output.print_json(told)
        return
    rows = [row for score in scores for row in _rows(score)]
    output.show_table(["model", "into", "of", "cells", "chrF", "BLEU", "flagged", "failed"], rows)
    for kind in _signatures(scores):
        output.STDOUT.print(Text(kind, style="dim"), soft_wrap=True)
    for score in scores:
        for each in _worst_first(score.translated) if cells else score.failed:
            output.STDOUT.print(_line(score.model, each), soft_wrap=True)


def _rows(score: Score) -> Iterator[list[str]]:
    for each in score.languages:
        figures = [_figure(each.chrf), _figure(each.bleu), str(each.flagged), str(each.failed)]
        yield [score.model, each.language, each.source, str(each.cells), *figures]
    if len(score.languages) > 1:
        cells, mean = str(len(score.translated)), [_figure(score.chrf), _figure(score.bleu)]
        flagged = sum(each.flagged for each in score.languages)
        yield [score.model, "all", "", cells, *mean, str(flagged), str(len(score.failed))]


def _signatures(scores: Sequence[Score]) -> list[str]:
    found: dict[str, list[str]] = {}
    for score in scores:
        for each in score.languages:
            for name, signature in (("chrF2", each.chrf_signature), ("BLEU", each.bleu_signature)):
                if signature and each.language not in found.setdefault(f"{name} {signature}", []):
                    found[f"{name} {signature}"].append(each.language)
    return [f"{what}  {', '.join(languages)}" for what, languages in sorted(found.items())]


def _worst_first(cells: Sequence[Translated]) -> list[Translated]:
    return sorted(cells, key=lambda each: -1.0 if each.chrf is None else each.chrf)


def _line(model: str, each: Translated) -> Text:
    where = f"{model}: {each.name} {each.language}/{each.source}"
    if each.text is None:
        return Text(f"✗ {where}: {each.message} ({each.code})", style="red")
    flags = f"  ({', '.join(each.flags)})" if each.flags else ""
    return Text(f"{_figure(each.chrf)}  {where}: {each.text}  ≠  {each.reference}{flags}")


def _figure(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"
