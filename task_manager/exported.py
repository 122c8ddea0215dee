"""The objects that a task leaves under its output prefix: their names, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from services.model.export import ERROR, INDEX, KEYS_TOLD, PACK, Form, cell_name, item_folder
from services.model.pack import dumps
from services.model.task import Source, Task, TaskState
from services.model.transcript import Output
from services.storage.protocol import ObjectStore
from task_manager import transcripts, views
from task_manager.clock import moment
from task_manager.render import MEDIA_TYPES, Shown, render
from task_manager.results import Results
from task_manager.schemas.item import ItemView
from task_manager.store.protocol import OutputLine, Store

SCHEMA = 1  # of error.json and index.json
ERRORS_TOLD = 100  # in the error object of a task; each item has one of its own
_JSON = "application/json"
_UNTIMED = frozenset[Form]({"txt", "json"})  # for texts that nobody spoke
_AT_ONCE = 100  # items

Words = Output | OutputLine
W = TypeVar("W", bound=Words)


@dataclass(frozen=True, slots=True)
class File:
    """One object to be; `name` follows the task's folder. Without `chunks` it is to be removed."""

    name: str
    media_type: str
    chunks: Iterable[bytes] | None


@dataclass(slots=True)
class Listed:
    """What the index has told of so far, as whole keys. Of many only the first are remembered."""

    count: int = 0
    keys: list[str] = field(default_factory=list)

    def add(self, keys: Sequence[str]) -> Sequence[str]:
        self.count += len(keys)
        self.keys += keys[: max(0, KEYS_TOLD - len(self.keys))]
        return keys


