"""The operator's page: its alarms can be loaded, and its numbers are those that we expose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pages import ROOT, blocks, prose, read

from services.metrics import ManagerMetrics, WorkerMetrics, exposition
from services.settings import Settings
from services.worker.gauges import readings
from services.worker.pulse import Tally
from task_manager.app import build

PAGE = ROOT / "docs" / "operations.md"
METRIC = re.compile(r"\bfanscribe_[a-z_]+\b")
PARTS = ("_bucket", "_count", "_sum")


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in what a manager and a worker answer to a scrape."""
    folder: Path = tmp_path_factory.mktemp("manager")
    application = build(Settings(data_dir=folder, stub_models=True))
    manager: ManagerMetrics = application.pipeline.ports.meter
    worker = WorkerMetrics(node="n", kind="whisper", version="0", slots=1)
    worker.read_with(lambda: readings(Tally()))
    text = "".join(exposition(each.registry)[1].decode() for each in (manager, worker))
    application.store.close()
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def alarms() -> list[dict[str, str]]:
    loaded = [yaml.safe_load(block.text) for block in blocks(PAGE, "yaml")]
    return [rule for page in loaded for group in page.get("groups", []) for rule in group["rules"]]


def test_every_number_is_explained(exposed: set[str]) -> None:
    rows = re.findall(r"^\| (`fanscribe_.*?) \|", prose(PAGE), re.MULTILINE)
    explained = {name for row in rows for name in METRIC.findall(row)}
    assert explained == exposed


def test_alarms_ask_for_numbers_that_there_are(exposed: set[str]) -> None:
    known = exposed | {name + part for name in exposed for part in PARTS}
    assert len(alarms()) > 10
    for rule in alarms():
        assert set(rule) <= {"alert", "expr", "for"}
        names = set(METRIC.findall(rule["expr"]))
        assert names, rule
        assert names <= known, rule
        assert rule["expr"].count("(") == rule["expr"].count(")"), rule


def test_every_alarm_says_what_to_do() -> None:
    rows = re.findall(
        r"^\| `(Fanscribe\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", read(PAGE), re.MULTILINE
    )
    assert [name for name, *_ in rows] == [rule["alert"] for rule in alarms()]
