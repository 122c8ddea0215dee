"""From what a caller writes to the output that takes the place of another: everything that can be
wrong with it is found here."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from services.model.correction import CORRECTED, MOST_VERSIONS, Correction, runs_after, with_texts
from services.model.errors import Conflict, Invalid
from services.model.messages import INLINE_LIMIT
from services.model.task import Item, Source, Task
from services.model.transcript import Body, Output, Transcript, inline
from services.storage import keys
from services.storage.protocol import ObjectStore
from task_manager import transcripts
from task_manager.characters import NOT_IN_TEXTS, check_characters
from task_manager.manifests import check_text
from task_manager.pipeline.correct import refuse_to_correct
from task_manager.results import Results
from task_manager.schemas.correction import Corrected
from task_manager.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and where to."""

    store: Store
    objects: ObjectStore
    key: str
    longest_text: int  # characters


def correction_of(
    writer: Writer, task: Task, item: Item, there: Output, wanted: Corrected
) -> Correction | None:
    """The plan to save it; None where the words are these already, so that a request whose answer
    was lost may be sent again. Raises Invalid, or Conflict where another version counts by now."""
    results = Results(writer.store, writer.objects, task)
    if there.source == Source.AUDIO:
        write = _by_segments(results, there, wanted)
    else:
        write = _by_text(results, there, wanted, writer.longest_text)
    if write is None:
        return None
    refuse_to_correct(task)
    if wanted.version != there.version:
        raise Conflict(
            f"Version {there.version} counts by now, and you corrected version {wanted.version}: "
            "read it again.",
            code="stale_version",
            field="version",
        )
    lines = writer.store.output_lines(task.id, item.ordinal, item.ordinal)
    newest = max(line.version for line in lines if line.source == there.source)
    if newest >= MOST_VERSIONS:
        raise Conflict(
            f"These words have {MOST_VERSIONS} versions, and no more are kept.",
            code="too_many_versions",
        )
    about = {
        "version": newest + 1,
        "attempt": 0,
        "corrected_by": writer.key,
        "created_at": writer.store.now(),
        "kind": _kind(task, there),
    }
    saved = write(lambda name, text: _kept(writer, there.id, name, text))
    return Correction(output=saved.model_copy(update=about), overwrite=wanted.overwrite)


Keep = Callable[[str, str], Body]
Write = Callable[[Keep], Output]


def _kind(task: Task, there: Output) -> str:
    """What was heard of an item that was too far from its text was no cell; now it may be."""
    if there.kind == "translation":
        return there.kind
    return "identity" if task.manifest.own_words_count(there.language) else "transcript"


def _by_segments(results: Results, there: Output, wanted: Corrected) -> Write | None:
    if wanted.segments is None:
        raise Invalid(
            "What was heard, and its translations, are corrected by segments: each with its id.",
            code="segments_required",
            field="segments",
        )
    before = transcripts.read(results, there)
    known = {segment.id for segment in before.segments}
    texts: dict[int, str] = {}
    for number, each in enumerate(wanted.segments):
        field = f"segments.{number}"
        check_characters(each.text, f"{field}.text", NOT_IN_TEXTS)
        if each.id in texts:
            raise Invalid(
                f"The segment {each.id} is named twice.", code="duplicate_segment", field=field
            )
        text = " ".join(each.text.split())
        if each.id not in known and text:
            raise Invalid(
                f"There is no segment {each.id} in these words.",
                code="unknown_segment",
                field=f"{field}.id",
            )
        texts[each.id] = text
    after = with_texts(before, texts)
    return None if after == before else lambda keep: _of_segments(there, before, after, keep)


def _of_segments(there: Output, before: Transcript, after: Transcript, keep: Keep) -> Output:
    own = there.kind != "translation"
    runs = runs_after(there.runs, before.segments, after.segments) if own else None
    return there.model_copy(
        update={
            "text": keep("transcript.txt", after.text),
            "body": keep("transcript.json", after.model_dump_json(exclude_none=True)),
            "runs": runs,
            "facts": {
                **_without_flags(there.facts),
                "segments": len(after.segments),
                **({} if own else _flags(after)),
            },
        }
    )


def _by_text(results: Results, there: Output, wanted: Corrected, longest: int) -> Write | None:
    text = wanted.text
    if text is None:
        raise Invalid(
            "A text, and its translations, are corrected as a whole: send `text`.",
            code="text_required",
            field="text",
        )
    check_text(text, longest, "text")
    if text == results.text(there.text):
        return None
    facts = _without_flags(there.facts)
    return lambda keep: there.model_copy(
        update={"text": keep("text.txt", text), "body": None, "facts": facts}
    )


def _flags(after: Transcript) -> dict[str, Any]:
    """Those of the sentences that stayed."""
    flags = Counter(flag for each in after.segments for flag in each.flags if flag != CORRECTED)
    return {"flags": dict(flags)} if flags else {}


def _without_flags(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != "flags"}


def _kept(writer: Writer, output_id: str, name: str, text: str) -> Body:
    """Inline, or an object that is there before anything names it; one that nothing comes to name
    goes with the task."""
    raw = text.encode()
    if len(raw) <= INLINE_LIMIT:
        return inline(text)
    key = keys.correction(output_id, f"{secrets.token_hex(8)}/{name}")
    writer.objects.put(key, [raw])
    return Body(key=key, size=len(raw), sha256=sha256(raw).hexdigest())
