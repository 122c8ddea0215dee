"""What every store promises of documents near the limit: whole and back, or refused by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from store_factories import (
    NOW,
    a_change,
    a_job,
    a_node,
    a_pack,
    a_task,
    an_event,
    an_item,
    an_output,
)

from services.model.errors import DocumentTooLarge
from services.model.states import JobState
from services.model.task import ItemSpec, Manifest, Upload
from services.model.transcript import Body
from task_manager.pipeline.packing import INLINE_LIMIT
from task_manager.store.protocol import DOCUMENT_LIMIT, Store

MB = 1_000_000
TOO_LONG = "é" * (DOCUMENT_LIMIT // 2 + 1)  # bytes count, not characters

WRITES: dict[str, Callable[[Store], object]] = {
    "a task": lambda store: store.insert_task(a_task(metadata={"note": TOO_LONG})),
    "an item": lambda store: store.insert_items(
        [an_item(0), an_item(1).model_copy(update={"text": TOO_LONG})]
    ),
    "a job": lambda store: store.insert_jobs([a_job(0), a_job(1, inputs={"text": TOO_LONG})]),
    "an output": lambda store: store.put_output(an_output(text=Body(inline=TOO_LONG))),
    "a pack": lambda store: store.put_pack(a_pack(body=TOO_LONG)),
    "an event": lambda store: store.append_event(an_event("segments", {"text": TOO_LONG})),
    "a node": lambda store: store.put_node(a_node(host=TOO_LONG)),
    "an upload": lambda store: store.insert_upload(
        Upload(key="u", owner="o", name=TOO_LONG, size=1, sha256="0", created_at=NOW)
    ),
}


def big_manifest() -> Manifest:
    known = a_task().manifest
    texts = [f"{number:06} " + 'Über "alles" 文\n' * 6_000 for number in range(90)]
    items = [ItemSpec(text_id=str(n), text=text, language="de") for n, text in enumerate(texts)]
    return known.model_copy(update={"items": items})


def test_a_task_with_a_manifest_of_ten_megabytes_is_kept(store: Store) -> None:
    task = a_task(manifest=big_manifest())
    assert 10 * MB < len(task.manifest.model_dump_json().encode()) < DOCUMENT_LIMIT

    store.insert_task(task)

    assert store.task("t") == task


def test_a_result_of_many_thousand_runs_is_kept(store: Store) -> None:
    result = {"runs": [[number, number + 1] for number in range(50_000)], "n": 1}
    store.insert_jobs([a_job()])

    store.move_job(a_job().id, state=JobState.WAITING, attempt=0, change=a_change(result=result))

    assert store.job(a_job().id) == a_job(result=result)


def test_many_outputs_with_long_texts_come_back(store: Store) -> None:
    outputs = [an_output(item, text=Body(inline="語" * 21_845)) for item in range(100)]
    for output in outputs:
        store.put_output(output)

    assert store.outputs("t") == outputs


def test_the_largest_pack_that_is_kept_inline_fits(store: Store) -> None:
    body = '{"1":{"文":"\\n"}}'
    body *= INLINE_LIMIT // len(body.encode())
    pack = a_pack(body=body, size=len(body.encode()))
    assert pack.size > INLINE_LIMIT - 99

    assert store.put_pack(pack)

    assert store.pack("t", "zh") == pack


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_is_too_large_is_refused_by_name_and_leaves_nothing(
    store: Store, write: Callable[[Store], object]
) -> None:
    with pytest.raises(DocumentTooLarge, match="split the task"):
        write(store)

    assert store.task("t") is store.output(an_output().id) is store.pack("t", "zh") is None
    assert store.items("t", limit=9) == store.jobs_of_items("t", 0, 9) == store.nodes() == []
    assert store.last_event("t") == 0


def test_a_move_that_would_make_a_document_too_large_changes_nothing(store: Store) -> None:
    store.insert_jobs([a_job()])

    with pytest.raises(DocumentTooLarge) as refused:
        store.move_job(
            a_job().id, state=JobState.WAITING, attempt=0, change=a_change(result={"x": TOO_LONG})
        )

    assert (refused.value.status, refused.value.code) == (413, "document_too_large")
    assert store.job(a_job().id) == a_job()
    assert store.claim(queue="q", models=[], node="n", token="x" * 16, limit=1)
