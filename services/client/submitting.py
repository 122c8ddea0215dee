"""From files and texts on the command line to the body of `POST /v1/tasks`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from services.client.api import Api
from services.client.uploading import forget
from services.model.errors import FanscribeError


class BadArguments(FanscribeError):
    """What was typed does not make a task."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One item to be: a file or a URL, a text, or both under one text id."""

    text_id: str
    file: Path | None = None
    text: str | None = None
    language: str | None = None
    url: str | None = None


def to_entries(files: Sequence[str], texts: Sequence[str]) -> list[Entry]:
    """Files and URLs under their stems, in order; a text of the same id joins its file, others
    follow. Raises BadArguments.
    """
    given = [_of_file(written) for written in files]
    entries = {entry.text_id: entry for entry in given}
    if len(entries) < len(files):
        raise BadArguments("Two files have the same name without its ending: rename one.")
    for written in texts:
        text_id, separator, text = written.partition("=")
        if not separator or not text_id:
            raise BadArguments(f"--text {written[:40]!r}: write ID=TEXT.")
        known = entries.get(text_id)
        if known is not None and known.text is not None:
            raise BadArguments(f"--text names {text_id!r} twice.")
        entries[text_id] = replace(known or Entry(text_id), text=text)
    if not entries:
        raise BadArguments("Name at least one file, or a text with --text ID=TEXT.")
    return list(entries.values())


def _of_file(written: str) -> Entry:
    if "://" in written:
        path = PurePosixPath(unquote(urlsplit(written).path))
        return Entry(path.stem or "1", url=written)
    file = Path(written)
    if not file.is_file() or not os.access(file, os.R_OK):
        raise BadArguments(f"{written!r} is no file that can be read.")
    return Entry(file.stem, file=file)


def submit(
    api: Api,
    entries: Sequence[Entry],
    console: Console,
    **rest: Any,
) -> str:
    """Uploads what is a file, creates the task, and returns its id. `rest` is the remaining body:
    targets, language, options, priority."""
    items = []
    with _upload_bars(console) as progress:
        for entry in entries:
            item: dict[str, Any] = {"text_id": entry.text_id}
            if entry.file is not None:
                item["audio"] = api.upload(entry.file, _bar(progress, entry.file)).key
            if entry.url is not None:
                item["audio"] = entry.url
            if entry.text is not None:
                item["text"] = entry.text
            if entry.language is not None:
                item["language"] = entry.language
            items.append(item)
    given = {name: value for name, value in rest.items() if value not in (None, {})}
    task_id = api.create({"items": items, **given}).id
    forget(api.url, [entry.file for entry in entries if entry.file is not None])
    return task_id


def _upload_bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _bar(progress: Progress, file: Path) -> Callable[[int], None]:
    bar = progress.add_task(file.name, total=file.stat().st_size)
    return lambda count: progress.advance(bar, count)
