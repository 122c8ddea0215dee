"""What every store promises of keys, of what owners keep, and of the audit log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from store_factories import NOW, a_task

from services.model.access import ApiKey, AuditLine, Limits, Scope
from services.model.task import AudioInput, ItemSpec, Manifest, Options, Target, Upload
from task_manager.store.protocol import Store


def a_key(key_id: str = "fs_a", **fields) -> ApiKey:
    known = {
        "id": key_id,
        "digest": "00" * 32,
        "name": "$n.文",
        "owner": "o",
        "scopes": [Scope.SUBMIT, Scope.READ],
        "created_at": NOW,
    }
    return ApiKey(**known | fields)


def a_line(line_id: str = "a", **fields) -> AuditLine:
    known = {
        "id": line_id,
        "at": NOW,
        "key": "fs_a",
        "owner": "o",
        "action": "task.cancel",
        "subject": "$t.1",
        "outcome": "ok",
        "address": "127.0.0.1",
    }
    return AuditLine(**known | fields)


def a_task_with(sizes: list[int], task_id: str = "t", **fields):
    items = [
        ItemSpec(text_id=str(place), audio=AudioInput(key="k", size=size, sha256=""))
        for place, size in enumerate(sizes)
    ]
    manifest = Manifest(
        items=[*items, ItemSpec(text_id="text", text="Hallo", language="de")],
        targets=[Target(language="zh", spelling="zh")],
        options=Options(transcribe_model="m"),
    )
    return a_task(task_id, manifest=manifest, **fields)


def an_upload(key: str, size: int, owner: str = "o") -> Upload:
    return Upload(key=key, owner=owner, name="n", size=size, sha256="", created_at=NOW)


# ── keys ─────────────────────────────────────────────────────────────────────────────────────


def test_a_key_comes_back_as_it_was_written(store: Store) -> None:
    key = a_key(limits=Limits(per_second=3, stored_bytes=2**50), expires_at=NOW + 9)

    assert store.insert_key(key)

    assert store.key("fs_a") == key
    assert store.key("fs_b") is None


def test_a_key_is_never_written_over(store: Store) -> None:
    store.insert_key(a_key())

    assert not store.insert_key(a_key(owner="somebody else"))

    assert store.key("fs_a") == a_key()


def test_keys_are_paged_newest_first(store: Store) -> None:
    keys = [a_key(f"fs_{number}", created_at=NOW + number // 2) for number in range(5)]
    for key in keys:
        store.insert_key(key)

    first = store.keys(limit=2)
    rest = store.keys(before=(first[-1].created_at, first[-1].id), limit=9)

    assert [*first, *rest] == keys[::-1]


def test_a_key_is_revoked_once(store: Store) -> None:
    store.insert_key(a_key())

    assert store.revoke_key("fs_a", NOW + 1) == a_key(revoked_at=NOW + 1)
    assert store.revoke_key("fs_a", NOW + 2) == a_key(revoked_at=NOW + 1)
    assert store.key("fs_a") == a_key(revoked_at=NOW + 1)
    assert store.revoke_key("fs_b", NOW) is None


def test_many_who_revoke_a_key_agree_on_when(store: Store) -> None:
    store.insert_key(a_key())

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda n: store.revoke_key("fs_a", NOW + n), range(1, 9)))

    assert {answer.revoked_at for answer in answers} == {store.key("fs_a").revoked_at}


def test_the_last_use_of_a_key_is_noted(store: Store) -> None:
    store.insert_key(a_key())

    store.note_use("fs_a", NOW + 1)
    store.note_use("fs_b", NOW + 1)

    assert store.key("fs_a") == a_key(used_at=NOW + 1)
    assert store.key("fs_b") is None


# ── what owners keep ─────────────────────────────────────────────────────────────────────────


def test_uploads_and_media_of_tasks_count_for_their_owner(store: Store) -> None:
    assert store.stored_bytes("o") == 0
    store.insert_upload(an_upload("u1", 5))
    store.insert_upload(an_upload("u2", 2**40))
    store.insert_upload(an_upload("u3", 1000, owner="p"))
    store.insert_task(a_task_with([7, 0, 30]))
    store.insert_task(a_task_with([9], "t2", owner="p"))

    assert store.stored_bytes("o") == 5 + 2**40 + 37
    assert store.stored_bytes("p") == 1009


def test_a_deleted_task_counts_no_more(store: Store) -> None:
    store.insert_task(a_task_with([7]))
    store.insert_task(a_task_with([8], "t2"))

    store.move_task("t", 0, {"deleted_at": NOW})
    store.purge_task("t")

    assert store.stored_bytes("o") == 8


# ── the audit log ────────────────────────────────────────────────────────────────────────────


def test_lines_are_read_newest_first_and_by_page(store: Store) -> None:
    lines = [a_line(f"l{number}", at=NOW + number // 2) for number in range(5)]
    store.add_audit(lines)

    first = store.audit_page(limit=2)
    rest = store.audit_page(before=(first[-1].at, first[-1].id), limit=9)

    assert [*first, *rest] == lines[::-1]


def test_a_line_that_is_added_twice_stands_there_once(store: Store) -> None:
    store.add_audit([a_line("a")])
    store.add_audit([a_line("a"), a_line("b")])
    store.add_audit([])

    assert ["b", "a"] == [line.id for line in store.audit_page(limit=9)]


@pytest.mark.parametrize("before", [None, (NOW + 9, "")])
def test_the_lines_of_one_key_can_be_read_alone(store: Store, before) -> None:
    store.add_audit([a_line(str(n), key=f"fs_{n % 2}", at=NOW + n) for n in range(4)])

    assert ["3", "1"] == [x.id for x in store.audit_page(key="fs_1", before=before, limit=9)]
    assert store.audit_page(key="fs_9", before=before, limit=9) == []


def test_old_lines_are_dropped_oldest_first(store: Store) -> None:
    store.add_audit([a_line(str(n), at=NOW + n) for n in range(5)])

    assert store.drop_audit(NOW + 3, 2) == 2
    assert ["4", "3", "2"] == [line.id for line in store.audit_page(limit=9)]
    assert store.drop_audit(NOW + 3, 2) == 1
    assert store.drop_audit(NOW + 3, 2) == 0
    assert ["4", "3"] == [line.id for line in store.audit_page(limit=9)]
