"""A pipeline on a real SQLite store and real files; and a MongoDB wire server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hand import Hand

from services.model.catalog import STUBS, Catalog
from services.model.task import AudioInput, ItemSpec, Manifest, Options, Target, Task
from services.settings import Settings
from services.storage.local import LocalStore
from task_manager.pipeline import Pipeline
from task_manager.pipeline.accept import new_task_id
from task_manager.pipeline.settle import settle
from task_manager.store.sqlite import SqliteStore
from tests.contract.wire_server import in_memory


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, stub_models=True, retry_scale=1.0, expand_after_s=0.0)


@pytest.fixture
def sqlite_store(tmp_path: Path):
    store = SqliteStore(tmp_path / "store.sqlite")
    yield store
    store.close()


@pytest.fixture
def pipeline(sqlite_store, settings, tmp_path):
    objects = LocalStore(tmp_path / "objects", access="path", base_url="", secret="")
    made = Pipeline(sqlite_store, objects, Catalog(STUBS), settings)
    made.ports.draw = lambda: 0.0
    return made


@pytest.fixture
def hand(pipeline):
    made = Hand(pipeline)
    made.register()
    return made


@pytest.fixture
def other_hand(pipeline):
    made = Hand(pipeline, node="node-2")
    made.register()
    return made


@pytest.fixture
def accept(pipeline):
    """Accepts a task of these items and targets."""

    def make(items: list[ItemSpec], targets: list[str], **more) -> Task:
        manifest = Manifest(
            items=items,
            targets=[Target(language=language, spelling=language) for language in targets],
            options=Options(
                transcribe_model="stub-whisper",
                node_label=more.pop("node_label", ""),
                previews=more.pop("previews", False),
            ),
        )
        given = {"priority": 5, "metadata": {}, "idempotency_key": None, "owner": "local"}
        task, _ = pipeline.accept(task_id=new_task_id(), manifest=manifest, **{**given, **more})
        return task

    return make


@pytest.fixture
def an_audio(pipeline):
    info = pipeline.ports.objects.put("uploads/u1", [b"mp3"])
    audio = AudioInput(key=info.key, size=info.size, sha256=info.sha256, name="1.mp3")
    return ItemSpec(text_id="1", audio=audio)


@pytest.fixture
def a_text():
    return ItemSpec(text_id="2", text="Hello.", language="en")


@pytest.fixture
def settled(pipeline):
    """The task after the settle loop has looked at it."""

    def look(task: Task) -> Task:
        settle(pipeline.ports, task.id)
        return pipeline.task(task.id)

    return look


@pytest.fixture(scope="module")
def wire_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with in_memory(tmp_path_factory.mktemp("wire")) as url:
        yield url
