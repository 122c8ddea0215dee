"""Corrections by API, client and command line."""

from __future__ import annotations

import json
from contextlib import closing
from urllib.parse import quote

import pytest
from crooked_proxy import CrookedProxy, lose_the_answer
from either_client import KINDS, open_client
from key_holder import SECRETS, holder_of, make_key
from running_manager import Manager, error_of

NAME = "a/b 一"


@pytest.fixture
def done(manager: Manager) -> str:
    items = [
        {"text_id": NAME, "audio": manager.upload(), "language": "en"},
        {"text_id": "2", "text": "Hello.", "language": "en"},
    ]
    return manager.finished(items=items, targets=["zh", "ja"])["id"]


def path_of(task: str, text_id: str = NAME, what: str = "transcript") -> str:
    return f"/v1/tasks/{task}/items/{quote(text_id, safe='')}/{what}"


def put(manager: Manager, task: str, text_id: str = NAME, *, language: str = "", **body):
    query = {"language": language} if language else {}
    return manager.api.put(path_of(task, text_id), params=query, json={"version": 0, **body})


def read(manager: Manager, task: str, text_id: str = NAME, **query):
    answer = manager.api.get(path_of(task, text_id), params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def versions(manager: Manager, task: str, text_id: str = NAME, **query):
    answer = manager.api.get(path_of(task, text_id, "versions"), params=query).json()
    return [(each["version"], each["corrected_by"]) for each in answer["versions"]]


def items_of(manager: Manager, task: dict):
    return manager.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]


def test_a_cell_that_looks_wrong_says_so_until_somebody_corrected_it(manager: Manager) -> None:
    manager.driver.flags = ["in_pieces", "other_language"]
    items = [{"text_id": NAME, "audio": manager.upload(), "language": "en"}]
    task = manager.finished(items=[*items, {"text": "Hi.", "language": "en"}], targets=["zh", "en"])
    (heard, written) = items_of(manager, task)
    assert heard["cells"]["zh"]["A"]["flags"] == {"in_pieces": 1, "other_language": 1}
    assert heard["cells"]["en"]["A"]["flags"] == {}
    assert heard["warnings"] == ["other_language: 1 of 1 sentences (zh, A)"]
    assert written["warnings"] == ["other_language: 1 of 1 sentences (zh, T)"]
    assert [each["warning"] for each in task["warnings"]] == heard["warnings"] + written["warnings"]

    put(manager, task["id"], language="zh", segments=[{"id": 0, "text": "你好"}])
    put(manager, task["id"], "2", language="zh", text="你好")

    for item in items_of(manager, task):
        assert item["warnings"] == []
        assert [cell["flags"] for cell in item["cells"]["zh"].values()] == [{}]


def test_a_translation_is_corrected_and_what_it_was_stays_readable(manager, done) -> None:
    was = manager.api.get(f"/v1/tasks/{done}/result", params={"language": "zh"})
    before = read(manager, done, language="zh")

    answer = put(manager, done, language="zh", segments=[{"id": 0, "text": " 你\n好 "}])

    assert (answer.status_code, answer.json()) == (200, {
        "text_id": NAME, "source": "A", "language": "zh", "version": 1, "state": "succeeded",
    })  # fmt: skip
    now = read(manager, done, language="zh")
    assert (now["text"], now["version"], now["corrected_by"]) == ("你 好", 1, "local")
    assert now["corrected_at"] > manager.task(done)["created_at"]
    assert (now["segments"][0]["start"], now["segments"][0]["flags"]) == (
        before["segments"][0]["start"], ["corrected"],
    )  # fmt: skip
    assert read(manager, done, language="zh", version=0) == before
    assert versions(manager, done, language="zh") == [(0, None), (1, "local")]
    subtitles = path_of(done, what="subtitles.txt")
    assert "你 好" in manager.api.get(subtitles, params={"language": "zh"}).text
    old = manager.api.get(subtitles, params={"language": "zh", "version": 0})
    assert old.text.strip() == before["text"]
    result = manager.api.get(f"/v1/tasks/{done}/result", params={"language": "zh"})
    assert result.json()["zh"][NAME] == {"A": "你 好"}
    assert result.headers["etag"] != was.headers["etag"]


def test_corrected_words_are_translated_anew(manager, done) -> None:
    answer = put(manager, done, segments=[{"id": 0, "text": "Herd."}])
    assert answer.json()["state"] in {"queued", "running"}
    items = manager.api.get(f"/v1/tasks/{done}/items").json()["items"]
    assert {cell["A"]["outdated"] for cell in items[0]["cells"].values()} == {True}

    assert manager.work(done)["state"] == "succeeded"
    assert read(manager, done, language="ja")["text"] == "[ja] Herd."
    result = manager.api.get(f"/v1/tasks/{done}/result").json()
    assert result["zh"] == {NAME: {"A": "[zh] Herd."}, "2": {"T": "[zh] Hello."}}
    items = manager.api.get(f"/v1/tasks/{done}/items").json()["items"]
    assert items[0]["cells"]["zh"]["A"] == {
        "state": "done", "error": None, "version": 1, "outdated": False, "glossary": None,
        "flags": {},
    }  # fmt: skip
    assert items[1]["cells"]["zh"]["T"]["version"] == 0


