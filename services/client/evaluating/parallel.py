"""Texts and what they are in other languages, as a folder holds them.

A list `references.tsv` or `references.jsonl` has `text`, perhaps `audio` and `language`, and what
it is in each other language under the tag of that; in a table the first line names the columns.
Or each language has a file, `en.txt` and `de.txt`: a line of the one is that of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.client.evaluating.corpus import list_in, rows_of, text_of
from services.client.submitting import BadArguments


@dataclass(frozen=True, slots=True)
class Pair:
    """A text in its language, an audio of it if there is one, and what it is in others."""

    name: str
    text: str
    language: str
    references: dict[str, str]
    audio: Path | None = None


def read(folder: Path, targets: Sequence[str], language: str | None) -> list[Pair]:
    """All of a folder; `language` is that of texts that state none. Raises BadArguments."""
    if not folder.is_dir():
        raise BadArguments(f"{str(folder)!r} is no folder.")
    listed = list_in(folder)
    pairs = (
        _of_files(folder, targets, language)
        if listed is None
        else list(_of_list(listed, targets, language))
    )
    if not pairs:
        raise BadArguments(f"{folder} has no text.")
    return pairs


def _of_list(path: Path, targets: Sequence[str], language: str | None) -> Iterator[Pair]:
    for number, row in rows_of(path, ("text",)):
        spoken = row.get("language") or language
        if spoken is None:
            raise BadArguments(f"{path}:{number}: say its language, here or with --language en.")
        if not row.get("text"):
            raise BadArguments(f"{path}:{number}: there is no text.")
        references = {t: row[t] for t in targets if t != spoken and row.get(t)}
        if not references:
            raise BadArguments(
                f"{path}:{number}: there is nothing to hold a translation into "
                f"{', '.join(targets)} against; name the columns by language."
            )
        audio = path.parent / row["audio"] if row.get("audio") else None
        if audio is not None and not audio.is_file():
            raise BadArguments(f"{path}:{number}: {str(audio)!r} is no file.")
        yield Pair(str(number), str(row["text"]), spoken, references, audio)


def _of_files(folder: Path, targets: Sequence[str], language: str | None) -> list[Pair]:
    """Blank lines are left out, but in all files or in none."""
    if language is None:
        raise BadArguments("Say in which language the texts are, with --language en.")
    lines = {name: _lines(folder / f"{name}.txt") for name in (language, *targets)}
    for name, each in lines.items():
        if len(each) != len(lines[language]):
            raise BadArguments(
                f"{name}.txt has {len(each)} lines, {language}.txt {len(lines[language])}: "
                "a line of the one has to be that of the other."
            )
    found = []
    for number, text in enumerate(lines[language]):
        references = {t: lines[t][number].strip() for t in targets if t != language}
        if text.strip() and all(references.values()):
            found.append(Pair(str(number + 1), text.strip(), language, references))
        elif text.strip() or any(references.values()):
            raise BadArguments(f"Line {number + 1} is blank in one file and not in another.")
    return found


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise BadArguments(
            f"{path} is not there: write references.tsv, or a file of lines for each language."
        )
    return text_of(path).splitlines()
