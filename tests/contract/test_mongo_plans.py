"""Every named operation finds what it wants by an index; only MongoDB itself can tell."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from every_operation import every_operation
from pymongo import MongoClient, monitoring
from store_factories import REAL_MONGODB, SERVERS

from task_manager.store.mongo import MongoStore, database

TINY = {"nodes"}  # as many as there are workers
ASKING = {"find", "aggregate", "findAndModify", "update", "delete"}
OF_THE_SESSION = {"lsid", "txnNumber", "readConcern", "writeConcern"}


class Asked(monitoring.CommandListener):
    """Every question that the driver sends."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in ASKING:
            self.commands.append(
                {
                    name: value
                    for name, value in event.command.items()
                    if name not in OF_THE_SESSION and not name.startswith("$")
                }
            )

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.fixture(params=SERVERS)
def asked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, list[dict[str, Any]]]:
    """The address of a database, and what every operation asked of it."""
    url, listener = request.getfixturevalue(f"{request.param}_address"), Asked()
    monkeypatch.setitem(database._DEMANDS, "event_listeners", [listener])
    store = MongoStore(url)
    every_operation(store)
    store.close()
    return url, listener.commands


def test_every_kind_of_question_is_heard(asked: tuple[str, list[dict[str, Any]]]) -> None:
    _, commands = asked

    assert {next(iter(command)) for command in commands} == ASKING
    assert len(commands) > 80


@pytest.mark.skipif(REAL_MONGODB not in os.environ, reason="plans are made by MongoDB alone")
def test_no_operation_reads_a_whole_collection(asked: tuple[str, list[dict[str, Any]]]) -> None:
    url, commands = asked
    with MongoClient[dict[str, Any]](url) as client:
        asking = client.get_default_database()
        bad = []
        for command in commands:
            if next(iter(command.values())) in TINY:
                continue
            plan = asking.command("explain", command, verbosity="queryPlanner")
            if "COLLSCAN" in json.dumps(plan, default=str):
                bad.append(command)

    assert bad == []
