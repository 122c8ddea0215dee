"""The callback secret is changed while workers work: nobody stops, and nothing is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from running_manager import Manager

from services.model.messages import NodeBeat
from services.worker.callbacks import Manager as Callbacks
from services.worker.callbacks import Refused

ITEM = {"text_id": "text", "text": "Hello.", "language": "en"}


@pytest.fixture
def as_worker() -> Iterator[Callable[[Manager, str], None]]:
    """From now on the worker of this manager signs so."""
    with contextlib.ExitStack() as stack:

        def sign(manager: Manager, secret: str) -> None:
            callbacks = Callbacks(manager.workers_url, secret)
            stack.callback(callbacks.close)
            manager.driver.callbacks = callbacks

        yield sign


def test_a_worker_works_through_a_change_of_the_secret(
    start: Callable[..., Manager], as_worker: Callable[[Manager, str], None]
) -> None:
    manager = start(api_key="k", callback_secret="new,old")
    as_worker(manager, "old")
    task = manager.create(items=[ITEM, {"audio": manager.upload()}], targets=["zh", "ja"])["id"]
    token, grants = manager.driver.claim_next()  # claimed by the old one …

    as_worker(manager, "new")  # … and reported by the new
    for grant in grants:
        assert manager.driver.finish(token, grant) == 200
    assert manager.work(task)["state"] == "succeeded"


def test_the_urls_of_files_are_signed_by_the_first_and_opened_by_all(
    start: Callable[..., Manager], tmp_path: Path
) -> None:
    """Two managers behind one address, one of which was started anew already."""
    given = {"api_key": "k", "objects_access": "url", "data_dir": tmp_path / "shared"}
    before = start(**given, callback_secret="old,new")
    after = start(**given, callback_secret="new,old")
    last = start(**given, callback_secret="new")
    before.application.objects.put("tasks/t/a", [b"x"])
    for signer, opened_by in ((before, [before, after]), (after, [before, after, last])):
        url = urls_of(signer)
        for opener in opened_by:
            assert httpx.get(opener.workers_url + url).content == b"x"
    assert httpx.get(last.workers_url + urls_of(before)).status_code == 403


def urls_of(manager: Manager) -> str:
    """Path and query of the signed URL of the one object."""
    signed = manager.application.objects.url_to_get("tasks/t/a", 60)
    return signed[signed.index("/objects/") :]


def test_a_secret_that_was_taken_away_opens_nothing(start: Callable[..., Manager]) -> None:
    manager = start(api_key="k", callback_secret="new")
    old = Callbacks(manager.workers_url, "old")
    try:
        with pytest.raises(Refused, match="401"):
            old.node_beat(NodeBeat(node="node-1"))
    finally:
        old.close()
