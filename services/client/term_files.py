"""Files of terms: a term a line, or a table with tabs whose first line names the columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.model.errors import FanscribeError

if TYPE_CHECKING:
    from services.model.glossary import Entry

_TERM = "term"  # the first word of a table
_YES = frozenset({"yes", "true", "1", "x"})
_FLAGS = ("keep", "case_sensitive")
_OWN = ("language", *_FLAGS, "boost")  # the other columns are target languages


class BadTermFile(FanscribeError):
    """Give a file of text with a term on each line, and behind a tab, if you like, its boost; or a
    table with tabs whose first line is `term` and the names of the columns."""

    exit_code = 2


def read_terms(path: Path) -> list[Entry]:
    """Blank lines and those that begin with # are passed over. Raises BadTermFile."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadTermFile(f"{str(path)!r} cannot be read as text: {error}.") from error
    rows = [
        (number, [cell.strip() for cell in line.split("\t")])
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    columns = [_TERM, "boost"]
    if rows and rows[0][1][0] == _TERM and len(rows[0][1]) > 1:
        columns = rows.pop(0)[1]
        if len(set(columns)) < len(columns) or "" in columns:
            raise BadTermFile(f"The columns of {str(path)!r} have a name each, and each another.")
    return [_entry(row, columns, f"Line {number} of {str(path)!r}") for number, row in rows]


def written(entries: Sequence[Entry]) -> str:
    """What `read_terms` reads."""
    languages = dict.fromkeys(tag for entry in entries for tag in entry.translations)
    own = [name for name in _OWN if any(getattr(entry, name) for entry in entries)]
    columns = [_TERM, *languages, *own]
    rows = [[_cell(entry, column) for column in columns] for entry in entries]
    if columns[1:] in ([], ["boost"]):
        return "\n".join("\t".join(row).rstrip("\t") for row in rows)
    return "\n".join("\t".join(row) for row in [columns, *rows])


def _entry(row: Sequence[str], columns: Sequence[str], where: str) -> Entry:
    from services.model.glossary import Entry  # noqa: PLC0415  a fast start does without

    if len(row) > len(columns):
        raise BadTermFile(f"{where} has more columns than the first line names.")
    cells = dict(zip(columns, row, strict=False))
    if not cells[_TERM]:
        raise BadTermFile(f"{where} has no term.")
    given: dict[str, Any] = {"text": cells[_TERM], "language": cells.get("language") or None}
    given |= {name: _flag(cells.get(name, ""), where) for name in _FLAGS}
    boost = cells.get("boost", "")
    try:
        return Entry(
            **given,
            boost=float(boost) if boost else None,
            translations=_translations(cells, columns),
        )
    except ValueError as error:
        raise BadTermFile(f"{where}: {boost!r} is no boost from 1 to 10.") from error


def _translations(cells: Mapping[str, str], columns: Iterable[str]) -> dict[str, str]:
    tags = [name for name in columns if name not in {_TERM, *_OWN}]
    return {tag: text for tag in tags if (text := cells.get(tag, ""))}


def _flag(cell: str, where: str) -> bool:
    if cell.lower() not in {"", "no", "false", "0", *_YES}:
        raise BadTermFile(f"{where}: {cell[:20]!r} is neither yes nor no.")
    return cell.lower() in _YES


def _cell(entry: Entry, column: str) -> str:
    if column == _TERM:
        return entry.text
    if column in _FLAGS:
        return "yes" if getattr(entry, column) else ""
    if column == "boost":
        return "" if entry.boost is None else f"{entry.boost:g}"
    if column == "language":
        return entry.language or ""
    return entry.translations.get(column, "")
