"""The result of a task for its consumers: one body per language, coded or expanded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.model.codebook import CODEBOOK_VERSION, code_of, language_of
from services.model.values import Stored

SCHEMA = 1


class Pack(Stored):
    """The document of one language of a task's result.

    `body` is the coded JSON of that language, byte for byte as it is served; above 12 MB it is
    None and lies at `key`. A higher revision (the task's) replaces a lower one.
    """

    id: str  # <task>/<language>
    task_id: str
    language: str
    revision: int
    codebook: int = CODEBOOK_VERSION
    complete: bool
    body: str | None = None
    key: str | None = None
    size: int
    sha256: str


Cells = Mapping[str, Mapping[str, Mapping[str, str]]]  # language → text id → source → text


def dumps(value: Any) -> str:
    """JSON as we write it everywhere: order kept, no spaces, nothing ASCII-escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def coded(
    cells: Cells,
    missing: Sequence[tuple[str, str, str]],
    versions: Sequence[tuple[str, str, str, int]] = (),
) -> dict[str, Any]:
    """The coded form of some languages; `missing` lists (language, text id, source), `versions`
    the same of cells whose words were corrected, and the version of each."""
    head = _head(
        CODEBOOK_VERSION,
        [[code_of(language), *cell] for language, *cell in missing],
        [[code_of(language), *cell] for language, *cell in versions],
    )
    return {**head, "data": {str(code_of(language)): texts for language, texts in cells.items()}}


def _head(codebook: int, missing: list[list[Any]], versions: list[list[Any]]) -> dict[str, Any]:
    """Where nothing was corrected it says nothing of versions: not a byte is other than before."""
    head = {
        "schema": SCHEMA,
        "codebook": codebook,
        "complete": not missing,
        "missing": missing,
    }
    return {**head, "versions": versions} if versions else head


def joined(read: Callable[[], Iterable[Mapping[str, Any]]]) -> Iterator[str]:
    """The coded document of several languages, in pieces, from those of single languages, which
    are read twice: no two have to be in memory. Its code book is the newest of theirs, so that a
    release with a newer one gives the same bytes."""
    books: list[int] = []
    missing: list[list[Any]] = []
    versions: list[list[Any]] = []
    for document in read():
        books.append(document["codebook"])
        missing += document["missing"]
        versions += document.get("versions", [])
    yield dumps(_head(max(books, default=CODEBOOK_VERSION), missing, versions))[:-1] + ',"data":{'
    for number, document in enumerate(read()):
        yield ("," if number else "") + dumps(document["data"])[1:-1]
    yield "}}"


def expanded(
    document: Mapping[str, Any], spelling: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The expanded form of a coded document: exactly language → text id → source → text.

    `spelling` renames languages as the caller spelt them.
    """
    names = spelling or {}
    result: dict[str, Any] = {}
    for code, texts in document["data"].items():
        language = language_of(int(code))
        result[names.get(language, language)] = texts
    return result
