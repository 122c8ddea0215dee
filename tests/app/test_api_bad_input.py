"""Bad input gets a clear error with a stable code and the field, and nothing is made of it."""

from __future__ import annotations

import pytest
from running_manager import error_of

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def test_a_task_without_items_is_refused(shared) -> None:
    assert shared.refused(items=[], targets=["zh"]) == (422, "no_items", "items")


def test_an_item_without_audio_and_text_is_refused(shared) -> None:
    refused = shared.refused(items=[TEXT, {"text_id": "2"}], targets=["zh"])
    assert refused == (422, "item_without_content", "items.1")


def test_two_items_with_one_text_id_are_refused(shared) -> None:
    refused = shared.refused(items=[TEXT, {**TEXT, "text": "Other."}], targets=["zh"])
    assert refused == (422, "duplicate_text_id", "items.1.text_id")


def test_text_ids_001_and_1_are_different(shared) -> None:
    items = [{**TEXT, "text_id": "001"}, {**TEXT, "text_id": "1"}]
    task = shared.finished(items=items, targets=["zh"])
    result = shared.api.get(f"/v1/tasks/{task['id']}/result").json()
    assert list(result["zh"]) == ["001", "1"]


@pytest.mark.parametrize("empty", ["", " ", "\u3000"])
def test_an_empty_text_id_is_refused(shared, empty) -> None:
    refused = shared.refused(items=[{**TEXT, "text_id": empty}], targets=["zh"])
    assert refused == (422, "empty_text_id", "items.0.text_id")


def test_a_text_id_of_300_characters_is_refused_and_one_of_200_is_taken(shared) -> None:
    refused = shared.refused(items=[{**TEXT, "text_id": "文" * 300}], targets=["zh"])
    assert refused == (422, "text_id_too_long", "items.0.text_id")
    shared.create(items=[{**TEXT, "text_id": "文" * 200}], targets=["zh"])


@pytest.mark.parametrize("field", ["text_id", "text", "language", "audio"])
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(shared, field) -> None:
    body = b'{"items": [{"text": "x", "language": "en", "%s": "a\\ud800"}], "targets": ["zh"]}'
    answer = shared.api.post(
        "/v1/tasks",
        content=body % field.encode(),
        headers={"content-type": "application/json"},
    )
    assert error_of(answer) == (422, "bad_unicode", f"items.0.{field}")


def test_half_a_surrogate_pair_in_metadata_targets_and_names_is_refused(shared) -> None:
    def refused(more: bytes):
        body = b'{"items": [{"text": "x", "language": "en"}], ' + more + b"}"
        headers = {"content-type": "application/json"}
        return error_of(shared.api.post("/v1/tasks", content=body, headers=headers))

    assert refused(b'"targets": ["zh"], "metadata": {"a": ["\\udfff"]}')[1] == "bad_unicode"
    assert refused(b'"targets": ["z\\ud83dh"]')[1] == "bad_unicode"
    assert refused(b'"targets": ["zh"], "x\\ud83d": 1')[1] == "bad_unicode"


def test_a_whole_surrogate_pair_in_escapes_is_one_character(shared) -> None:
    body = (
        b'{"items": [{"text_id": "\\ud83d\\ude00", "text": "x", "language": "en"}],'
        b' "targets": ["en"]}'
    )
    answer = shared.api.post(
        "/v1/tasks", content=body, headers={"content-type": "application/json"}
    )
    items = shared.api.get(f"{answer.headers['location']}/items").json()["items"]
    assert items[0]["text_id"] == "\U0001f600"


@pytest.mark.parametrize("character", ["\x00", "\n", "\x7f", "\x85"])
def test_a_control_character_in_a_text_id_is_refused(shared, character) -> None:
    refused = shared.refused(items=[{**TEXT, "text_id": f"a{character}b"}], targets=["zh"])
    assert refused == (422, "control_character", "items.0.text_id")


