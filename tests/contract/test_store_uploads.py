"""What every store promises of uploads."""

from __future__ import annotations

from store_factories import NOW

from services.model.task import Upload
from task_manager.store.protocol import Store

UPLOAD = Upload(key="u/1.$x", owner="o", name="文 1.mp3", size=2**40, sha256="0", created_at=NOW)
IN_PARTS = UPLOAD.model_copy(update={"key": "u/2", "complete": False, "parts": "p", "sha256": ""})


def test_an_upload_is_kept_by_its_key(store: Store) -> None:
    store.insert_upload(UPLOAD)
    store.insert_upload(UPLOAD.model_copy(update={"size": 1}))

    assert store.upload("u/1.$x") == UPLOAD
    assert store.upload("u/2") is None


def test_an_upload_is_completed_once(store: Store) -> None:
    store.insert_upload(IN_PARTS)
    done = store.complete_upload("u/2", "abc")

    assert done == IN_PARTS.model_copy(update={"complete": True, "sha256": "abc"})
    assert store.complete_upload("u/2", "other") is None
    assert store.upload("u/2") == done
    assert store.complete_upload("u/3", "abc") is None


def test_old_uploads_are_found_oldest_first(store: Store) -> None:
    for age in (1, 3, 2, 0):
        made = UPLOAD.model_copy(update={"key": f"u/{age}", "created_at": NOW - age})
        store.insert_upload(made)

    assert [old.key for old in store.old_uploads(NOW, 9)] == ["u/3", "u/2", "u/1"]
    assert [old.key for old in store.old_uploads(NOW, 1)] == ["u/3"]


def test_a_dropped_upload_is_gone(store: Store) -> None:
    store.insert_upload(UPLOAD)
    store.drop_upload(UPLOAD.key)
    store.drop_upload(UPLOAD.key)
    assert store.upload(UPLOAD.key) is None
