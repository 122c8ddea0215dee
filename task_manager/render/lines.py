"""How wide a text looks and where its lines may break, in scripts with spaces and without."""

from __future__ import annotations

import unicodedata

# No line begins with one of these, and none ends with one of those.
_CLOSING = frozenset(
    "、。，．,.!?！？…‥:;：；)]}）］｝〕〉》」』】”’»›％%ーゝゞヽヾ々ぁぃぅぇぉっゃゅょァィゥェォッャュョ・"
)
_OPENING = frozenset("([{（［｛〔〈《「『【“‘«‹")
_JOINER = "\u200d"  # glues what stands after it to what stands before it


def width(text: str) -> int:
    """Columns on a screen: two for a wide East Asian character, none for a combining mark."""
    return sum(_columns(character) for character in text)


def clean(text: str) -> str:
    """One line without control characters, every run of white space a single space."""
    seen = (c for c in text if c.isspace() or unicodedata.category(c) != "Cc")
    return " ".join("".join(seen).split())


def wrap(text: str, max_width: int) -> list[str]:
    """Lines of at most `max_width` columns, as few as possible, then as even as possible."""
    units = [piece for unit in _units(clean(text)) for piece in _broken(unit, max_width)]
    widest = _fill(units, max_width)
    if len(widest) < 2:
        return widest
    for narrower in range(max_width // 2, max_width):
        lines = _fill(units, narrower)
        if len(lines) == len(widest) and all(width(line) <= narrower for line in lines):
            return lines
    return widest


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _units(line: str) -> list[str]:
    """What must not be torn apart, each with the space that follows it."""
    units: list[str] = []
    for character in line:
        if units and _sticks(units[-1], character):
            units[-1] += character
        else:
            units.append(character)
    return units


def _sticks(unit: str, character: str) -> bool:
    last = unit[-1]
    if character == " " or character in _CLOSING or not _columns(character) or last == _JOINER:
        return True
    if last == " ":
        return False
    return last in _OPENING or (_narrow(last) and _narrow(character) and last not in _CLOSING_WIDE)


def _narrow(character: str) -> bool:
    return _columns(character) < 2


_CLOSING_WIDE = frozenset(character for character in _CLOSING if _columns(character) == 2)


def _broken(unit: str, max_width: int) -> list[str]:
    """A unit that is wider than a line, cut where the line is full."""
    pieces = [""]
    for character in unit:
        if width((pieces[-1] + character).rstrip()) > max_width and pieces[-1].strip():
            pieces.append("")
        pieces[-1] += character
    return pieces


def _fill(units: list[str], max_width: int) -> list[str]:
    lines: list[str] = []
    line = ""
    for unit in units:
        if line and width((line + unit).rstrip()) > max_width:
            lines.append(line.rstrip())
            line = ""
        line += unit
    if line.strip():
        lines.append(line.rstrip())
    return lines
