"""The languages as tables, head and rows, for `docs/generate.py`."""  # noqa: INP001

from __future__ import annotations

from services.model.codebook import BOOK
from services.model.languages import LANGUAGES, english_name
from task_manager.render.limits import COMMON, READING


def codebook() -> tuple[list[str], list[list[str]]]:
    """The numbers of the coded pack."""
    rows = [[str(code), f"`{tag}`", english_name(tag)] for code, tag in BOOK.items()]
    return ["code", "language", "name"], rows


def languages() -> tuple[list[str], list[list[str]]]:
    """What each family of models calls a language; empty where it does not know it."""
    rows = [
        [f"`{row.tag}`", row.name, *map(_code, (row.whisper, row.nllb, row.m2m, row.madlad))]
        for row in LANGUAGES.values()
    ]
    return ["tag", "language", "Whisper", "NLLB", "M2M100", "MADLAD-400"], rows


def cue_limits() -> tuple[list[str], list[list[str]]]:
    """What is usual for a line of subtitles in a language."""
    named = {f"{english_name(tag)} (`{tag}`)": reading for tag, reading in READING.items()}
    rows = [
        [name, str(reading.max_width), f"{reading.max_cps:g}"]
        for name, reading in {**named, "all others": COMMON}.items()
    ]
    return ["language", "columns a line", "columns a second"], rows


def _code(code: str | None) -> str:
    return f"`{code}`" if code else ""
