"""A store that writes and whose answer gets lost: what was stored keeps what it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from running_manager import Manager, error_of

from task_manager.store.protocol import StoreUnavailable


@pytest.fixture
def manager(start: Callable[..., Manager]) -> Manager:
    """One whose ticker soon takes over what was left."""
    return start(expand_after_s=0.1)


AWAY = StoreUnavailable("The store does not answer.")
UNFORESEEN = OSError(22, "Invalid argument")


def _lose_the_answer(
    manager: Manager, name: str, patch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The operation is done, and nobody hears of it."""
    store = manager.application.store
    operation = getattr(store, name)

    def told_to_nobody(*words: Any, **named: Any) -> None:
        operation(*words, **named)
        raise error

    patch.setattr(store, name, told_to_nobody)


@pytest.mark.parametrize("error", [AWAY, UNFORESEEN])
def test_a_task_whose_insert_was_not_heard_of_keeps_its_inputs(
    manager: Manager, error: Exception
) -> None:
    body = {"items": [{"text_id": "1", "audio": manager.upload()}], "targets": ["zh"]}
    order = {"json": body, "headers": {"Idempotency-Key": "k"}}
    with pytest.MonkeyPatch.context() as patch:
        _lose_the_answer(manager, "insert_task", patch, error)
        assert error_of(manager.api.post("/v1/tasks", **order))[1] == "store_unavailable"
    answer = manager.api.post("/v1/tasks", **order)
    assert answer.status_code == 202, answer.text
    assert manager.work(answer.json()["id"])["state"] == "succeeded"


@pytest.mark.parametrize("error", [AWAY, UNFORESEEN])
@pytest.mark.parametrize("name", ["write_children", "task"])
def test_a_task_that_is_stored_is_accepted_whatever_the_store_does_then(
    manager: Manager, name: str, error: Exception
) -> None:
    item = {"text_id": "1", "audio": manager.upload()}
    with pytest.MonkeyPatch.context() as patch:
        _lose_the_answer(manager, name, patch, error)
        task = manager.create(items=[item], targets=["zh"])
    assert manager.work(task["id"])["state"] == "succeeded"