def test_a_text_is_corrected_as_a_whole(manager, done) -> None:
    assert put(manager, done, "2", text="Bye.").json()["version"] == 1
    manager.work(done)

    assert read(manager, done, "2", language="zh")["text"] == "[zh] Bye."
    assert versions(manager, done, "2") == [(0, None), (1, "local")]


def test_what_is_wrong_is_told_with_its_field(manager, done) -> None:
    segment = {"id": 0, "text": "x"}

    def refused(**body):
        return error_of(put(manager, done, **body))

    assert refused(text="x") == (422, "segments_required", "segments")
    assert refused(segments=[segment, segment]) == (422, "duplicate_segment", "segments.1")
    assert refused(segments=[{"id": 9, "text": "x"}]) == (422, "unknown_segment", "segments.0.id")
    assert refused(segments=[])[0] == 422
    assert refused()[0] == 422
    assert refused(segments=[segment], text="x")[0] == 422
    assert refused(segments=[{"id": "0", "text": "x"}])[0] == 422
    assert refused(segments=[{"id": 0, "text": "x" * 5001}])[0] == 422
    assert refused(segments=[segment], version=1) == (409, "stale_version", "version")
    assert refused(language="fr", segments=[segment]) == (404, "not_a_target", "language")
    assert error_of(put(manager, done, "2", segments=[segment])) == (422, "text_required", "text")
    assert error_of(put(manager, done, "nobody", text="x"))[:2] == (404, "unknown_text_id")
    form = manager.api.put(path_of(done), content=b'{"version": 0, "text": "x"}')
    assert form.status_code == 415
    older = manager.api.get(path_of(done), params={"version": 3})
    assert error_of(older) == (404, "unknown_version", "version")
    assert versions(manager, done) == [(0, None)]


def test_a_task_that_runs_or_is_gone_is_not_corrected(manager, done) -> None:
    running = manager.create(items=[{"text_id": "1", "text": "Hi.", "language": "en"}],
                             targets=["zh"])["id"]  # fmt: skip
    assert error_of(put(manager, running, "1", text="Ho."))[:2] == (409, "not_terminal")
    assert error_of(put(manager, running, "1", language="zh", text="嗬"))[:2] == (
        409, "not_finished",
    )  # fmt: skip
    manager.api.delete(f"/v1/tasks/{done}")
    assert error_of(put(manager, done, segments=[{"id": 0, "text": "x"}]))[0] == 410


def test_who_corrected_what_is_noted(start) -> None:
    manager = start(**SECRETS)
    made, reader = make_key(manager), make_key(manager, "read")
    with holder_of(manager, made["key"]) as holder, holder_of(manager, reader["key"]) as looker:
        new = {"items": [{"text_id": "1", "text": "Hi.", "language": "en"}], "targets": ["zh"]}
        task = holder.post("/v1/tasks", json=new).json()["id"]
        manager.work(task)
        words = {"version": 0, "text": "嗬"}
        answer = holder.put(path_of(task, "1"), params={"language": "zh"}, json=words)
        assert answer.status_code == 200
        assert looker.put(path_of(task, "1"), json=words).status_code == 403
        listed = looker.get(path_of(task, "1", "versions"), params={"language": "zh"})

    assert listed.json()["versions"][-1]["corrected_by"] == made["id"]
    lines = manager.api.get("/v1/audit", params={"key": made["id"]}).json()["entries"]
    assert ("task.correct", task, "ok") in [
        (line["action"], line["subject"], line["outcome"]) for line in lines
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_whose_answer_was_lost_corrects_once(manager, done, kind) -> None:
    with closing(CrookedProxy(manager.url)) as proxy, closing(open_client(kind, proxy.url)) as far:
        proxy.tricks = [lose_the_answer]
        saved = far.correct(done, NAME, {0: "你好"}, version=0, language="zh")
        assert (saved.version, len(proxy.asked)) == (1, 2)
        assert [each.version for each in far.versions(done, NAME, language="zh")] == [0, 1]
        assert far.transcript(done, NAME, language="zh").corrected_by == "local"
        assert far.transcript(done, NAME, language="zh", version=0).version == 0
        assert far.correct(done, "2", "Bye.", version=0).source == "T"


def test_the_command_line_corrects_and_lists_versions(manager, fanscribe, done) -> None:
    told = fanscribe("correct", done, NAME, "--language", "zh", "--segment", "0=你好")
    assert told == f"{NAME} zh/A: version 1, the task is succeeded\n"
    saved = json.loads(fanscribe("correct", done, "2", "--text", "Bye.", "--json"))
    assert (saved["version"], saved["language"]) == (1, "en")
    manager.work(done)
    listed = json.loads(fanscribe("versions", done, NAME, "--language", "zh", "--json"))
    assert [each["version"] for each in listed] == [0, 1]
    assert "a model" in fanscribe("versions", done, NAME)
