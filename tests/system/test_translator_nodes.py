"""A stack whose translators have converted models of several families, on nodes of their own: each
advertises what it has, and a pair that no model serves goes through English.

The models are untrained, so words mean nothing; but they are those that the same files give.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services import lifeline
from services.settings import Settings
from task_manager.store.sqlite import SqliteStore
from tests.system.conftest import Program, Stack, wait_for
from translator_worker.engines import Row
from translator_worker.engines.ctranslate2 import CTranslate2Engine
from translator_worker.engines.pivot import PivotEngine

sys.path.insert(0, str(Path(__file__).parents[1] / "translator"))
from tiny_families import make_m2m100, make_marian

CATALOG = """
[[model]]
name = "de-zh-by-english"
kind = "translate"
engine = "pivot"
pivot = "en"
hops = ["opus-de-en", "opus-en-zh"]

[[model]]
name = "opus-de-en"
kind = "translate"
engine = "ctranslate2"
family = "marian"
pairs = [["de", "en"]]

[[model]]
name = "opus-en-zh"
kind = "translate"
engine = "ctranslate2"
family = "marian"
pairs = [["en", "zh"]]

[[model]]
name = "m2m"
kind = "translate"
engine = "ctranslate2"
family = "m2m100"
languages = ["en", "fr", "ja"]
"""
LINES = ["The black bird is sleeping under the table.", "There are three coins behind the box."]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of models, as two machines have them."""
    root = tmp_path_factory.mktemp("machines")
    for path in ("one/opus-de-en", "one/opus-en-zh"):
        make_marian(root / path)
    (root / "two" / "m2m").mkdir(parents=True)
    make_m2m100(root / "two" / "m2m")
    return root


@pytest.fixture
def stack(stub_stack: Callable[..., Stack], models: Path, tmp_path: Path) -> Stack:
    """The manager and the first machine, which has the stubs too, as some speech model has to be
    there; the catalog file goes before them."""
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(CATALOG, "utf-8")
    return stub_stack(
        FANSCRIBE_CATALOG_FILE=str(catalog),
        FANSCRIBE_MODELS_DIR=str(models / "one"),
    )


@pytest.fixture
def start_second(
    stack: Stack, models: Path, start_program: Callable[..., Any]
) -> Callable[[], Program]:
    """Starts the second machine, which knows the addresses that the first one was given."""

    def start() -> Program:
        first = Path(f"/proc/{stack.child('translator').pid}/environ").read_text()
        given = dict(line.split("=", 1) for line in first.split("\0") if "=" in line)
        del given[lifeline.PARENT_VARIABLE]  # it is ours, not the supervisor's
        own = {"FANSCRIBE_MODELS_DIR": str(models / "two"), "FANSCRIBE_STUB_MODELS": "false"}
        program: Program = start_program(Program, "worker", "translator", env={**given, **own})
        return program

    return start


def get(stack: Stack, path: str) -> Any:
    answer = httpx.get(f"{stack.url}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def served_by_nodes(stack: Stack) -> list[set[str]]:
    """What each translator that lives says of its models."""
    nodes = get(stack, "/v1/nodes")["nodes"]
    return [set(each["models"]) for each in nodes if each["kind"] == "translator"]


def submitted(stack: Stack, source: str, target: str) -> str:
    words = ["--text", "1=" + "\n".join(LINES), "--from", source, "--to", target]
    return stack.run("submit", *words).strip()


def ended(stack: Stack, task_id: str) -> Any:
    def look() -> Any:
        task = get(stack, f"/v1/tasks/{task_id}")
        return task if task["finished_at"] else None

    return wait_for(f"{task_id} to end", look)


def test_a_pair_goes_through_english_and_each_node_serves_what_it_has(
    stack: Stack, models: Path, start_second: Callable[[], Program]
) -> None:
    german, english = submitted(stack, "de", "zh"), submitted(stack, "en", "fr")
    assert ended(stack, german)["state"] == "succeeded"
    first = {"de-zh-by-english", "opus-de-en", "opus-en-zh", "opencc", "stub-nmt"}
    assert served_by_nodes(stack) == [first]
    lonely = get(stack, f"/v1/tasks/{english}")
    assert (lonely["state"], lonely["no_node"]) == ("queued", ["translate.m2m"])

    start_second()
    assert ended(stack, english)["state"] == "succeeded"

    assert sorted(served_by_nodes(stack), key=len) == [{"m2m", "opencc"}, first]
    told = {each["name"]: each for each in get(stack, "/v1/models")["models"]}
    by_english = told["de-zh-by-english"]
    assert (by_english["pivot"], by_english["hops"]) == ("en", ["opus-de-en", "opus-en-zh"])
    assert (by_english["nodes"], told["m2m"]["nodes"]) == (1, 1)

    store = SqliteStore(stack.data_dir / "store.sqlite")
    jobs = {
        each.task_id: each for id_ in (german, english) for each in store.jobs_of_items(id_, 0, 0)
    }
    assert (jobs[german].model, jobs[english].model) == ("de-zh-by-english", "m2m")
    assert [jobs[each].attempt for each in (german, english)] == [1, 1]
    store.close()

    run = {"device": "cpu", "compute_type": Settings().compute_type}
    into, out = (CTranslate2Engine(models / "one" / name, family="marian", **run)
                 for name in ("opus-de-en", "opus-en-zh"))  # fmt: skip
    rows = [Row(line, "de", "zh") for line in LINES]
    made = PivotEngine(into, out, "en").translate(rows, beam_size=None)
    result = get(stack, f"/v1/tasks/{german}/result?form=expanded")
    assert result == {"zh": {"1": {"T": "\n".join(each.text for each in made)}}}
    m2m = CTranslate2Engine(models / "two" / "m2m", family="m2m100", **run)
    made = m2m.translate([Row(line, "en", "fr") for line in LINES], beam_size=None)
    result = get(stack, f"/v1/tasks/{english}/result?form=expanded")
    assert result == {"fr": {"1": {"T": "\n".join(each.text for each in made)}}}


def test_a_pair_that_neither_hop_leads_to_is_refused_at_once(stack: Stack) -> None:
    body = {"items": [{"text": "Guten Tag.", "language": "de"}], "targets": ["ja"]}
    body["options"] = {"translate_model": "de-zh-by-english"}
    refused = httpx.post(f"{stack.url}/v1/tasks", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "pair_not_served")
