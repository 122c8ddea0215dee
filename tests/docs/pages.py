"""The pages of the project, taken apart into what can be checked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_FENCE = re.compile(r"^( *)```(\w*) ?([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `info` is what stands behind its language."""

    page: Path
    line: int
    language: str
    info: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """The fenced blocks of a page, of these languages if any are named."""
    text = read(page)
    for match in _FENCE.finditer(text):
        if not languages or match[2] in languages:
            line = text.count("\n", 0, match.start()) + 1
            lines = [each.removeprefix(match[1]) for each in match[4].splitlines()]
            yield Block(page, line, match[2], match[3].strip(), "\n".join(lines))


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def shell_commands(text: str) -> Iterator[list[str]]:
    """The words of each command of a shell block; comments and assignments are left out."""
    pending = ""
    for line in text.replace("\\\n", " ").splitlines():
        pending += line + "\n"
        try:
            words = shlex.split(pending, comments=True)
        except ValueError:
            continue  # a quotation goes on in the next line
        pending = ""
        while words and re.match(r"\w+=", words[0]):
            words = words[1:]
        if words:
            yield words
    if pending:
        raise ValueError(f"a quotation has no end: {pending}")
