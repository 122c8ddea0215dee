"""Each named operation of the store at least once, in each shape that asks something else."""

from __future__ import annotations

from itertools import product

from store_factories import (
    NOW,
    a_change,
    a_delivery,
    a_job,
    a_node,
    a_pack,
    a_preview,
    a_remembered,
    a_task,
    a_term_list,
    an_endpoint,
    an_event,
    an_item,
    an_output,
    some_children,
)

from services.model.access import ApiKey, AuditLine, Scope
from services.model.node import Trouble
from services.model.speed import Speed
from services.model.states import JobState
from services.model.task import TaskEvent, TaskState
from task_manager.store.protocol import Store


def every_page(store: Store) -> None:
    open_states = (TaskState.QUEUED, TaskState.RUNNING)
    for owner, before in product((None, "o"), (None, (NOW, "t"))):
        for states in ((), open_states):
            store.tasks(owner, states=states, before=before, limit=5)
        for queue, code in product((None, "q"), (None, "timeout")):
            store.dead_page(owner, queue=queue, code=code, before=before, limit=5)


def every_node_operation(store: Store) -> None:
    store.put_node(a_node())
    store.beat_node("n", NOW, 1, gone=False)
    store.change_node("n", {"draining": True})
    store.add_trouble("n", Trouble(at=NOW, job="j"), 5)
    store.add_speeds("n", {"q": Speed(count=1.0)})
    store.nodes()
    store.drop_nodes(NOW + 1)


def every_upload_operation(store: Store) -> None:
    store.upload("u")
    store.complete_upload("u", "")
    store.old_uploads(NOW, 5)
    store.drop_upload("u")


def every_look(store: Store) -> None:
    store.tasks_to_look_at(NOW, 5)
    store.look_later({"t": 1}, NOW)


def every_expiry_operation(store: Store) -> None:
    store.tasks_to_expire(NOW, 5)
    store.known_tasks(["t", "u"])
    store.forget_task("t")


def every_access_operation(store: Store) -> None:
    key = ApiKey(id="fs_a", digest="00", name="n", owner="o", scopes=[Scope.READ], created_at=NOW)
    line = AuditLine(
        id="a", at=NOW, key="fs_a", owner="o", action="a", subject="s", outcome="ok", address=""
    )
    store.insert_key(key)
    store.key("fs_a")
    store.note_use("fs_a", NOW)
    store.revoke_key("fs_a", NOW)
    store.upload("u")
    store.stored_bytes("o1")
    store.add_audit([line])
    for before in (None, (NOW, "t")):
        store.keys(before=before, limit=5)
        for key_id in (None, "fs_a"):
            store.audit_page(key=key_id, before=before, limit=5)
    store.drop_audit(NOW + 1, 5)


def every_outbox_operation(store: Store) -> None:
    store.insert_endpoint(an_endpoint())
    store.endpoint("wh_1")
    store.endpoints("o", 5)
    store.change_endpoint("wh_1", 0, {"enabled": False})
    store.delete_endpoint("wh_1")
    store.insert_deliveries([a_delivery()])
    store.delivery("msg_1")
    for state, before in product((None, "dead"), (None, (NOW, "msg_1"))):
        store.deliveries(endpoint="wh_1", state=state, before=before, limit=5)
        store.deliveries(task_id="t", state=state, before=before, limit=5)
    store.next_lane("")
    store.claim_delivery("o/example.com", NOW, NOW + 60)
    store.move_delivery("msg_1", state="pending", attempt=1, fields={"open": False})
    store.drop_deliveries(NOW, 5)
    store.count_cells("t", "zh")


def every_look_back(store: Store) -> None:
    store.earlier_job("o", "0" * 64)


def every_version_operation(store: Store) -> None:
    store.put_version(an_output())
    store.version(an_output().id, 3)
    store.version_lines(an_output().id)


def every_term_operation(store: Store) -> None:
    store.insert_term_list(a_term_list())
    store.term_list("tl_1")
    store.term_lists("o", 5)
    store.change_term_list("tl_1", 1, {"description": ""})
    store.delete_term_list("tl_1")


