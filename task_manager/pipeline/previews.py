"""Previews: sentences are translated while their part is still being heard.

They are only ever a foretaste. A translator is given one when no real work waits in its queue;
one that fails, or whose worker dies, is gone; and when the words that count are there, none is
begun or shown any more. What runs by then is still remembered for those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.model.job import Job, Stage, base_queue, queue_name
from services.model.messages import Claim, Grant, LeaseState, Limits, Progress, Report
from services.model.preview import ATTEMPT, Preview, preview_id
from services.model.stages import Place, TranslateResult, TranslateSpec
from services.model.states import JobState
from services.model.task import Task
from services.model.transcript import Transcript, inline, join_segments
from services.storage import keys
from task_manager.pipeline import limits
from task_manager.pipeline.ports import Ports
from task_manager.store.children import NewEvent

MOST = 500  # of a task at once; what is heard beyond is translated in its time
LIVES_S = 300.0  # nobody waits longer for one, or works longer on it
AT_ONCE = 4  # in a claim, so that real work which comes meanwhile does not wait for long

_TRANSLATE = queue_name(Stage.TRANSLATE)


def offer(ports: Ports, job: Job, told: Progress) -> None:
    """The sentences that an attempt has told, one preview for each language. Whoever cancels, or
    takes the part up anew, drops what is there: so it is looked again after the write."""
    task = ports.store.task(job.task_id)
    if not told.sentences or task is None or task.cancel or not task.manifest.options.previews:
        return
    if ports.store.count_previews(task.id, MOST) >= MOST:
        return
    ports.store.insert_previews(_previews(ports, task, job, told))
    heard, task = ports.store.job(job.id), ports.store.task(job.task_id)
    wanted = task is not None and not task.cancel
    if not wanted or heard is None or heard.state is not JobState.RUNNING:
        ports.store.drop_previews(job.task_id, item=job.item, part=job.part, only_waiting=wanted)
    ports.wake()


def _previews(ports: Ports, task: Task, job: Job, told: Progress) -> Iterator[Preview]:
    """Chat models are left out: they are shown what stands around a sentence, so what they make of
    it early never answers for it later, and would be paid for twice."""
    options, now = task.manifest.options, ports.store.now()
    source, choose = told.language or "", ports.choosing(options)
    for target in task.manifest.languages:
        model = choose(source, target) if target != source else None
        entry = ports.catalog.entry(model) if model else None
        if model is None or entry is None or entry.chat is not None:
            continue
        yield Preview(
            id=preview_id(job, target, told.sentences[0].id),
            task_id=task.id,
            owner=task.owner,
            item=job.item,
            part=job.part,
            heard=job.id,
            heard_attempt=told.attempt,
            language=target,
            source_language=source,
            queue=queue_name(Stage.TRANSLATE, model, options.node_label),
            model=model,
            created_at=now,
            sentences=told.sentences,
        )


def claim(ports: Ports, asked: Claim, models: Sequence[str], *, barred: bool) -> list[Grant]:
    """For who has nothing better to do; the same token gets the same previews in any case."""
    if asked.queue and not base_queue(asked.queue).startswith(_TRANSLATE):
        return []
    won = ports.store.claim_previews(
        queue=asked.queue,
        models=models,
        node=asked.node,
        token=asked.token,
        limit=0 if barred else min(asked.slots, AT_ONCE),
    )
    return [grant for preview in won if (grant := _grant(ports, preview)) is not None]


def _grant(ports: Ports, preview: Preview) -> Grant | None:
    task = ports.store.task(preview.task_id)
    if task is None or task.cancel:
        ports.store.drop_previews(preview.task_id)
        return None
    return Grant(
        job=preview.id,
        task=task.id,
        text_id=task.manifest.items[preview.item].text_id,
        attempt=ATTEMPT,
        spec=_spec(ports, task, preview),
        limits=Limits(**limits.unmeasured(0.0).model_dump(exclude={"expected_s"})),
    )


def _spec(ports: Ports, task: Task, preview: Preview) -> TranslateSpec:
    """As of the real job, but for its words: so a translation of one answers for the other."""
    source, glossary = preview.source_language, task.manifest.options.glossary
    words = Transcript(
        language=source,
        text=join_segments(preview.sentences, source),
        segments=preview.sentences,
    )
    return TranslateSpec(
        model=preview.model,
        source_language=source,
        target_language=preview.language,
        transcript=inline(words.model_dump_json(exclude_none=True)),
        glossary=[] if glossary is None else glossary.rules(source, preview.language),
        output=_place(ports, preview, "translation.json"),
        output_text=_place(ports, preview, "translation.txt"),
    )


def _place(ports: Ports, preview: Preview, name: str) -> Place:
    """A shape of the wire; so few sentences always stand in the report itself."""
    key = keys.attempt_file(preview.id, ATTEMPT, name)
    return Place(key=key, url=ports.objects.url_to_put(key, ports.settings.url_expires_s))


def lease(ports: Ports, preview_id: str, attempt: int, token: str) -> LeaseState:
    """Nobody watches the beats of a preview: its time is short in any case."""
    found = ports.store.preview(preview_id)
    held = found is not None and found.state == "running" and found.is_held_by(token, attempt)
    return LeaseState(job=preview_id, state="held" if held else "cancelled")


def finish(ports: Ports, token: str, report: Report) -> bool:
    """Whether it was wanted. However it ended, it is not run again."""
    preview = ports.store.preview(report.job)
    if preview is None or not preview.is_held_by(token, report.attempt):
        return False
    if ports.store.end_preview(preview.id, token) is not None and report.result is not None:
        _tell(ports, preview, report)
    return preview.state != "waiting"


def _tell(ports: Ports, preview: Preview, report: Report) -> None:
    """One event for all of its sentences, unless their part is being heard anew by now, or the
    words that count are there."""
    result, heard = report.result, ports.store.job(preview.heard)
    if not isinstance(result, TranslateResult) or result.transcript.inline is None:
        return
    if heard is None or heard.attempt != preview.heard_attempt:
        return
    there = ports.store.output_lines(preview.task_id, preview.item, preview.item)
    if any(line.source == "A" for line in there):
        return
    made = Transcript.model_validate_json(result.transcript.inline).segments
    if len(made) != len(preview.sentences):  # cut otherwise by another release of the worker
        return
    data: dict[str, Any] = {
        "item": preview.item,
        "part": preview.part,
        "attempt": preview.heard_attempt,
        "language": preview.language,
        "sentences": [
            {
                "number": said.id,
                "start": said.start,
                "end": said.end,
                "source": said.text,
                "text": its.text,
            }
            for said, its in zip(preview.sentences, made, strict=True)
        ],
    }
    now = ports.store.now()
    ports.store.append_event(NewEvent(preview.task_id, preview.owner, now, "preview", data))
