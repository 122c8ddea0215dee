"""From what is typed at the command line to the items and options of a task, with a bar for each
file that is sent."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)

from services.client.calls.submitting import Glossary, Hotwords, Item, Options
from services.client.calls.terms import sent
from services.client.media import UploadProgress
from services.client.term_files import read_terms
from services.model.errors import FanscribeError


class BadArguments(FanscribeError):
    """What was typed does not make a task."""

    exit_code = 2


def to_items(files: Sequence[str], texts: Sequence[str]) -> list[Item]:
    """Files and URLs under their stems, in order; a text of the same id joins its file, others
    follow. Raises BadArguments.
    """
    items = dict(map(_of_file, files))
    if len(items) < len(files):
        raise BadArguments("Two files have the same name without its ending: rename one.")
    for written in texts:
        text_id, separator, text = written.partition("=")
        if not separator or not text_id:
            raise BadArguments(f"--text {written[:40]!r}: write ID=TEXT.")
        known = items.get(text_id)
        if known is not None and known.text is not None:
            raise BadArguments(f"--text names {text_id!r} twice.")
        items[text_id] = replace(known or Item(text_id=text_id), text=text)
    if not items:
        raise BadArguments("Name at least one file, or a text with --text ID=TEXT.")
    return list(items.values())


def _of_file(written: str) -> tuple[str, Item]:
    if "://" in written:
        path = PurePosixPath(unquote(urlsplit(written).path))
        text_id = path.stem or "1"
        return text_id, Item(written, text_id=text_id)
    file = Path(written)
    if not file.is_file() or not os.access(file, os.R_OK):
        raise BadArguments(f"{written!r} is no file that can be read.")
    return file.stem, Item(file, text_id=file.stem)


def to_targets(written: str) -> list[str]:
    """The languages of a comma list. Raises BadArguments."""
    targets = _listed(written)
    if not targets:
        raise BadArguments("Name the target languages, such as --to zh,ja.")
    return targets


def to_spoken(written: str | None) -> list[str] | None:
    """The languages of a comma list, one of which is spoken. Raises BadArguments."""
    if written is None:
        return None
    if not (tags := _listed(written)):
        raise BadArguments("Name the languages that may be spoken, such as --spoken en,zh.")
    return tags


def _listed(written: str) -> list[str]:
    return [tag for part in written.split(",") if (tag := part.strip())]


def to_options(
    stated: Mapping[str, Any], written: Sequence[str] = (), temperature: str | None = None
) -> Options | None:
    """What was said of them: by options of their own, None where nothing was, and as `name=value`,
    where a value is JSON if it can be. Raises BadArguments."""
    given = {**stated, "temperature": _temperature(temperature)}
    options = {name: value for name, value in given.items() if value is not None}
    for each in written:
        name, separator, value = each.partition("=")
        if not separator or not name:
            raise BadArguments(f"--option {each[:40]!r}: write NAME=VALUE.")
        if name in options:
            raise BadArguments(f"The option {name!r} is given twice.")
        options[name] = _value(value)
    return cast("Options", options) or None  # the server knows which there are


def _temperature(written: str | None) -> float | list[float] | None:
    """A number, or several with commas. Raises BadArguments."""
    if written is None:
        return None
    try:
        numbers = [float(each) for each in written.split(",")]
    except ValueError as error:
        raise BadArguments(f"--temperature {written[:40]!r}: write numbers.") from error
    return numbers if len(numbers) > 1 else numbers[0]


def _value(written: str) -> Any:
    try:
        return json.loads(written)
    except ValueError:
        return written


def to_hotwords(named: str | None, method: str, boost: float | None) -> Hotwords | None:
    """A file's terms, or else the list of that name. Raises BadArguments or BadTermFile."""
    if named is None:
        if boost is not None:
            raise BadArguments("--boost goes with --hotwords FILE-OR-LIST.")
        return None
    wanted = Hotwords(method=cast("Literal['prompt', 'bias']", method))  # the server knows them
    if boost is not None:
        wanted["boost_factor"] = boost
    if Path(named).is_file():
        wanted["terms"] = sent(read_terms(Path(named)))
    else:
        wanted["list"] = named
    return wanted


def to_glossary(named: Sequence[str]) -> Glossary | None:
    """The terms of files, and the lists of the other names. Raises BadTermFile."""
    files = [each for each in named if Path(each).is_file()]
    terms = [entry for file in files for entry in read_terms(Path(file))]
    lists = [each for each in named if each not in files]
    return Glossary(terms=sent(terms), lists=lists) if named else None


@contextmanager
def upload_bars(console: Console) -> Iterator[Callable[[UploadProgress], None]]:
    """A bar for each file that it is told of; none where there is no terminal."""
    bars: dict[str, TaskID] = {}
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        TextColumn("{task.description}"),
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:

        def show(told: UploadProgress) -> None:
            if told.name not in bars:
                bars[told.name] = progress.add_task(told.name, total=told.size)
            progress.update(bars[told.name], completed=told.sent)

        yield show
