"""What a task leaves under its output prefix, when time passes or settings change, or of much."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from world import START, FolderBuckets, SteeredSqlite, World, a_world

from services.model.export import EXPORT, KEYS_TOLD, lane
from services.model.retention import Retention
from services.model.task import ItemSpec, Manifest, Options, Target, Task
from services.model.webhook import OF_TASK, TaskWebhook
from services.settings import Settings
from task_manager.pipeline.accept import new_task_id
from task_manager.pipeline.expire import AGAIN_S, expire
from task_manager.pipeline.settle import settle
from task_manager.ticker.deliver import HOLD_S
from task_manager.ticker.export import write

HOOK = TaskWebhook(url="https://example.org/", events=["task.succeeded"], secret="s")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = a_world(SteeredSqlite(tmp_path / "store.sqlite"), tmp_path)
    made.begin()
    yield made
    made.close()


def ended(world: World, count: int = 1, **about: object) -> Task:
    """A task of so many texts, done and settled; nothing of it is written yet."""
    items = [
        ItemSpec(text_id=f"{number}?", text="Hello.", language="en") for number in range(count)
    ]
    manifest = Manifest(
        items=items,
        targets=[Target(language="zh", spelling="zh")],
        options=Options(transcribe_model="stub-whisper"),
    )
    task, _ = world.second.accept(
        task_id=new_task_id(), manifest=manifest, priority=5, metadata={}, idempotency_key=None,
        owner="local", webhook=HOOK, output_prefix="s3://bucket/done", **about,
    )  # fmt: skip
    world.work()
    settle(world.second.ports, task.id)
    return world.second.task(task.id)


def files(world: World) -> list[str]:
    found = (path for path in world.bucket.rglob("*") if path.is_file())
    return sorted(path.relative_to(world.bucket).as_posix() for path in found)


def told(world: World, task: Task) -> list[dict[str, object]]:
    """What its webhook is told of its outputs."""
    found = world.store.deliveries(task_id=task.id, limit=10)
    return [json.loads(each.body)["data"]["outputs"] for each in found if each.endpoint == OF_TASK]


def test_nothing_expires_before_it_is_written(world: World) -> None:
    task = ended(world, retention=Retention(media_s=0.0, results_s=0.0))

    expire(world.second.ports)
    assert world.second.task(task.id).awaits_export
    assert told(world, task) == []

    world.write_due()
    written = files(world)
    world.pass_time(AGAIN_S)
    expire(world.second.ports)
    gone = world.store.task(task.id)

    assert gone.deleted_at is not None
    assert (files(world), len(written)) == (written, 4)
    assert [each["state"] for each in told(world, task)] == ["written"]


def test_a_prefix_that_is_not_allowed_any_more_is_told_at_once(world: World) -> None:
    task = ended(world)
    changed = world.manager()
    other = Settings(stub_models=True, output_prefixes="s3://bucket/else")
    changed.ports.buckets = FolderBuckets(other, world.bucket)

    world.write_due(changed)

    (outputs,) = told(world, task)
    assert (outputs["state"], outputs["error"]["code"]) == ("failed", "outputs_not_written")
    assert "FANSCRIBE_OUTPUT_PREFIXES" in outputs["error"]["message"]
    (delivery,) = world.store.deliveries(endpoint=EXPORT, limit=9)
    assert (delivery.state, len(delivery.tries)) == ("dead", 1)


def test_long_writing_goes_on_where_it_was_a_stretch_at_a_time(world: World) -> None:
    task = ended(world, count=5)
    ports, name = world.second.ports, lane("local", task.output_prefix)
    seen = []
    while (claimed := world.store.claim_delivery(name, START, START + HOLD_S)) is not None:
        looks = iter([False, False, True])
        _, posted = write(ports, claimed, HOLD_S, lambda looks=looks: next(looks))
        seen.append(len(files(world)))
        if posted is not None:
            assert posted.taken
            break

    assert seen == [4, 8, 12]  # two items each, then the last with pack and index
    assert world.second.task(task.id).export.count == 12


def test_a_writer_that_was_taken_over_changes_nothing(world: World) -> None:
    task = ended(world, count=2)
    ports, name = world.second.ports, lane("local", task.output_prefix)
    slept = world.store.claim_delivery(name, START, START + HOLD_S)
    world.pass_time(HOLD_S)
    world.write_due()
    before = {path: (world.bucket / path).read_bytes() for path in files(world)}

    _, posted = write(ports, slept, HOLD_S, lambda: False)

    assert posted is None
    assert {path: (world.bucket / path).read_bytes() for path in files(world)} == before


def test_of_many_keys_the_index_has_all(world: World) -> None:
    count = KEYS_TOLD // 2
    task = ended(world, count=count)
    world.write_due()

    (outputs,) = told(world, task)
    folder = f"done/{task.id}/"
    assert outputs["count"] == len(files(world)) == 2 * count + 2
    assert outputs["keys"] == [f"{folder}pack.json", f"{folder}index.json"]
    index = json.loads((world.bucket / str(outputs["index"])).read_text())
    assert [each["text_id"] for each in index["items"]] == [f"{n}?" for n in range(count)]
    assert index["items"][7]["keys"][0] == f"{folder}items/0007-7_/zh.T.txt"
