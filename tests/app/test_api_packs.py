"""What a pack says beside its cells: what is missing, what was corrected, which end it is of; and
ids that nobody would choose."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from running_manager import Manager, error_of

from fanscribe import Fanscribe
from tests.unit.hostile import NAMES, TEXTS

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def pack_of(manager: Manager, task: str, *languages: str):
    query = {"form": "coded", "language": languages}
    answer = manager.api.get(f"/v1/tasks/{task}/result", params=query)
    assert answer.status_code == 200, answer.text
    return answer


def corrected(manager: Manager, task: str, **query) -> None:
    before = manager.api.get(f"/v1/tasks/{task}/items/1/transcript", params=query).json()
    words = {"version": before["version"], "text": "Guten Tag."}
    answer = manager.api.put(f"/v1/tasks/{task}/items/1/transcript", params=query, json=words)
    assert answer.status_code == 200, answer.text


# ── what is missing ──────────────────────────────────────────────────────────────────────────


def test_what_is_missing_is_listed_in_the_order_of_the_task_by_whole_and_by_language(
    manager,
) -> None:
    manager.driver.broken = {"de"}
    manager.driver.unreadable = {"b"}
    items = [
        {"text_id": "b", "audio": manager.upload(), "text": "Hello.", "language": "en"},
        {"text_id": "a", "text": "Bye.", "language": "en"},
    ]
    task = manager.finished(items=items, targets=["ja", "de", "en"])
    whole = pack_of(manager, task["id"])
    assert task["state"] == "partial"
    assert whole.json()["missing"] == [
        [3, "b", "A"],
        [4, "b", "A"], [4, "b", "T"], [4, "a", "T"],
        [2, "b", "A"],
    ]  # fmt: skip
    assert whole.json()["data"]["2"] == {"b": {"T": "Hello."}, "a": {"T": "Bye."}}
    slices = {name: pack_of(manager, task["id"], name).json() for name in ("ja", "de", "en")}
    joined = [cell for each in slices.values() for cell in each["missing"]]
    assert joined == whole.json()["missing"]
    assert [len(each["data"]) for each in slices.values()] == [1, 1, 1]


def test_a_language_is_complete_by_itself(manager) -> None:
    manager.driver.broken = {"de"}
    task = manager.finished(items=[TEXT], targets=["zh", "de"])
    told = {
        languages: pack_of(manager, task["id"], *languages).headers["x-fanscribe-complete"]
        for languages in (("zh",), ("de",), ("zh", "de"))
    }
    assert told == {("zh",): "true", ("de",): "false", ("zh", "de"): "false"}


def test_a_retry_that_makes_all_good_leaves_the_bytes_of_a_run_without_faults(manager) -> None:
    manager.driver.broken = {"de"}
    task = manager.finished(items=[TEXT], targets=["zh", "de"])["id"]
    partial = pack_of(manager, task)
    manager.driver.broken = set()
    manager.api.post(f"/v1/tasks/{task}/retry")
    manager.work(task)
    other = manager.finished(items=[TEXT], targets=["zh", "de"])["id"]
    again, faultless = pack_of(manager, task), pack_of(manager, other)
    assert again.content == faultless.content != partial.content
    assert again.headers["etag"] == faultless.headers["etag"] != partial.headers["etag"]


# ── which version, and which end ─────────────────────────────────────────────────────────────


def test_a_pack_names_the_version_of_every_cell_that_was_corrected(manager) -> None:
    task = manager.finished(items=[TEXT, {**TEXT, "text_id": "2"}], targets=["ja", "de"])["id"]
    before = {name: pack_of(manager, task, name).content for name in ("ja", "de")}
    assert "versions" not in pack_of(manager, task).json()

    corrected(manager, task, language="de")

    assert pack_of(manager, task).json()["versions"] == [[4, "1", "T", 1]]
    assert pack_of(manager, task, "de").json()["versions"] == [[4, "1", "T", 1]]
    assert pack_of(manager, task, "ja").content == before["ja"]
    with Fanscribe(manager.url) as client:
        assert client.coded_result(task).versions == [(4, "1", "T", 1)]
        assert client.coded_result(task, languages=["ja"]).versions == []


def test_translations_of_corrected_words_have_the_version_of_those(manager) -> None:
    task = manager.finished(items=[TEXT, {**TEXT, "text_id": "2"}], targets=["ja", "en"])["id"]

    corrected(manager, task)
    manager.work(task)

    assert pack_of(manager, task).json()["versions"] == [[3, "1", "T", 1], [2, "1", "T", 1]]
    assert pack_of(manager, task).json()["data"]["3"]["1"] == {"T": "[ja] Guten Tag."}


def test_an_answer_says_of_which_end_of_the_task_it_is(manager) -> None:
    task = manager.finished(items=[TEXT], targets=["ja", "de"])["id"]
    first = pack_of(manager, task).headers["x-fanscribe-revision"]
    corrected(manager, task, language="de")
    second = pack_of(manager, task, "ja").headers["x-fanscribe-revision"]
    assert int(first) < int(second) == manager.application.store.task(task).revision


def test_packs_of_two_ends_are_never_given_as_one(manager) -> None:
    """A reader who read the task before it ended anew, and its packs in the middle of that."""
    task = manager.finished(items=[TEXT], targets=["zh", "ja"])["id"]
    store = manager.application.store
    old = store.pack(task, "zh")
    body = old.body.replace("Hello", "Bye")
    new = {"revision": old.revision + 1, "body": body, "sha256": sha256(body.encode()).hexdigest()}
    store.put_pack(old.model_copy(update=new))

    answer = manager.api.get(f"/v1/tasks/{task}/result")

    assert error_of(answer) == (409, "not_finished", None)
    assert answer.headers["retry-after"] == "1"
    assert pack_of(manager, task, "zh").content == body.encode()


# ── as HTTP has it ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_head_tells_what_get_would_send(shared, encoding) -> None:
    long = {**TEXT, "text": "long " * 500}
    url = f"/v1/tasks/{shared.finished(items=[long], targets=['zh'])['id']}/result"
    headers = {"accept-encoding": encoding}
    asked, got = shared.api.head(url, headers=headers), shared.api.get(url, headers=headers)
    told = ("etag", "content-length", "content-type", "x-fanscribe-complete", "vary")
    assert (asked.status_code, asked.content) == (200, b"")
    assert [asked.headers[name] for name in told] == [got.headers[name] for name in told]
    assert asked.headers.get("content-encoding") == got.headers.get("content-encoding")
    known = shared.api.head(url, headers={**headers, "if-none-match": got.headers["etag"]})
    assert known.status_code == 304


# ── ids and texts ────────────────────────────────────────────────────────────────────────────


def test_odd_ids_and_texts_come_back_from_both_forms_and_from_every_look_up(shared) -> None:
    texts = dict(zip(NAMES, TEXTS, strict=False))
    items = [{"text_id": name, "text": texts[name], "language": "en"} for name in NAMES]
    task = shared.finished(items=items, targets=["en"])["id"]
    wanted = [(name, {"T": text}) for name, text in texts.items()]

    plain = shared.api.get(f"/v1/tasks/{task}/result")
    assert list(json.loads(plain.content)["en"].items()) == wanted
    assert list(json.loads(pack_of(shared, task).content)["data"]["2"].items()) == wanted
    with Fanscribe(shared.url) as client:
        cells = client.cells(task, [("en", name, "T") for name in NAMES])
        assert [(each.text_id, {"T": each.text}) for each in cells] == wanted
        for name in NAMES:
            assert client.cell(task, "en", name, "T").text == texts[name]
            assert client.transcript(task, name).text == texts[name]