def test_a_text_may_have_lines_but_no_other_control_character(shared) -> None:
    shared.create(items=[{**TEXT, "text": "One.\r\n\tTwo."}], targets=["zh"])
    refused = shared.refused(items=[{**TEXT, "text": "One.\x00"}], targets=["zh"])
    assert refused == (422, "control_character", "items.0.text")


def test_an_unknown_language_is_refused(shared) -> None:
    refused = shared.refused(items=[TEXT], targets=["zh", "klingonish"])
    assert refused == (422, "unknown_language", "targets.1")
    refused = shared.refused(items=[{**TEXT, "language": "xx-yy-zz"}], targets=["zh"])
    assert refused == (422, "unknown_language", "items.0.language")
    refused = shared.refused(items=[{"text": "x"}], targets=["zh"], language="auto")
    assert refused == (422, "unknown_language", "language")


@pytest.mark.parametrize(("tag", "hint"), [("kr", "write ko"), ("tw", "zh-Hant")])
def test_kr_and_tw_are_refused_with_a_hint(shared, tag, hint) -> None:
    answer = shared.api.post("/v1/tasks", json={"items": [TEXT], "targets": [tag]})
    assert error_of(answer) == (422, "ambiguous_language", "targets.0")
    assert hint in answer.json()["error"]["message"]


def test_jp_and_cn_are_taken_and_shown_by_their_right_names(shared) -> None:
    task = shared.create(items=[TEXT], targets=["jp", "cn"])
    assert task["targets"] == ["ja", "zh"]


def test_zh_with_zh_hans_is_refused_as_ambiguous(shared) -> None:
    refused = shared.refused(items=[TEXT], targets=["zh", "zh-Hans"])
    assert refused == (422, "ambiguous_targets", "targets.1")


def test_zh_with_zh_hant_are_two_targets(shared) -> None:
    assert shared.create(items=[TEXT], targets=["zh", "zh-Hant"])["targets"] == ["zh", "zh-Hant"]


def test_no_target_is_refused(shared) -> None:
    assert shared.refused(items=[TEXT], targets=[]) == (422, "no_targets", "targets")


@pytest.mark.parametrize("doubled", [["zh", "zh"], ["ja", "jp"], ["de", "de-AT"]])
def test_a_target_named_twice_is_refused(shared, doubled) -> None:
    refused = shared.refused(items=[TEXT], targets=doubled)
    assert refused == (422, "duplicate_target", "targets.1")


def test_a_text_without_a_language_is_refused(shared) -> None:
    refused = shared.refused(items=[{"text": "Hello."}], targets=["zh"])
    assert refused == (422, "language_required", "items.0.language")
    both = {"text": "Hello.", "audio": shared.upload()}
    refused = shared.refused(items=[both], targets=["zh"])
    assert refused == (422, "language_required", "items.0.language")


def test_the_language_of_the_task_holds_for_items_that_state_none(shared) -> None:
    items = [{"text_id": "1", "text": "x"}, {"text_id": "2", "text": "x", "language": "de"}]
    task = shared.create(items=items, targets=["zh"], language="English")
    seen = shared.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    assert [item["language"] for item in seen] == ["en", "de"]


@pytest.mark.parametrize("empty", ["", " \n\t "])
def test_an_empty_text_is_refused(shared, empty) -> None:
    refused = shared.refused(items=[{**TEXT, "text": empty}], targets=["zh"])
    assert refused == (422, "empty_text", "items.0.text")


def test_texts_items_and_targets_have_limits(start) -> None:
    manager = start(max_text_chars=10, max_items=2, max_targets=2)
    refused = manager.refused(items=[{**TEXT, "text": "x" * 11}], targets=["zh"])
    assert refused == (422, "text_too_long", "items.0.text")
    assert manager.refused(items=[TEXT] * 3, targets=["zh"])[1] == "too_many_items"
    assert manager.refused(items=[TEXT], targets=["zh", "ja", "de"])[1] == "too_many_targets"


