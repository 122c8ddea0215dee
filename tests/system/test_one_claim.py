"""Many short jobs in few claims: a true manager, a true worker's runner, the demo model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo.grammar import LANGUAGES, sentences
from services import settings
from services.model.messages import Announcement
from services.model.states import JobState
from services.settings import Settings
from services.worker.callbacks import Manager as Callbacks
from services.worker.offering import Offering
from services.worker.run import Runner
from services.worker.spool import Spool
from tests.system.conftest import wait_for
from translator_worker.tasks import BUNDLES

sys.path.insert(0, str(Path(__file__).parents[1] / "app"))
from key_holder import SECRETS, holder_of, make_key
from running_manager import Manager, manager_of

ANNOUNCED = Announcement(queue="translate.nmt-demo", job="")
HELD_OUT = sentences(24, seed=71, held_out=True)


@pytest.fixture
def demo_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setenv("FANSCRIBE_DEMO_MODELS", "true")
    settings.load.cache_clear()
    given = {"data_dir": tmp_path / "data", "demo_models": True, **SECRETS}
    with manager_of(Settings(**given)) as made:
        yield made
    settings.load.cache_clear()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def translator(demo_manager: Manager, tmp_path: Path) -> Iterator[Runner]:
    secret = demo_manager.application.settings.callback_secrets[0]
    callbacks = Callbacks(demo_manager.workers_url, secret)
    runner = Runner(
        node="translator-1",
        models=["nmt-demo"],
        stages={},
        bundles=BUNDLES,
        slots_of=lambda _: 64,
        most_size=240.0,
        manager=callbacks,
        offering=Offering(callbacks, Spool(tmp_path / "spool")),
    )
    yield runner
    runner.close()
    callbacks.close()


def order(number: int) -> dict[str, Any]:
    """A task of two texts of two sentences each, in two languages, into all of them."""
    items = []
    for place in range(2):
        language = LANGUAGES[(number + place) % len(LANGUAGES)]
        pair = HELD_OUT[4 * number + 2 * place :][:2]
        text = "\n".join(sentence.text(language) for sentence in pair)
        items.append({"text_id": f"text {place}", "text": text, "language": language})
    return {"items": items, "targets": list(LANGUAGES)}


def expected(task: dict[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """The result, made of one sentence a call."""
    from services.models_folder import load_catalog, locate
    from translator_worker.engines import Row
    from translator_worker.engines.ctranslate2 import CTranslate2Engine

    here = settings.load()
    entry = load_catalog(here).entry("nmt-demo")
    assert entry is not None
    folder = locate(entry, here)
    assert folder is not None
    engine = CTranslate2Engine(folder, device="cpu", compute_type="default")

    def said(text: str, source: str, target: str) -> str:
        if source == target:
            return text
        lines = [
            engine.translate([Row(line, source, target)], beam_size=None)[0].text
            for line in text.splitlines()
        ]
        return "\n".join(lines)

    return {
        target: {
            item["text_id"]: {"T": said(item["text"], item["language"], target)}
            for item in task["items"]
        }
        for target in task["targets"]
    }


def test_tasks_of_several_owners_and_languages_come_out_right_of_shared_claims(
    demo_manager: Manager, translator: Runner, stack: ExitStack
) -> None:
    keys = [make_key(demo_manager, owner=name)["key"] for name in ("ada", "bob", "cyd")]
    clients = [stack.enter_context(holder_of(demo_manager, key)) for key in keys]
    made = []
    for number in range(6):
        client = clients[number % 3]
        answer = client.post("/v1/tasks", json=order(number))
        assert answer.status_code == 202, answer.text
        made.append((client, answer.json()["id"], order(number)))
    store = demo_manager.application.store
    cells = 6 * 2 * (len(LANGUAGES) - 1)

    def waiting() -> int:
        return sum(store.count_jobs(task_id).get(JobState.WAITING, 0) for _, task_id, _ in made)

    wait_for("all jobs to be written", lambda: waiting() == cells)

    claims = 0
    while waiting():
        translator.run(ANNOUNCED)
        claims += 1

    assert claims < cells
    for client, task_id, asked in made:
        wait_for(
            "the task's end",
            lambda client=client, task_id=task_id: (
                client.get(f"/v1/tasks/{task_id}").json()["state"] == "succeeded"
            ),
        )
        got = client.get(f"/v1/tasks/{task_id}/result", params={"form": "expanded"}).json()
        assert got == expected(asked)
