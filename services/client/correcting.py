"""The commands that correct what an item says, and show which versions there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

if TYPE_CHECKING:
    from services.client.client import Fanscribe
    from services.client.views import CorrectionView, VersionView

TaskId = Annotated[str, typer.Argument(metavar="ID", help="The task's id.")]
TextId = Annotated[str, typer.Argument(metavar="TEXT-ID", help="The item.")]
Language = Annotated[
    str | None, typer.Option(help="Of a translation; without it the item's own words.")
]
Source = Annotated[str | None, typer.Option(help="A: what was heard; T: the text.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def register(app: typer.Typer, api: Callable[[], Fanscribe]) -> None:
    """Adds `correct` and `versions`."""

    @app.command()
    def correct(  # noqa: PLR0917  typer passes them by name
        task_id: TaskId,
        text_id: TextId,
        segment: Annotated[
            list[str] | None, typer.Option(metavar="N=TEXT", help="The segment N, heard anew.")
        ] = None,
        text: Annotated[str | None, typer.Option(help="The whole text, of source T.")] = None,
        language: Language = None,
        source: Source = None,
        version: Annotated[
            int | None, typer.Option(help="Which one you read; else the newest.")
        ] = None,
        overwrite: Annotated[  # noqa: FBT002
            bool,
            typer.Option("--overwrite", help="Corrected translations are made anew as well."),
        ] = False,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Save other words for an item of a task that has ended."""
        words = _words(segment or [], text)
        of = cast("Literal['A', 'T'] | None", source)  # the server knows which there are
        with api() as there:
            if version is None:
                version = there.versions(task_id, text_id, language=language, source=of)[-1].version
            saved = there.correct(
                task_id,
                text_id,
                words,
                version=version,
                language=language,
                source=of,
                overwrite=overwrite,
            )
            _show_saved(saved, as_json=json)

    @app.command()
    def versions(
        task_id: TaskId,
        text_id: TextId,
        language: Language = None,
        source: Source = None,
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """List the versions of what an item says, or of a translation."""
        of = cast("Literal['A', 'T'] | None", source)  # the server knows which there are
        with api() as there:
            found = there.versions(task_id, text_id, language=language, source=of)
            _show_versions(found, as_json=json)


def _words(segments: Sequence[str], text: str | None) -> dict[int, str] | str:
    """What was typed: either one. Raises BadArguments."""
    from services.client.submitting import BadArguments  # noqa: PLC0415  a fast start does without

    if (text is None) == (not segments):
        raise BadArguments("Give --segment N=TEXT, once or more, or --text TEXT.")
    if text is not None:
        return text
    words: dict[int, str] = {}
    for written in segments:
        number, separator, words_of = written.partition("=")
        if not separator or not number.isdecimal():
            raise BadArguments(f"--segment {written[:40]!r}: write N=TEXT.")
        words[int(number)] = words_of
    return words


def _show_saved(saved: CorrectionView, *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(saved)
    else:
        output.print_raw(
            f"{saved.text_id} {saved.language}/{saved.source}: version {saved.version}, "
            f"the task is {saved.state}"
        )


def _show_versions(versions: Sequence[VersionView], *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(list(versions))
        return
    rows = (
        [str(each.version), f"{each.at:%Y-%m-%d %H:%M:%S}", each.corrected_by or "a model"]
        for each in versions
    )
    output.show_table(["version", "at (UTC)", "by"], rows)