def test_an_unknown_upload_key_is_refused(shared) -> None:
    refused = shared.refused(items=[{"audio": "uploads/nothing"}], targets=["zh"])
    assert refused == (422, "unknown_upload", "items.0.audio")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.mp3",
        "http://[::ffff:169.254.169.254]/latest",
        "https://user:word@example.com/a.mp3",
        "https://example.com:22/a.mp3",
        "ftp://example.com/a.mp3",
        "file:///etc/passwd",
        "https:///a.mp3",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_a_url_that_may_not_be_fetched_is_refused(shared, url) -> None:
    refused = shared.refused(items=[{"audio": url}], targets=["zh"])
    assert refused == (422, "url_not_allowed", "items.0.audio")


def test_an_item_may_name_the_url_of_its_audio(shared) -> None:
    url = "https://example.com/talks/%E4%B8%80.mp3?key=1"
    task = shared.create(items=[{"audio": url}], targets=["zh"])
    (item,) = shared.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    assert item["text_id"] == "一"
    assert item["audio"] == {"name": "一.mp3", "size": 0, "sha256": "", "url": url}


def test_an_unknown_model_is_refused(shared) -> None:
    item = {"audio": shared.upload()}
    refused = shared.refused(items=[item], targets=["zh"], options={"model": "whisper-9"})
    assert refused == (422, "unknown_model", "options.model")
    options = {"translate_model": "stub-whisper"}
    refused = shared.refused(items=[TEXT], targets=["zh"], options=options)
    assert refused == (422, "unknown_model", "options.translate_model")


def test_without_any_model_the_error_names_the_one_command_to_run(start) -> None:
    manager = start(stub_models=False)
    body = {"items": [{"audio": manager.upload()}], "targets": ["zh"]}
    answer = manager.api.post("/v1/tasks", json=body)
    assert error_of(answer) == (422, "no_model", "options.model")
    assert "fanscribe models pull small" in answer.json()["error"]["message"]


def test_a_pair_that_no_model_serves_is_refused_when_the_source_is_stated(start) -> None:
    manager = start(stub_models=False)
    assert manager.refused(items=[TEXT], targets=["zh"])[:2] == (422, "pair_not_served")


def test_a_spoken_language_that_the_model_does_not_know_is_refused(start) -> None:
    manager = start(stub_models=False, demo_models=True)
    item = {"audio": manager.upload(), "language": "de"}
    refused = manager.refused(items=[item], targets=["en"])
    assert refused == (422, "language_not_served", "items.0.language")


