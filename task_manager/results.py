"""The result of a task: read from packs and outputs, in exactly the bytes that were promised."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from services.model.errors import NotFinished, NotFound
from services.model.languages import parse_language
from services.model.pack import Pack, dumps, expanded, joined
from services.model.task import Item, Source, Task
from services.model.transcript import Body, Output, output_id
from services.storage.protocol import ObjectStore
from task_manager.hot_cache import HotCache
from task_manager.store.protocol import Store
from task_manager.views import spellings

Form = Literal["coded", "expanded"]

_LOOKED_AT = 20  # items that a refusal looks at for cells that are missing
_NAMED = 5  # how many of those it names


@dataclass(frozen=True, slots=True)
class Result:
    """The packs of some languages. `tag` changes whenever the bytes would."""

    packs: Sequence[Pack]
    form: Form
    tag: str
    complete: bool
    codebook: int
    revision: int


class Results:
    """Reads what one task has come to."""

    def __init__(
        self, store: Store, objects: ObjectStore, task: Task, hot: HotCache | None = None
    ) -> None:
        self._store = store
        self._objects = objects
        self._task = task
        self._hot = hot

    def _at_hand(self, name: tuple[str, ...], read: Callable[[], str]) -> str:
        """What is read of a task that has ended stays the same while its revision does."""
        if self._hot is None or not self._task.state.ended:
            return read()
        return self._hot.through((self._task.id, self._task.revision, *name), read)

    # ── packs ────────────────────────────────────────────────────────────────────────────────

    def find(self, form: Form, languages: Sequence[str] = ()) -> Result:
        """The packs of these target languages, of all if none is named, as requested.

        Raises NotFinished while the task runs, and NotFound `no_pack` for one without targets.
        """
        if not self._task.manifest.targets:
            raise NotFound(
                f"This task has no target languages, so there is no pack: its words are at "
                f"GET /v1/tasks/{self._task.id}/items/{{text_id}}/transcript.",
                code="no_pack",
            )
        wanted = {self.target(language, field="language") for language in languages}
        self._require_end()
        packs = [
            self._pack(language)
            for language in self._task.manifest.languages
            if not wanted or language in wanted
        ]
        if len({pack.revision for pack in packs}) > 1:  # the task is ending anew just now
            raise _packing()
        names = spellings(self._task)
        identity = dumps([form, [(pack.sha256, names[pack.language]) for pack in packs]])
        return Result(
            packs=packs,
            form=form,
            tag=sha256(identity.encode()).hexdigest()[:32],
            complete=all(pack.complete for pack in packs),
            codebook=max(pack.codebook for pack in packs),
            revision=packs[0].revision,
        )

    def body(self, result: Result) -> bytes:
        """The document. One language's coded form is its pack, byte for byte."""
        bodies = [self._body(pack) for pack in result.packs]
        if result.form == "coded" and len(bodies) == 1:
            return bodies[0]
        documents = [json.loads(body) for body in bodies]
        if result.form == "coded":
            return "".join(joined(lambda: documents)).encode()
        names = spellings(self._task)
        shown = {name: texts for each in documents for name, texts in expanded(each, names).items()}
        return dumps(shown).encode()

    def coded(self) -> Iterator[bytes]:
        """The coded form of all languages, the same bytes, in pieces."""
        languages = self._task.manifest.languages

        def documents() -> Iterator[dict[str, Any]]:
            return (json.loads(self._body(self._pack(language))) for language in languages)

        return (piece.encode() for piece in joined(documents))

    def _require_end(self) -> None:
        task = self._task
        if task.state.ended:
            return
        missing = self._missing()
        named = f" Missing so far: {', '.join(missing[:_NAMED])}" if missing else ""
        more = " and more." if len(missing) > _NAMED else "."
        raise NotFinished(
            f"The task is {task.state}.{named}{more if named else ''} "
            f"GET /v1/tasks/{task.id}/items tells of every cell.",
            retry_after_s=1,
        )

    def _missing(self) -> list[str]:
        """Cells of the first items that have no text yet, as language/text id/source."""
        manifest = self._task.manifest
        found = self._store.output_lines(self._task.id, 0, _LOOKED_AT - 1)
        there = {
            (output.item, output.language, output.source)
            for output in found
            if output.kind != "transcript"
        }
        return [
            f"{spelling}/{item.text_id}/{source.value}"
            for ordinal, item in enumerate(manifest.items[:_LOOKED_AT])
            for language, spelling in spellings(self._task).items()
            for source in manifest.sources(item)
            if (ordinal, language, source) not in there
        ]

    def _pack(self, language: str) -> Pack:
        if self._hot is None:
            return self._stored(language)
        text = self._at_hand(("pack", language), lambda: self._stored(language).model_dump_json())
        return Pack.model_validate_json(text)

    def _stored(self, language: str) -> Pack:
        pack = self._store.pack(self._task.id, language)
        if pack is None:
            raise _packing()
        return pack

    def _body(self, pack: Pack) -> bytes:
        if pack.body is not None:
            return pack.body.encode()
        assert pack.key is not None
        return b"".join(self._objects.get(pack.key))

    # ── cells and texts ──────────────────────────────────────────────────────────────────────

    def target(self, language: str, *, field: str) -> str:
        """The canonical tag of a target of this task, however it is spelt. Raises NotFound."""
        tag = parse_language(language, field=field)
        if tag not in self._task.manifest.languages:
            named = ", ".join(spellings(self._task).values())
            raise NotFound(
                f"{language[:40]!r} is no target of this task; those are {named}.",
                code="not_a_target",
                field=field,
            )
        return tag

    def item(self, text_id: str) -> Item:
        """Raises NotFound `unknown_text_id`."""
        item = self._store.item_by_text_id(self._task.id, text_id)
        if item is None:
            raise NotFound(
                "The task has no item with this text id; percent-encode it in the path.",
                code="unknown_text_id",
                field="text_id",
            )
        return item

    def output(self, item: Item, language: str, source: str) -> Output | None:
        return self._store.output(output_id(self._task.id, item.ordinal, source, language))

    def own_words(self, item: Item, source: Source) -> Output | None:
        """What was heard in an item, or its text, in its own language; None if not there (yet)."""
        found = self._store.outputs(self._task.id, first=item.ordinal, last=item.ordinal)
        own = (each for each in found if each.source == source and each.kind != "translation")
        return next(own, None)

    def cell(self, language: str, text_id: str, source: Source) -> str:
        """The text of one cell. Raises NotFound, or NotFinished if it may still come."""
        tag = self.target(language, field="language")
        name = ("cell", tag, source.value, text_id)
        return self._at_hand(name, lambda: self._cell(tag, text_id, source))

    def _cell(self, tag: str, text_id: str, source: Source) -> str:
        item = self.item(text_id)
        spec = self._task.manifest.items[item.ordinal]
        if source not in self._task.manifest.sources(spec):
            lacks = "audio" if source is Source.AUDIO else "text"
            raise NotFound(
                f"This item has no {lacks}, so it has no cell {source.value}.",
                code="no_such_source",
                field="source",
            )
        output = self.output(item, tag, source)
        if output is None or output.kind == "transcript":
            raise self.absent()
        return self.text(output.text)

    def absent(self) -> NotFinished | NotFound:
        """What to say of a text that is not there: not yet, or never."""
        if not self._task.state.ended:
            return NotFinished("This text is not there yet: the task is running.", retry_after_s=1)
        return NotFound(
            f"This text was never made; GET /v1/tasks/{self._task.id}/items says why.",
            code="cell_failed",
        )

    def text(self, body: Body) -> str:
        """A text, wherever it lies."""
        if body.inline is not None or body.key is None:
            return body.inline or ""
        return b"".join(self._objects.get(body.key)).decode()


def _packing() -> NotFinished:
    return NotFinished("The result is being packed: try again.", retry_after_s=1)
