"""Opens a coded pack, plain or zipped, and looks up one cell, with nothing but Python itself.

python examples/read_pack.py pack.json ja 文本编号1 A
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMA = 1
ZIPPED = b"\x1f\x8b"
# The code book, version 1: the first is number 1. A number never changes its meaning.
_TAGS = """
zh en ja de fr es ko zh-Hant ru pt it ar hi af am as az ba be bg bn bo br bs ca cs cy da el et eu
fa fi fil fo gl gu ha haw he hr ht hu hy id is jv ka kk km kn la lb ln lo lt lv mg mi mk ml mn mr
ms mt my ne nl nn no oc pa pl ps ro sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tr tt uk ur
uz vi yi yo yue
"""
BOOK = dict(enumerate(_TAGS.split(), start=1))


class UnreadablePack(ValueError):
    """It is no coded pack, or a newer one than this reader."""


class Missing(LookupError):
    """The cell was asked for, and failed or was cancelled."""


class Pack:
    """`languages` are the targets in their order. `book` tells a newer code book, by number."""

    def __init__(self, raw: bytes, book: Mapping[int, str] = BOOK) -> None:
        document = _read(raw)
        numbers = [int(number) for number in document["data"]]
        if unknown := [number for number in numbers if number not in book]:
            raise UnreadablePack(
                f"The pack has languages of code book {document['codebook']} that this reader does "
                f"not know: {unknown}. GET /v1/codebook tells them."
            )
        self.languages = [book[number] for number in numbers]
        self.complete: bool = document["complete"]
        self._texts: dict[str, dict[str, dict[str, str]]] = {
            book[int(number)]: texts for number, texts in document["data"].items()
        }
        self._missing = {(book[number], *cell) for number, *cell in document["missing"]}
        self._versions: dict[tuple[str, str, str], int] = {
            (book[number], text_id, source): version
            for number, text_id, source, version in document.get("versions", [])
        }

    def text(self, language: str, text_id: str, source: str = "A") -> str:
        """Raises Missing, or KeyError for what nobody asked for."""
        if self.is_missing(language, text_id, source):
            raise Missing(f"{language}/{text_id}/{source} was never made.")
        return self._texts[language][text_id][source]

    def is_missing(self, language: str, text_id: str, source: str = "A") -> bool:
        return (language, text_id, source) in self._missing

    def version(self, language: str, text_id: str, source: str = "A") -> int:
        """Above 0 where somebody corrected the text, or the words that it was made from."""
        return self._versions.get((language, text_id, source), 0)


def _read(raw: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(gzip.decompress(raw) if raw[:2] == ZIPPED else raw)
        schema = found["schema"]
    except (ValueError, OSError, EOFError, KeyError, TypeError, zlib.error) as error:
        raise UnreadablePack("This is no coded pack: fetch the result with form=coded.") from error
    if schema != SCHEMA:
        raise UnreadablePack(f"The pack has schema {schema}; this reader knows {SCHEMA}.")
    return found


def main(file: str, *cell: str) -> int:
    pack = Pack(Path(file).read_bytes())
    if not cell:
        print(*pack.languages)
        return 0
    try:
        print(pack.text(*cell))
    except LookupError as error:
        print(repr(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