def test_metadata_over_16_kb_or_too_deep_is_refused(shared) -> None:
    refused = shared.refused(items=[TEXT], targets=["zh"], metadata={"a": "x" * 16_384})
    assert refused == (422, "metadata_too_large", "metadata")
    deep: dict = {}
    for _ in range(100):
        deep = {"a": deep}
    refused = shared.refused(items=[TEXT], targets=["zh"], metadata=deep)
    assert refused == (422, "metadata_too_deep", "metadata")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": [TEXT], "targets": ["zh"], "tragets": 1}, "tragets"),
        ({"items": [{**TEXT, "id": "1"}], "targets": ["zh"]}, "items.0.id"),
        ({"items": [TEXT], "targets": ["zh"], "options": {"beam": 5}}, "options.beam"),
    ],
)
def test_unknown_fields_are_refused_with_their_place(shared, body, field) -> None:
    assert shared.refused(**body) == (422, "unknown_field", field)


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"targets": ["zh"]}, "required", "items"),
        ({"items": "x", "targets": ["zh"]}, "wrong_type", "items"),
        ({"items": [TEXT], "targets": [1]}, "wrong_type", "targets.0"),
        (
            {"items": [TEXT], "targets": ["zh"], "options": {"beam_size": "5"}},
            "wrong_type",
            "options.beam_size",
        ),
        (
            {"items": [TEXT], "targets": ["zh"], "options": {"beam_size": 0}},
            "out_of_range",
            "options.beam_size",
        ),
        (
            {"items": [TEXT], "targets": ["zh"], "options": {"temperature": 1.5}},
            "out_of_range",
            "options.temperature",
        ),
        (
            {"items": [TEXT], "targets": ["zh"], "options": {"prompt": "x" * 10_001}},
            "too_long",
            "options.prompt",
        ),
        (
            {"items": [TEXT], "targets": ["zh"], "options": {"keywords": ["ok", "x" * 101]}},
            "too_long",
            "options.keywords.1",
        ),
        (
            {"items": [TEXT], "targets": ["zh"], "options": {"keywords": [" "]}},
            "empty_keyword",
            "options.keywords.0",
        ),
        (
            {"items": [TEXT], "targets": ["zh"], "options": {"prompt": "a\0b"}},
            "control_character",
            "options.prompt",
        ),
        ({"items": [TEXT], "targets": ["zh"], "priority": "now"}, "not_one_of", "priority"),
        ({"items": [TEXT], "targets": ["zh"], "metadata": [1]}, "wrong_type", "metadata"),
    ],
)
def test_wrong_shapes_are_refused_with_a_stable_code(shared, body, code, field) -> None:
    assert shared.refused(**body) == (422, code, field)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe", b'{"items": NaN}', b"[" * 100_000, b"1" * 10_000]
)
def test_what_is_no_json_is_400(shared, raw) -> None:
    headers = {"content-type": "application/json"}
    answer = shared.api.post("/v1/tasks", content=raw, headers=headers)
    assert error_of(answer)[0] in {400, 422}
    assert error_of(answer)[1] in {"invalid_json", "wrong_type"}


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_wrong_content_type_is_415(shared, kind) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = shared.api.post("/v1/tasks", content=b"{}", headers=headers)
    assert error_of(answer) == (415, "unsupported_content_type", None)


def test_unknown_routes_methods_tasks_and_items_have_the_same_envelope(shared) -> None:
    assert error_of(shared.api.get("/v1/nothing"))[:2] == (404, "unknown_route")
    answer = shared.api.put("/v1/tasks")
    assert error_of(answer)[:2] == (405, "method_not_allowed")
    assert answer.headers["allow"]
    assert error_of(shared.api.get("/v1/tasks/nothing"))[:2] == (404, "not_found")
    task = shared.create(items=[TEXT], targets=["zh"])
    answer = shared.api.get(f"/v1/tasks/{task['id']}/items/9/transcript")
    assert error_of(answer) == (404, "unknown_text_id", "text_id")
    assert error_of(shared.api.get("/v1/tasks", params={"limit": "x"}))[1] == "invalid"
    assert error_of(shared.api.get("/v1/tasks", params={"state": "x"}))[1] == "not_one_of"
    assert error_of(shared.api.get("/v1/tasks", params={"cursor": "x"}))[1] == "bad_cursor"


def test_a_refused_request_makes_no_task(manager) -> None:
    manager.refused(items=[TEXT, TEXT], targets=["zh"])
    manager.refused(items=[], targets=["zh"])
    assert manager.api.get("/v1/tasks").json() == {"tasks": [], "next": None}


def test_an_error_of_ours_tells_the_caller_nothing_of_it(manager, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret path /etc/shadow")

    monkeypatch.setattr(manager.application.pipeline, "task", broken)
    answer = manager.api.get("/v1/tasks/1")
    assert error_of(answer)[:2] == (500, "internal")
    assert "secret" not in answer.text


def test_a_store_that_is_away_is_503_with_retry_after(manager, monkeypatch) -> None:
    from task_manager.store.protocol import StoreUnavailable

    def away(*_: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(manager.application.store, "ping", away)
    answer = manager.api.get("/readyz")
    assert error_of(answer) == (503, "store_unavailable", None)
    assert int(answer.headers["retry-after"]) > 0
    assert manager.api.get("/healthz").status_code == 200
