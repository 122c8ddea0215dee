"""`fanscribe evaluate`: speech models on a folder of audio, through a running server."""

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
            Path, typer.Argument(metavar="DIR", help="Audio files with their words beside them.")
        ],
        models: Annotated[
            str, typer.Option(help="Speech models, such as small,large-v3; else the server's.")
        ] = "",
        language: Annotated[
            str | None, typer.Option(help="Of words for which no list says another.")
        ] = None,
        requests: Annotated[
            int, typer.Option(min=0, help="Single requests to time, one after the other.")
        ] = 10,
        out: Annotated[Path | None, typer.Option(help="Write the JSON to this file too.")] = None,
        keep: Annotated[bool, typer.Option("--keep", help="Do not delete the tasks.")] = False,
        json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    ) -> None:
        """Measure speech models on audio whose words are known: WER, CER, latency, RTF."""
        from services.client import output
        from services.client.evaluating import corpus, evaluation

        found = corpus.read(folder, language)
        named = [name for part in models.split(",") if (name := part.strip())]
        with api() as client:
            scores = evaluation.of_all(
                client, found, named or [None], requests=requests, keep=keep, console=output.STDERR
            )
        evaluation.show(scores, found, requests=requests, out=out, as_json=json)
        if any(score.failed for score in scores):
            raise typer.Exit(output.FAILED)

    return evaluate
