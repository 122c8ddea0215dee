"""Audio files and what is said in them, as a folder holds them.

The words of `1.mp3` stand in `1.txt` beside it, or all of them in one `references.tsv` (audio,
text and perhaps language, with or without a line of names) or `references.jsonl` (an object a
line with these names). Paths in a list start at the folder.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.client.submitting import BadArguments

LISTS = ("references.tsv", "references.jsonl")
_NO_AUDIO = frozenset({".txt", ".tsv", ".csv", ".json", ".jsonl", ".md", ".srt", ".vtt"})
_NAMES = ("audio", "text", "language")


@dataclass(frozen=True, slots=True)
class Sample:
    """An audio, the words said in it, and their language; the name is its path in the folder."""

    name: str
    audio: Path
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """The samples by name; `silent` are files without words, which are left out."""

    samples: list[Sample]
    silent: list[str]


def read(folder: Path, language: str | None) -> Corpus:
    """All of a folder; `language` is that of words that state none. Raises BadArguments."""
    if not folder.is_dir():
        raise BadArguments(f"{str(folder)!r} is no folder.")
    listed = list_in(folder)
    rows = _beside(folder) if listed is None else _listed(listed)
    samples = [_sample(folder, *row, language=language) for row in rows]
    names = [sample.name for sample in samples]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise BadArguments(f"{folder} names {min(doubled)!r} twice.")
    if not samples:
        raise BadArguments(
            f"{folder} has no audio with its words beside it: write 1.txt for 1.mp3, or "
            "references.tsv for all of them."
        )
    known = {sample.audio for sample in samples}
    silent = [each.name for each in _audio(folder) if each not in known]
    return Corpus(sorted(samples, key=lambda sample: sample.name), silent)


def list_in(folder: Path) -> Path | None:
    """The list of references, if the folder has one. Raises BadArguments where it has two."""
    lists = [folder / name for name in LISTS if (folder / name).is_file()]
    if len(lists) > 1:
        raise BadArguments(f"{folder} has two lists of references: keep one of {LISTS}.")
    return lists[0] if lists else None


def rows_of(path: Path, names: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a list with their line numbers; `names` are in the line that names its columns,
    if it has one. Raises BadArguments."""
    lines = text_of(path).splitlines()
    return _of_objects(path, lines) if path.suffix == ".jsonl" else _of_columns(path, lines, names)


def _audio(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [
        path
        for path in files
        if path.suffix.lower() not in _NO_AUDIO and not path.name.startswith(".")
    ]


def _beside(folder: Path) -> Iterator[tuple[str, str, str | None]]:
    for audio in _audio(folder):
        reference = audio.with_suffix(".txt")
        if reference.is_file():
            yield audio.name, text_of(reference), None


def _listed(path: Path) -> Iterator[tuple[str, str, str | None]]:
    for number, row in rows_of(path, ("audio", "text")):
        if not row.get("audio") or row.get("text") is None:
            raise BadArguments(f"{path}:{number}: name an audio and its text.")
        yield str(row["audio"]), str(row["text"]), row.get("language") or None


def _of_objects(path: Path, lines: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise BadArguments(f"{path}:{number}: this is no JSON.") from error
            if not isinstance(row, dict):
                raise BadArguments(f"{path}:{number}: write an object with {_NAMES}.")
            yield number, row


def _of_columns(
    path: Path, lines: list[str], named: Iterable[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    names = list(_NAMES)
    for number, row in enumerate(rows, start=1):
        if number == 1 and set(named) <= {each.strip() for each in map(str.lower, row)}:
            names = [each.strip() for each in row]
        elif len(row) > len(names):
            raise BadArguments(f"{path}:{number}: there are more columns than {names}.")
        elif any(row):
            yield number, dict(zip(names, row, strict=False))


def _sample(folder: Path, name: str, text: str, own: str | None, *, language: str | None) -> Sample:
    audio = folder / name
    if not audio.is_file():
        raise BadArguments(f"{str(audio)!r} is no file, though its words are there.")
    spoken = own or language
    if spoken is None:
        raise BadArguments(f"Say in which language {name!r} is, with --language en or in a list.")
    return Sample(name, audio, text.strip(), spoken)


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadArguments(f"{path} is not UTF-8: save it anew.") from error
