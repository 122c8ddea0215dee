"""A whole evaluation: every model in turn, and what came of all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from services.client import output
from services.client.client import Fanscribe
from services.client.evaluating import running, shown
from services.client.evaluating.corpus import Corpus
from services.client.evaluating.scores import Score
from services.client.submitting import BadArguments


def of_all(
    api: Fanscribe,
    corpus: Corpus,
    models: Sequence[str | None],
    *,
    requests: int,
    keep: bool,
    console: Console,
) -> list[Score]:
    """A score for each model, in the given order. Raises BadArguments for one that is not there."""
    served(api, "transcribe", models)
    for name in corpus.silent:
        console.print(Text(f"! {name} has no words beside it and is left out", style="yellow"))
    scores = []
    for model in models:
        named = model or "the server's model"
        files = len(corpus.samples)
        with shown.bars(console, named, files=files, requests=requests) as tell:
            score = running.run(api, corpus.samples, model, requests=requests, keep=keep, tell=tell)
        scores.append(score)
    return scores


def served(api: Fanscribe, kind: str, models: Sequence[str | None]) -> None:
    """Raises BadArguments where no node serves one of them, which works of that kind."""
    known = [each.name for each in api.models() if each.kind == kind and each.nodes]
    for model in models:
        if model is not None and model not in known:
            there = ", ".join(known) or "none"
            raise BadArguments(f"No node serves a model {model!r} to {kind}; there are: {there}.")


def show(
    scores: Sequence[Score], corpus: Corpus, *, requests: int, out: Path | None, as_json: bool
) -> None:
    """The table, or the JSON; which also goes to the file, if one is named."""
    told = told_of(scores, corpus, requests)
    if out is not None:
        out.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if as_json:
        output.print_json(told)
        return
    output.STDOUT.print(shown.table(scores))
    for score in scores:
        for each in score.failed:
            output.STDOUT.print(shown.failure(score.model, each), soft_wrap=True)


def told_of(scores: Sequence[Score], corpus: Corpus, requests: int) -> dict[str, Any]:
    return {
        "requests": requests,
        "left_out": corpus.silent,
        "models": [score.model_dump(mode="json") for score in scores],
    }
