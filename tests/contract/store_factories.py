"""Documents for the store's tests: whole ones, of which a test states only what it is about."""

from __future__ import annotations

import os
from typing import Any

from services.model.errors import FailureClass
from services.model.glossary import Entry
from services.model.job import HistoryEntry, Job, Lease, Stage, job_id
from services.model.node import Node
from services.model.pack import Pack
from services.model.preview import Preview, preview_id
from services.model.remembered import Remembered
from services.model.states import JobState
from services.model.task import Item, ItemSpec, Manifest, Options, Target, Task
from services.model.terms import TermList
from services.model.transcript import Body, Output, Segment, output_id
from services.model.webhook import Delivery, Endpoint, Secret
from task_manager.store.children import Children, NewEvent
from task_manager.store.protocol import JobChange

AWKWARD = {"a.b": {"$set": 1, "": [True, None, 2**70]}, "$where": "$x", "文本": 'è"\\'}
NOW = 1_700_000_000.0
REAL_MONGODB = "FANSCRIBE_TEST_MONGODB_URL"
SERVERS = ["wire", "mongo"] if os.environ.get(REAL_MONGODB) else ["wire"]


def a_task(task_id: str = "t", **fields: Any) -> Task:
    manifest = Manifest(
        items=[ItemSpec(text_id="001", text="Guten Tag", language="de")],
        targets=[Target(language="zh", spelling="cn")],
        options=Options(transcribe_model="m"),
    )
    return Task(**{"id": task_id, "owner": "o", "created_at": NOW, "manifest": manifest} | fields)


def an_item(ordinal: int, task_id: str = "t") -> Item:
    return Item(
        id=f"{task_id}/{ordinal}", task_id=task_id, ordinal=ordinal, text_id=f"text.{ordinal}"
    )


def a_job(item: int = 0, task_id: str = "t", **fields: Any) -> Job:
    """A translation that is due and that any model may run."""
    known = {
        "id": job_id(task_id, Stage.TRANSLATE, item),
        "task_id": task_id,
        "stage": Stage.TRANSLATE,
        "item": item,
        "owner": "o",
        "queue": "q",
        "priority": 5,
        "created_at": NOW,
        "due": NOW,
    }
    return Job(**known | fields)


def a_running_job(item: int = 0, *, beat: int = 0, **fields: Any) -> Job:
    lease = Lease(node="n", token="t" * 16, beat=beat)
    return a_job(item, **{"state": JobState.RUNNING, "attempt": 1, "lease": lease} | fields)


def an_event(
    kind: str = "state", data: Any = None, task_id: str = "t", owner: str = "o"
) -> NewEvent:
    return NewEvent(task_id, owner, NOW, kind, data or {})


def some_children() -> Children:
    """Of each kind two."""
    return Children(
        items=[an_item(0), an_item(1)],
        versions=[an_output(2), an_output(2, version=1)],
        outputs=[an_output(0), an_output(1, kind="transcript")],
        jobs=[a_job(0), a_job(1)],
        events=[an_event(kind, {"text_id": "0"}) for kind in ("cell", "item")],
        deliveries=[a_delivery(name, lane="o/children") for name in ("msg_a", "msg_b")],
    )


def a_failure(attempt: int = 1) -> HistoryEntry:
    return HistoryEntry(
        attempt=attempt,
        at=NOW,
        failure=FailureClass.NETWORK_TIMEOUT,
        code="timeout",
        message="It took too long.",
    )


def a_change(**fields: Any) -> JobChange:
    return JobChange(fields)


def an_output(
    item: int = 0, source: str = "A", language: str = "zh", task_id: str = "t", **fields: Any
) -> Output:
    known = {
        "id": output_id(task_id, item, source, language),
        "task_id": task_id,
        "item": item,
        "text_id": f"text.{item}",
        "source": source,
        "language": language,
        "kind": "translation",
        "text": Body(inline="你好"),
        "created_at": NOW,
    }
    return Output(**known | fields)


def a_pack(language: str = "zh", task_id: str = "t", **fields: Any) -> Pack:
    body = (
        '{"schema":1,"codebook":1,"complete":true,"missing":[],"data":{"1":{"文.1":{"A":"你好"}}}}'
    )
    known = {
        "id": f"{task_id}/{language}",
        "task_id": task_id,
        "language": language,
        "revision": 1,
        "complete": True,
        "body": body,
        "size": len(body.encode()),
        "sha256": "00",
    }
    return Pack(**known | fields)


def an_endpoint(endpoint_id: str = "wh_1", **fields: Any) -> Endpoint:
    known = {
        "id": endpoint_id,
        "owner": "o",
        "url": "https://example.com/hook",
        "secrets": [Secret(value="whsec_1"), Secret(value="whsec_0", until=NOW)],
        "created_at": NOW,
    }
    return Endpoint(**known | fields)


def a_remembered(name: str = "1", **fields: Any) -> Remembered:
    known = {"id": f"{name}/o", "task_id": "t", "at": NOW, "text": "你好。"}
    return Remembered(**known | fields)


def a_preview(language: str = "zh", first: int = 0, **fields: Any) -> Preview:
    """Of a part that `a_running_job` may be; two things of one name are the same preview."""
    task, item, part = (fields.pop(n, d) for n, d in (("task", "t"), ("item", 0), ("part", 0)))
    heard = a_job(task_id=task, item=item, part=part, attempt=1)
    known = {
        "id": preview_id(heard, language, first),
        "task_id": task,
        "owner": "o",
        "item": item,
        "part": part,
        "heard": heard.id,
        "heard_attempt": heard.attempt,
        "language": language,
        "source_language": "en",
        "queue": "translate.m",
        "model": "m",
        "created_at": NOW,
        "sentences": [Segment(id=first, start=0.0, end=1.0, text="Three coins.")],
    }
    return Preview(**known | fields)


def a_term_list(list_id: str = "tl_1", **fields: Any) -> TermList:
    known = {
        "id": list_id,
        "owner": "o",
        "name": "drugs.$x",
        "terms": [
            Entry(text="Zyrtec", keep=True, translations={"zh": "仙特明"}, language="en"),
            Entry(text="頭孢", boost=2.5),
        ],
        "created_at": NOW,
        "changed_at": NOW,
    }
    return TermList(**known | fields)


def a_delivery(delivery_id: str = "msg_1", **fields: Any) -> Delivery:
    known = {
        "id": delivery_id,
        "owner": "o",
        "task_id": "t",
        "event": "task.succeeded",
        "endpoint": "wh_1",
        "lane": "o/example.com",
        "body": '{"文":"é"}',
        "created_at": NOW,
        "due": NOW,
    }
    return Delivery(**known | fields)


def a_node(node_id: str = "n", **fields: Any) -> Node:
    known = {
        "id": node_id,
        "kind": "whisper",
        "host": "h",
        "pid": 1,
        "queues": ["q"],
        "models": ["m"],
        "slots": 2,
        "version": "1",
        "registered_at": NOW,
        "seen_at": NOW,
    }
    return Node(**known | fields)
