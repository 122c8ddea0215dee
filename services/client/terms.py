"""`fanscribe terms`: names and phrases that are kept to be named by tasks, and files of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.model.errors import FanscribeError

if TYPE_CHECKING:
    from services.client.client import Fanscribe
    from services.client.term_views import TermListSummary, TermListView
    from services.model.hotwords import Term

_HEAD = ["list", "name", "terms", "revision", "changed (UTC)"]

ListId = Annotated[str, typer.Argument(metavar="ID", help="The list's id.")]
TermFile = Annotated[
    str, typer.Argument(metavar="FILE", help="A term a line, a boost behind a tab.")
]
Description = Annotated[str, typer.Option(help="For people.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


class BadTermFile(FanscribeError):
    """Give a file of text with a term on each line, and behind a tab, if you like, its boost."""

    exit_code = 2


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
            output.print_raw("\n".join(map(_line, found.terms)))


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


def read_terms(path: Path) -> list[Term]:
    """A term a line; blank lines and those that begin with # are passed over. Raises
    BadTermFile."""
    from services.model.hotwords import Term  # noqa: PLC0415

    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadTermFile(f"{str(path)!r} cannot be read as text: {error}.") from error
    found = []
    for number, line in enumerate(lines, 1):
        text, _, boost = (each.strip() for each in line.partition("\t"))
        if not text or text.startswith("#"):
            continue
        try:
            found.append(Term(text=text, boost=float(boost) if boost else None))
        except ValueError as error:
            raise BadTermFile(
                f"Line {number} of {str(path)!r}: {boost!r} is no boost from 1 to 10."
            ) from error
    return found


def _line(term: Term) -> str:
    return term.text if term.boost is None else f"{term.text}\t{term.boost:g}"


def _show(lists: list[TermListSummary] | list[TermListView], *, as_json: bool) -> None:
    from services.client import output  # noqa: PLC0415

    if as_json:
        output.print_json(lists)
    else:
        output.show_table(_HEAD, map(_row, lists))


def _row(kept: TermListSummary) -> list[str]:
    at = f"{kept.changed_at:%Y-%m-%d %H:%M:%S}"
    return [kept.id, kept.name, str(kept.count), str(kept.revision), at]
