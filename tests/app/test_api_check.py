"""An item against its text: where they part, and tasks that fail what is too far from it."""

from __future__ import annotations

import json

import pytest
from driver import CHECK, PLACE
from either_client import KINDS, open_client
from running_manager import Manager, error_of
from typer.testing import CliRunner

from services.cli import make_app
from services.model.differences import Differences

SAID = "Some words."
FAILING = {"check_threshold": 0.2, "check_action": "fail"}


def item(manager: Manager, **more):
    return {"text_id": "1", "audio": manager.upload(), "text": SAID, "language": "en", **more}


def check_of(manager: Manager, task, text_id: str = "1", **query):
    return manager.api.get(f"/v1/tasks/{task['id']}/items/{text_id}/check", params=query)


def test_a_check_tells_rates_counts_and_places(manager) -> None:
    task = manager.finished(items=[item(manager)], targets=["zh"], options={"check_threshold": 0.2})
    assert check_of(manager, task).json() == {
        "text_id": "1",
        "language": "en",
        "check": CHECK.model_dump(),
        "threshold": 0.2,
        "action": "flag",
        "above": True,
        "differences": [PLACE.model_dump()],
        "next": None,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_places_are_paged_in_order(manager, kind: str) -> None:
    places = [PLACE.model_copy(update={"start": n, "end": n + 1}) for n in range(2500)]
    manager.driver.differences = Differences(count=2500, places=places)
    task = manager.finished(items=[item(manager)], targets=["zh"])

    first = check_of(manager, task, limit=2).json()
    second = check_of(manager, task, limit=2, after=first["next"]).json()
    assert [each["start"] for each in first["differences"] + second["differences"]] == [0, 1, 2, 3]
    last = check_of(manager, task, limit=2, after=2497).json()
    assert [each["start"] for each in last["differences"]] == [2498, 2499]
    assert last["next"] is None
    client = open_client(kind, str(manager.api.base_url))
    assert [each.start for each in client.differences(task["id"], "1")] == list(range(2500))
    assert client.check(task["id"], "1").check == CHECK
    client.close()


def test_what_cannot_be_checked_says_why(manager) -> None:
    items = [
        {"text_id": "silent", "text": "Hello.", "language": "en"},
        {"text_id": "unwritten", "audio": manager.upload()},
        item(manager, text_id="bad"),
    ]
    task = manager.create(items=items, targets=["zh"])
    assert error_of(check_of(manager, task, "bad"))[:2] == (409, "not_finished")
    manager.driver.unreadable = {"bad"}
    task = manager.work(task["id"])
    for text_id in ("silent", "unwritten"):
        assert error_of(check_of(manager, task, text_id))[:2] == (404, "not_checked")
    assert error_of(check_of(manager, task, "bad"))[:2] == (404, "cell_failed")
    assert error_of(check_of(manager, task, "other"))[:2] == (404, "unknown_text_id")


def test_an_item_too_far_from_its_text_fails_and_the_others_are_whole(manager) -> None:
    other = {"text_id": "2", "audio": manager.upload(name="2.wav"), "language": "en"}
    task = manager.finished(items=[item(manager), other], targets=["zh", "en"], options=FAILING)

    assert task["state"] == "partial"
    assert (task["counts"]["cells"], task["counts"]["cells_done"]) == (6, 4)
    assert [(each["code"], each["dead"]) for each in task["attempts"]] == [
        ("check_failed", True)
    ] * 2
    assert task["warnings"] == [{"text_id": "1", "warning": "check_above_threshold"}]
    first, second = manager.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    for language in ("zh", "en"):
        assert first["cells"][language]["T"]["state"] == "done"
        assert second["cells"][language]["A"]["state"] == "done"
        failed = first["cells"][language]["A"]
        assert (failed["state"], failed["error"]["code"]) == ("failed", "check_failed")
        assert failed["error"]["next_attempt_at"] is None
    pack = manager.api.get(f"/v1/tasks/{task['id']}/result", params={"form": "coded"}).json()
    assert pack["complete"] is False
    assert [row[1:] for row in pack["missing"]] == [["1", "A"], ["1", "A"]]
    answer = manager.api.get(f"/v1/tasks/{task['id']}/result/en/1/A")
    assert error_of(answer)[:2] == (404, "cell_failed")


def test_what_was_heard_of_it_stays_to_be_looked_at(manager) -> None:
    task = manager.finished(items=[item(manager)], targets=["zh", "en"], options=FAILING)
    base = f"/v1/tasks/{task['id']}/items/1"
    assert manager.api.get(f"{base}/transcript").json()["text"] == "Heard 1."
    assert manager.api.get(f"{base}/subtitles.srt").status_code == 200
    assert check_of(manager, task).json()["action"] == "fail"


def test_a_retry_that_could_change_nothing_is_refused(manager) -> None:
    task = manager.finished(items=[item(manager)], targets=["zh"], options=FAILING)
    answer = manager.api.post(f"/v1/tasks/{task['id']}/retry")
    assert error_of(answer)[:2] == (409, "check_failed")
    assert manager.task(task["id"])["state"] == "partial"


def test_a_retry_of_the_rest_leaves_it_failed(manager) -> None:
    other = {"text_id": "2", "text": "Hello.", "language": "en"}
    manager.driver.broken = {"zh"}
    task = manager.finished(items=[item(manager), other], targets=["zh", "ja"], options=FAILING)
    manager.driver.broken = set()

    assert manager.api.post(f"/v1/tasks/{task['id']}/retry").status_code == 202
    task = manager.work(task["id"])

    assert task["state"] == "partial"
    assert (task["counts"]["dead"], task["counts"]["cells_done"]) == (2, 4)
    retried = manager.api.post("/v1/jobs/dead/retry", json={"tasks": [task["id"]]}).json()
    assert retried["skipped"] == [{"task": task["id"], "code": "check_failed"}]


def test_to_fail_needs_a_rate_from_which_on(shared) -> None:
    refused = shared.refused(items=[item(shared)], targets=["zh"], options={"check_action": "fail"})
    assert refused == (422, "no_check_threshold", "options.check_threshold")


@pytest.fixture
def command_line(manager, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FANSCRIBE_URL", str(manager.api.base_url))

    def run(*words: str):
        done = CliRunner().invoke(make_app(), words)
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_differences_are_shown_as_lines_and_as_json(manager, command_line) -> None:
    task = manager.finished(items=[item(manager)], targets=["zh"], options={"check_threshold": 0.2})
    assert command_line("differences", task["id"], "1").splitlines() == [
        "1  en  WER 25.00%  CER 10.00%, above 20.0%",
        "3 of 4 as expected, 1 others, 0 missing, 0 more words  (decides)",
        "18 of 20 as expected, 2 others, 0 missing, 0 more characters",
        "@ 0:00:00.50–0:00:01.00, character 4",
        "- words",
        "+ birds",
    ]
    told = json.loads(command_line("differences", task["id"], "1", "--json"))
    assert told["differences"] == [PLACE.model_dump()]


def test_submit_says_what_becomes_of_items_above_the_rate(manager, command_line, tmp_path) -> None:
    audio = tmp_path / "1.wav"
    audio.write_bytes(b"RIFF")
    words = ["--text", f"1={SAID}", "--from", "en", "--to", "zh", "--check", "0.2"]
    made = command_line("submit", str(audio), *words, "--check-action", "fail", "--json")
    assert json.loads(made)["id"]
    assert manager.work(json.loads(made)["id"])["options"]["check_action"] == "fail"