def every_translation_operation(store: Store) -> None:
    store.insert_translations([a_remembered()])
    store.translations([a_remembered().id, "2"])
    store.count_translations()
    store.drop_translations_of("t")
    store.drop_translations(NOW + 1, 5)


def every_preview_operation(store: Store) -> None:
    store.insert_previews([a_preview()])
    store.preview(a_preview().id)
    store.silent_previews(NOW, 5)
    store.stamp_preview(a_preview().id, NOW)
    asked = {"queue": "translate.m", "models": ["m"], "node": "n"}
    store.claim_previews(**asked, token="1", limit=2)
    store.claim_previews(**asked, token="1", limit=2)
    store.end_preview(a_preview().id, "1")
    store.count_previews("t", 5)
    store.drop_previews("t", item=0, part=0)
    for where in ({"item": 0, "part": 0}, {"item": 0}, {}):
        store.insert_previews([a_preview()])
        store.drop_previews("t", **where)
    store.insert_previews([a_preview()])
    store.drop_old_previews(NOW + 1)


def every_other_operation(store: Store) -> None:
    every_node_operation(store)
    every_outbox_operation(store)
    every_upload_operation(store)
    every_access_operation(store)
    every_term_operation(store)
    every_version_operation(store)
    every_translation_operation(store)
    every_look_back(store)
    every_preview_operation(store)


def every_event_operation(store: Store) -> None:
    number = store.append_event(an_event())
    store.insert_event(TaskEvent(task_id="t", number=number, at=NOW, kind="state", data={}))
    store.events("t", limit=5)
    store.last_event("t")
    store.owner_events("o", after=0, limit=5)
    store.last_position("o")


def every_operation(store: Store) -> None:
    """Each named operation at least once, in each shape that makes another statement."""
    every_page(store)
    store.insert_task(a_task(idempotency_key="k"))
    store.task("t")
    store.task_by_key("o", "k")
    store.move_task("t", 0, {"cancel": True})
    store.note_task("t", {"look_at": NOW})
    store.start_task("t", NOW)
    every_look(store)
    store.pending_expansions(5)
    store.insert_items([an_item(0)])
    store.items("t", limit=5)
    store.write_children(some_children())
    store.item_by_text_id("t", "1")
    store.insert_jobs([a_job(item) for item in range(3)])
    store.jobs_of_items("t", 0, 1)
    store.lean_jobs("t", 0, 1)
    store.announce_due(NOW, "q", 5, 60)
    store.unannounce(a_job().id, NOW)
    store.claim(queue="q", models=["m"], node="n", token="x", limit=2, announced=a_job(1).id)
    store.running_jobs()
    store.beat(a_job().id, 1, "x")
    store.note_progress(a_job().id, 1, "x", 1, 0.5)
    store.move_job(a_job().id, state=JobState.RUNNING, attempt=1, change=a_change(safer=True))
    store.set_expanded(a_job().id, 1)
    store.has_open_jobs("t")
    store.open_jobs("t", 5)
    store.dead_jobs("t", limit=5)
    store.count_jobs("t")
    store.usage("t")
    store.count_waiting("o", "q", 5)
    store.front_rank("q", 5)
    store.queue_depths(NOW)
    store.waiting_queues()
    store.jobs_ahead(a_job(9), 5)
    store.running_in("q", 5)
    store.count_open_tasks("o", 5)
    for attempt in (1, 2):
        store.put_output(an_output(attempt=attempt))
        store.put_pack(a_pack(revision=attempt))
    store.output(an_output().id)
    for last in (None, 5):
        for language in (None, "zh"):
            store.outputs("t", last=last, language=language)
    store.output_lines("t", 0, 1)
    store.count_outputs("t")
    store.pack("t", "zh")
    every_event_operation(store)
    every_other_operation(store)
    store.purge_task("t")
    every_expiry_operation(store)
