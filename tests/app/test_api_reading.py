"""Looking at tasks: pages, items, cells, transcripts, subtitles; ids of every kind."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from driver import CHECK
from running_manager import error_of

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}
STRANGE = "a/b:c.d$e%20文本 ?#&+=\\..//x"


@pytest.mark.parametrize("text_id", [STRANGE, "..", "/", "a%2Fb", "x/transcript", "$where", "a.b"])
def test_a_strange_text_id_comes_back_unchanged_everywhere(shared, text_id) -> None:
    items = [{"text_id": text_id, "text": "Hello.", "language": "en"}]
    task = shared.finished(items=items, targets=["zh"])
    base = f"/v1/tasks/{task['id']}"
    named = quote(text_id, safe="").replace("..", "%2E%2E")
    assert shared.api.get(f"{base}/items").json()["items"][0]["text_id"] == text_id
    assert shared.api.get(f"{base}/result").json() == {"zh": {text_id: {"T": "[zh] Hello."}}}
    cell = shared.api.get(f"{shared.url}{base}/result/zh/{named}/T").json()
    assert (cell["text_id"], cell["text"]) == (text_id, "[zh] Hello.")
    words = shared.api.get(f"{base}/items/{named}/transcript").json()
    assert (words["text_id"], words["text"]) == (text_id, "Hello.")
    assert shared.api.get(f"{base}/items/{named}/subtitles.txt").text.strip() == "Hello."


def test_a_task_tells_its_state_counts_and_times(manager) -> None:
    item = {"text_id": "1", "audio": manager.upload(), "text": "Hello.", "language": "en"}
    made = manager.create(items=[item], targets=["zh", "en"], metadata={"a": [1]}, priority="bulk")
    assert made["state"] == "queued"
    assert made["counts"]["cells"] == 4
    task = manager.work(made["id"])
    assert (task["state"], task["progress"], task["metadata"]) == ("succeeded", 1.0, {"a": [1]})
    assert (task["counts"]["cells"], task["counts"]["cells_done"]) == (4, 4)
    assert task["created_at"] <= task["started_at"] <= task["finished_at"]
    assert task["created_at"].endswith("Z")
    assert list(task["timings"]) == ["prepare", "transcribe", "translate"]
    assert task["timings"]["translate"]["jobs"] == 2
    assert task["attempts"] == task["warnings"] == []


def test_an_item_tells_what_was_heard_and_how_far_it_is_from_the_text(manager) -> None:
    item = {"text_id": "1", "audio": manager.upload(), "text": "Hello.", "language": "en"}
    task = manager.finished(items=[item, {"audio": manager.upload(name="2.wav")}], targets=["zh"])
    first, second = manager.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    assert (first["language"], first["duration"], first["coverage"]) == ("en", 3.0, 1.0)
    assert first["check"] == CHECK.model_dump()
    done = {"state": "done", "error": None, "version": 0, "outdated": False}
    done |= {"glossary": None, "flags": {}}
    assert first["cells"] == {"zh": {"A": done, "T": done}}
    assert (second["language"], second["language_probability"]) == ("en", 0.9)
    assert (second["check"], second["has_text"]) == (None, False)


def test_what_is_no_media_fails_its_item_and_says_so(manager) -> None:
    manager.driver.unreadable = {"bad"}
    items = [{"text_id": "bad", "audio": manager.upload()}, TEXT]
    task = manager.finished(items=items, targets=["zh"])
    assert task["state"] == "partial"
    assert task["attempts"][0]["code"] == "bad_media"
    cell = manager.api.get(f"/v1/tasks/{task['id']}/items").json()["items"][0]["cells"]["zh"]["A"]
    assert (cell["state"], cell["error"]["code"]) == ("failed", "bad_media")
    answer = manager.api.get(f"/v1/tasks/{task['id']}/items/bad/transcript")
    assert error_of(answer)[:2] == (404, "cell_failed")


def test_items_are_paged_in_order(shared) -> None:
    items = [{"text_id": f"{n}", "text": "x", "language": "en"} for n in range(5)]
    task = shared.create(items=items, targets=["zh"])
    url = f"/v1/tasks/{task['id']}/items"
    seen, after = [], -1
    while after is not None:
        page = shared.api.get(url, params={"limit": 2, "after": after}).json()
        seen.append([item["text_id"] for item in page["items"]])
        after = page["next"]
    assert seen == [["0", "1"], ["2", "3"], ["4"]]


def test_tasks_are_listed_newest_first_in_pages_and_by_state(manager) -> None:
    made = [manager.create(items=[TEXT], targets=["zh"])["id"] for _ in range(5)]
    manager.api.post(f"/v1/tasks/{made[2]}/cancel")
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = manager.api.get("/v1/tasks", params=query).json()
        seen += [task["id"] for task in page["tasks"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]
    found = manager.api.get("/v1/tasks", params={"state": "cancelled"}).json()["tasks"]
    assert [task["id"] for task in found] == [made[2]]
    query = {"state": ["cancelled", "queued"]}
    assert len(manager.api.get("/v1/tasks", params=query).json()["tasks"]) == 5
    assert manager.api.get("/v1/tasks", params={"state": "failed"}).json()["tasks"] == []


def test_segments_are_seen_while_the_audio_is_being_heard(manager) -> None:
    task = manager.create(items=[{"text_id": "1", "audio": manager.upload()}], targets=["zh"])
    url = f"/v1/tasks/{task['id']}/items/1/transcript"
    before = manager.api.get(url).json()
    assert (before["complete"], before["segments"]) == (False, [])
    token, grant = manager.driver.claim_stage("transcribe")
    manager.driver.tell(token, grant, 1, ["One.", "Two."])
    manager.driver.tell(token, grant, 1, ["One.", "Two."])  # doubled on the way
    manager.driver.tell(token, grant, 2, ["Three."])
    during = manager.api.get(url).json()
    assert (during["complete"], during["text"]) == (False, "One. Two. Three.")
    assert during["language"] == "en"
    assert error_of(manager.api.get(url, params={"language": "zh"}))[:2] == (409, "not_finished")
    srt = url.replace("transcript", "subtitles.srt")
    assert error_of(manager.api.get(srt))[:2] == (409, "not_finished")
    manager.driver.finish(token, grant)
    after = manager.api.get(url).json()
    assert (after["complete"], after["text"]) == (True, "Heard 1.")
    assert after["duration"] == 3.0
    manager.work(task["id"])


def test_segments_of_an_attempt_that_was_lost_are_dropped(manager) -> None:
    task = manager.create(items=[{"text_id": "1", "audio": manager.upload()}], targets=["zh"])
    token, grant = manager.driver.claim_stage("transcribe")
    manager.driver.tell(token, grant, 1, ["Lost words."])
    store, pipeline = manager.application.store, manager.application.pipeline
    from task_manager.pipeline.reports import lose

    lose(pipeline.ports, store.job(grant.job), "No beat.")
    pipeline.ports.wake()
    token, grant = manager.driver.claim_stage("transcribe")
    manager.driver.tell(token, grant, 1, ["New words."])
    words = manager.api.get(f"/v1/tasks/{task['id']}/items/1/transcript").json()
    assert words["text"] == "New words."


def test_transcript_and_translation_come_with_times_in_every_form(manager) -> None:
    item = {"text_id": "1", "audio": manager.upload(), "text": "Ref.", "language": "en"}
    task = manager.finished(items=[item], targets=["zh"])
    base = f"/v1/tasks/{task['id']}/items/1"

    def get(path: str, **query):
        answer = manager.api.get(f"{base}/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer

    assert get("transcript").json()["source"] == "A"
    assert get("transcript", source="T").json()["text"] == "Ref."
    assert get("transcript", language="zh").json()["text"] == "[zh] Heard 1."
    assert get("transcript", language="zh", source="T").json()["text"] == "[zh] Ref."
    srt = get("subtitles.srt", language="zh")
    assert "00:00:00,500 --> 00:00:02,500\n[zh] Heard 1." in srt.text
    assert srt.headers["content-type"].startswith("application/x-subrip")
    assert get("subtitles.vtt").text.startswith("WEBVTT")
    assert "Dialogue:" in get("subtitles.ass").text
    assert get("subtitles.txt", source="T").text.strip() == "Ref."
    assert get("subtitles.json").json()["segments"][0]["text"] == "Heard 1."
    wide = get("subtitles.srt", language="zh", max_width=8, max_lines=1).text
    assert wide.count("-->") > 1


def test_subtitles_that_cannot_be_are_refused(shared) -> None:
    task = shared.finished(items=[TEXT], targets=["zh"])
    base = f"/v1/tasks/{task['id']}/items/1"
    assert error_of(shared.api.get(f"{base}/subtitles.doc"))[:2] == (422, "not_one_of")
    assert error_of(shared.api.get(f"{base}/subtitles.srt"))[:2] == (422, "no_times")
    answer = shared.api.get(f"{base}/subtitles.txt", params={"source": "A"})
    assert error_of(answer)[:2] == (404, "no_such_source")
    answer = shared.api.get(f"{base}/subtitles.txt", params={"language": "fr"})
    assert error_of(answer) == (404, "not_a_target", "language")
    answer = shared.api.get(f"{base}/subtitles.srt", params={"max_width": 1})
    assert error_of(answer) == (422, "out_of_range", "max_width")
