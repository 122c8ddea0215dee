"""`fanscribe terms`: names and phrases that are kept to be named by tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.client.term_files import read_terms, written

if TYPE_CHECKING:
    from services.client.client import Fanscribe
    from services.client.term_views import TermListSummary, TermListView

_HEAD = ["list", "name", "terms", "revision", "changed (UTC)"]

ListId = Annotated[str, typer.Argument(metavar="ID", help="The list's id.")]
TermFile = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A term a line, a boost behind a tab; or a table with tabs and a first line.",
    ),
]
Description = Annotated[str, typer.Option(help="For people.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def commands(connect: Callable[[], Fanscribe]) -> typer.Typer:
    """The group of commands; `connect` opens the server that they ask."""
    group = typer.Typer(help="Lists of names and terms for your tasks.", no_args_is_help=True)
    _add_reading(group, connect)
    _add_changes(group, connect)
    return group


def _add_reading(group: typer.Typer, connect: Callable[[], Fanscribe]) -> None:
    @group.command("list")
    def show_all(json: AsJson = False) -> None:  # noqa: FBT002  typer passes it by name
        """List your term lists."""
        with connect() as api:
            _show(api.term_lists.list(), as_json=json)

    @group.command()
    def show(terms: ListId, json: AsJson = False) -> None:  # noqa: FBT002
        """Print the terms of a list, as a file of terms has them."""
        from services.client import output  # noqa: PLC0415  a fast start does without

        with connect() as api:
            found = api.term_lists.get(terms)
        if json:
            output.print_json(found)
        else:
            output.print_raw(written(found.terms))


def _add_changes(group: typer.Typer, connect: Callable[[], Fanscribe]) -> None:
    @group.command()
    def add(
        name: Annotated[str, typer.Argument(help="How tasks name it.")],
        file: TermFile,
        description: Description = "",
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Keep the terms of a file under a name."""
        with connect() as api:
            made = api.term_lists.create(name, read_terms(Path(file)), description=description)
        _show([made], as_json=json)

    @group.command()
    def change(
        terms: ListId,
        file: TermFile,
        description: Description = "",
        json: AsJson = False,  # noqa: FBT002
    ) -> None:
        """Put the terms of a file in the place of those of a list."""
        with connect() as api:
            changed = api.term_lists.change(terms, read_terms(Path(file)), description=description)
        _show([changed], as_json=json)

    @group.command()
    def remove(terms: ListId) -> None:
        """Delete a list; tasks that were taken with it keep its terms."""
        with connect() as api:
            api.term_lists.delete(terms)


def _show(lists: list[TermListSummary] | list[TermListView], *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(lists)
    else:
        output.show_table(_HEAD, map(_row, lists))


def _row(kept: TermListSummary) -> list[str]:
    at = f"{kept.changed_at:%Y-%m-%d %H:%M:%S}"
    return [kept.id, kept.name, str(kept.count), str(kept.revision), at]
