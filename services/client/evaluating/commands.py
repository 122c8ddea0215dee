"""`fanscribe evaluate`: models on a folder of audio or texts, through a running server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.client.client import Fanscribe


def command(api: Callable[[], Fanscribe]) -> Callable[..., None]:
    """The command; `api` opens the client that it asks."""

    def evaluate(  # noqa: PLR0917  typer passes them by name
        folder: Annotated[
            Path, typer.Argument(metavar="DIR", help="Audio or texts with what they should become.")
        ],
        to: Annotated[
            str, typer.Option(help="Measure translations into these languages, such as zh,ja.")
        ] = "",
        models: Annotated[
            str, typer.Option(help="Models, such as small,large-v3; else the server's.")
        ] = "",
        language: Annotated[
            str | None, typer.Option(help="Of words for which no list says another.")
        ] = None,
        requests: Annotated[
            int, typer.Option(min=0, help="Single requests to time, one after the other.")
        ] = 10,
        out: Annotated[Path | None, typer.Option(help="Write the JSON to this file too.")] = None,
        cells: Annotated[
            bool, typer.Option("--cells", help="With --to: show each cell, the worst first.")
        ] = False,
        keep: Annotated[bool, typer.Option("--keep", help="Do not delete the tasks.")] = False,
        json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    ) -> None:
        """Measure speech models by WER, CER, latency and RTF; or translations by chrF and BLEU."""
        from services.client import output
        from services.client.evaluating import corpus, evaluation

        named = [name for part in models.split(",") if (name := part.strip())]
        if to:
            _translations(api, folder, to, language, named, cells, keep, out, json)
            return
        found = corpus.read(folder, language)
        with api() as client:
            scores = evaluation.of_all(
                client, found, named or [None], requests=requests, keep=keep, console=output.STDERR
            )
        evaluation.show(scores, found, requests=requests, out=out, as_json=json)
        if any(score.failed for score in scores):
            raise typer.Exit(output.FAILED)

    return evaluate


def _translations(  # noqa: PLR0917  as they are typed
    api: Callable[[], Fanscribe],
    folder: Path,
    to: str,
    language: str | None,
    models: list[str],
    cells: bool,
    keep: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    from services.client import output, submitting
    from services.client.evaluating import parallel, translating

    pairs = parallel.read(folder, submitting.to_targets(to), language)
    with api() as client:
        scores = translating.of_all(
            client, pairs, models or [None], keep=keep, console=output.STDERR
        )
    translating.show(scores, cells=cells, out=out, as_json=as_json)
    if any(score.failed for score in scores):
        raise typer.Exit(output.FAILED)