class Exported:
    """Reads one task that has ended. What is large comes in pieces or file by file."""

    def __init__(self, store: Store, objects: ObjectStore, task: Task) -> None:
        self._store = store
        self._task = task
        self._options = task.manifest.options
        self._results = Results(store, objects, task)
        self._again = task.ends > 1  # an earlier end may have left errors that are none any more

    # ── of an item ───────────────────────────────────────────────────────────────────────────

    def of_item(self, ordinal: int) -> Iterator[list[File]]:
        """The files of each of its texts, and last its errors."""
        found = self._store.outputs(self._task.id, first=ordinal, last=ordinal)
        for output in filter(_is_told, found):
            yield self._of_words(output, found)
        if self._is_whole(ordinal, found):
            if self._again and self._has_failed_before(ordinal):
                yield [File(self._folder(ordinal) + ERROR, _JSON, None)]
        else:
            yield [self._error_of_item(ordinal)]

    def _of_words(self, output: Output, found: Sequence[Output]) -> list[File]:
        read = partial(transcripts.read, self._results)
        transcript, own = read(output), self._below(output, found)
        files = self._named(output, None, Shown((transcript,)))
        if own is not None:
            files += self._named(output, own.language, Shown((transcript, read(own))))
        return files

    def _named(self, output: Output, below: str | None, shown: Shown) -> list[File]:
        return [
            File(name, MEDIA_TYPES[form], [render(shown, form).encode()])
            for name, form in self._names_of(output, below)
        ]

    def _names_of(self, words: Words, below: str | None) -> list[tuple[str, Form]]:
        folder = self._folder(words.item)
        spoken = words.source == Source.AUDIO
        forms = [each for each in self._options.output_forms if spoken or each in _UNTIMED]
        named = partial(cell_name, words.language, words.source, below=below)
        return [(folder + named(form), form) for form in forms]

    def _below(self, words: W, found: Iterable[W]) -> W | None:
        """The item's own words, where a translation of them is wanted with them."""
        if words.kind != "translation" or not self._options.output_bilingual:
            return None
        own = (each for each in found if each.kind != "translation")
        return next((each for each in own if each.source == words.source), None)

    def _folder(self, ordinal: int) -> str:
        return item_folder(ordinal, self._task.manifest.items[ordinal].text_id)

    def _is_whole(self, ordinal: int, found: Iterable[Words]) -> bool:
        """Each of its cells is there."""
        if self._task.state is TaskState.SUCCEEDED:
            return True
        cells = (words for words in found if words.kind != "transcript")
        there = {(words.language, words.source) for words in cells}
        manifest = self._task.manifest
        sources = manifest.sources(manifest.items[ordinal])
        return all((name, source) in there for name in manifest.languages for source in sources)

    def _has_failed_before(self, ordinal: int) -> bool:
        return any(job.history for job in self._store.lean_jobs(self._task.id, ordinal, ordinal))

    def _error_of_item(self, ordinal: int) -> File:
        (view,) = self._views(ordinal, ordinal)
        about = {"ordinal": ordinal, "text_id": view.text_id, "errors": list(_errors(view))}
        return File(self._folder(ordinal) + ERROR, _JSON, [self._document(about)])

    def _views(self, first: int, last: int) -> list[ItemView]:
        items = self._store.items(self._task.id, after=first - 1, limit=last - first + 1)
        return views.item_views(self._task, self._store, items)

    # ── of the task ──────────────────────────────────────────────────────────────────────────

    def of_task(self) -> Iterator[File]:
        """What tells of the whole task, but for the index."""
        if self._task.counts.cells_done:
            yield File(PACK, _JSON, self._results.coded())
        if self._task.state is not TaskState.SUCCEEDED:
            yield File(ERROR, _JSON, [self._document(self._errors())])
        elif self._again:
            yield File(ERROR, _JSON, None)

    def index(self, prefix: str, names: Sequence[str], listed: Listed) -> File:
        """All keys that there are under the task's folder, item by item. `names` are those of the
        whole task."""
        return File(INDEX, _JSON, self._index(prefix, names, listed))

    def _index(self, prefix: str, names: Sequence[str], listed: Listed) -> Iterator[bytes]:
        keys = listed.add([prefix + name for name in names])
        yield self._document({"keys": keys})[:-1] + b',"items":['
        for ordinal, own in enumerate(self._names()):
            about = {
                "ordinal": ordinal,
                "text_id": self._task.manifest.items[ordinal].text_id,
                "keys": listed.add([prefix + name for name in own]),
            }
            yield (b"," if ordinal else b"") + dumps(about).encode()
        yield b"]}"

    def _names(self) -> Iterator[list[str]]:
        """Of the files of each item in turn."""
        for first, last in self._batches():
            found: dict[int, list[Words]] = {ordinal: [] for ordinal in range(first, last + 1)}
            for line in self._store.output_lines(self._task.id, first, last):
                found[line.item].append(line)
            for ordinal, lines in found.items():
                told = filter(_is_told, lines)
                names = [name for words in told for name in self._all_names_of(words, lines)]
                whole = self._is_whole(ordinal, lines)
                yield names if whole else [*names, self._folder(ordinal) + ERROR]

    def _all_names_of(self, words: Words, found: Iterable[Words]) -> list[str]:
        own = self._below(words, found)
        known = self._names_of(words, None)
        known += [] if own is None else self._names_of(words, own.language)
        return [name for name, _ in known]

    def _errors(self) -> dict[str, Any]:
        counts = self._task.counts
        found = (
            {"ordinal": view.ordinal, "text_id": view.text_id, **error}
            for first, last in self._batches()
            for view in self._views(first, last)
            for error in _errors(view)
        )
        return {
            "cells": counts.cells,
            "cells_done": counts.cells_done,
            "errors": list(islice(found, ERRORS_TOLD)),
        }

    def _batches(self) -> Iterator[tuple[int, int]]:
        count = len(self._task.manifest.items)
        for first in range(0, count, _AT_ONCE):
            yield first, min(first + _AT_ONCE, count) - 1

    def _document(self, about: dict[str, Any]) -> bytes:
        ended = moment(self._task.finished_at or self._task.created_at)
        document = {
            "schema": SCHEMA,
            "task_id": self._task.id,
            "metadata": self._task.metadata,
            "state": self._task.state,
            "finished_at": ended.isoformat(),
            **about,
        }
        return dumps(document).encode()


def _is_told(words: Words) -> bool:
    """The caller has his own texts already, unless they are cells too."""
    return words.source == Source.AUDIO or words.kind != "transcript"


def _errors(view: ItemView) -> Iterator[dict[str, Any]]:
    """One line for each cell that is not there; languages are named as the results name them."""
    for language, sources in view.cells.items():
        for source, cell in sources.items():
            if cell.state == "done":
                continue
            about = {"language": language, "source": source, "state": cell.state}
            if cell.error is not None:
                yield {**about, **cell.error.model_dump(exclude={"next_attempt_at"})}
            else:
                message = "The task was cancelled before this was done."
                yield {**about, "failure": None, "code": "cancelled", "message": message,
                       "attempts": 0}  # fmt: skip
