"""Tasks by form: files, texts and options in one request; uploads by themselves."""

from __future__ import annotations

import json

import pytest
from running_manager import error_of


def post(manager, files=(), **fields):
    sent = [("files", (name, content)) for name, content in files]
    if not sent:  # so that it is a multipart body all the same
        sent = [(name, (None, value)) for name, value in fields.items()]
        fields = {}
    return manager.api.post("/v1/tasks", files=sent, data=fields)


def test_files_are_named_by_their_stems_and_joined_by_texts(shared) -> None:
    answer = post(
        shared,
        files=[("1.wav", b"RIFF1"), ("文本.b.mp3", b"ID3")],
        targets="zh,jp",
        language="en",
        texts=json.dumps({"1": "One.", "only text": "Two."}),
        metadata='{"a": 1}',
        priority="urgent",
        beam_size="3",
        word_timestamps="true",
        segments="sentences",
        spoken="en, jp,en",
        language_threshold="0.7",
        language_unsure="fail",
        multilingual="true",
        check_threshold="0.2",
        check_action="flag",
        language_spelling="caller",
    )
    assert answer.status_code == 202, answer.text
    task = shared.work(answer.json()["id"])
    assert (task["priority"], task["metadata"], task["targets"]) == (
        "urgent", {"a": 1}, ["zh", "jp"],
    )  # fmt: skip
    assert task["options"]["beam_size"] == 3
    assert task["options"]["word_timestamps"] is True
    languages = {"spoken": ["en", "ja"], "language_threshold": 0.7, "language_unsure": "fail"}
    assert task["options"] == {
        **task["options"], **languages, "multilingual": True, "segments": "sentences",
    }  # fmt: skip
    items = shared.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    assert [(item["text_id"], item["has_text"], bool(item["audio"])) for item in items] == [
        ("1", True, True),
        ("文本.b", False, True),
        ("only text", True, False),
    ]
    assert items[0]["audio"]["name"] == "1.wav"
    assert items[0]["audio"]["size"] == 5
    assert items[0]["warnings"] == ["check_above_threshold"]
    assert task["warnings"] == [{"text_id": "1", "warning": "check_above_threshold"}]


def test_channels_are_heard_apart_where_that_is_asked_for(manager) -> None:
    post(manager, files=[("1.wav", b"RIFF1")], targets="zh", channels="each")
    _, grant = manager.driver.claim_stage("prepare")
    assert grant.spec.channels == "each"
    refused = post(manager, files=[("1.wav", b"RIFF1")], targets="zh", channels="left")
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "options.channels")


def test_hints_reach_the_engine_and_what_did_not_fit_comes_back(manager) -> None:
    hints = {"prompt": "Before.", "keywords": '["Fanscribe", "文本"]', "temperature": "0.4"}
    task = post(manager, files=[("1.wav", b"RIFF1")], targets="zh", **hints).json()
    manager.driver.warnings = ["keyword_dropped: 文本"]
    token, grant = manager.driver.claim_stage("transcribe")
    decoding = grant.spec.decoding
    assert (decoding.prompt, decoding.temperature) == ("Before.", [0.4])
    assert grant.spec.keywords == ["Fanscribe", "文本"]
    manager.driver.finish(token, grant)
    warned = manager.work(task["id"])["warnings"]
    assert warned == [{"text_id": "1", "warning": "keyword_dropped: 文本"}]


def test_targets_may_be_repeated_instead_of_a_list(shared) -> None:
    sent = [("targets", (None, "zh")), ("targets", (None, "de , ja")), ("files", ("1.wav", b"x"))]
    answer = shared.api.post("/v1/tasks", files=sent)
    assert answer.json()["targets"] == ["zh", "de", "ja"]


def test_a_request_field_carries_the_whole_request_and_files_join_it(shared) -> None:
    request = {
        "items": [{"text_id": "1", "text": "One.", "language": "en"}],
        "targets": ["de"],
        "options": {"beam_size": 2},
    }
    answer = post(shared, files=[("1.wav", b"x"), ("2.wav", b"y")], request=json.dumps(request))
    task = shared.task(answer.json()["id"])
    items = shared.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    assert [(item["text_id"], bool(item["audio"])) for item in items] == [("1", True), ("2", True)]
    assert task["options"]["beam_size"] == 2


def test_the_name_of_a_folder_is_no_part_of_a_text_id(shared) -> None:
    answer = post(shared, files=[("../../etc/1.wav", b"x"), ("C:\\x\\2.wav", b"y")], targets="zh")
    items = shared.api.get(f"{answer.headers['location']}/items").json()["items"]
    assert [item["text_id"] for item in items] == ["1", "2"]


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"targets": "zh", "tragets": "de"}, "unknown_field", "tragets"),
        ({"targets": "zh", "beam_size": "five"}, "wrong_type", "beam_size"),
        ({"targets": "zh", "beam_size": "50"}, "out_of_range", "options.beam_size"),
        ({"targets": "zh", "word_timestamps": "yes"}, "wrong_type", "word_timestamps"),
        ({"targets": "zh", "spoken": "en,kr"}, "ambiguous_language", "options.spoken.1"),
        ({"targets": "zh", "spoken": "en,tlh"}, "unknown_language", "options.spoken.1"),
        (
            {"targets": "zh", "language_threshold": "2"},
            "out_of_range",
            "options.language_threshold",
        ),
        ({"targets": "zh", "language_unsure": "no"}, "not_one_of", "options.language_unsure"),
        ({"targets": "zh", "texts": "One."}, "invalid_json", "texts"),
        ({"targets": "zh", "texts": "[1]"}, "wrong_type", "texts"),
        ({"targets": "zh", "texts": '{"2": "a", "2": "b"}'}, "duplicate_text_id", "texts"),
        ({"targets": "zh", "texts": '{"2": 5}'}, "wrong_type", "items.1.text"),
        ({"targets": "zh", "texts": '{"2": "a"}'}, "language_required", "items.1.language"),
        ({"targets": "zh", "language": "kr"}, "ambiguous_language", "language"),
        ({}, "no_targets", "targets"),
        ({"request": '{"items": 5, "targets": ["zh"]}'}, "wrong_type", "request.items"),
    ],
)
def test_bad_forms_are_refused_and_leave_no_file_behind(shared, fields, code, field) -> None:
    before = shared.objects()
    answer = post(shared, files=[("1.wav", b"RIFF")], **fields)
    assert error_of(answer) == (422, code, field)
    assert shared.objects() == before


def test_two_files_with_one_stem_are_refused_and_leave_nothing_behind(shared) -> None:
    before = shared.objects()
    answer = post(shared, files=[("1.wav", b"x"), ("1.mp3", b"y")], targets="zh")
    assert error_of(answer) == (422, "duplicate_text_id", "items.1.text_id")
    assert shared.objects() == before


def test_a_form_without_files_and_texts_is_refused(shared) -> None:
    assert error_of(post(shared, targets="zh")) == (422, "no_items", "items")


def test_an_empty_file_is_refused_and_leaves_nothing_behind(shared) -> None:
    before = shared.objects()
    answer = post(shared, files=[("1.wav", b"x"), ("2.wav", b"")], targets="zh")
    assert error_of(answer) == (422, "empty_file", "files")
    headers = {"content-type": "audio/wav"}
    answer = shared.api.post("/v1/uploads", content=b"", headers=headers)
    assert error_of(answer) == (422, "empty_file", "body")
    answer = shared.api.post("/v1/uploads", files={"file": ("1.wav", b"")})
    assert error_of(answer) == (422, "empty_file", "file")
    assert shared.objects() == before


def test_a_file_over_the_limit_is_413_and_leaves_nothing_behind(start) -> None:
    manager = start(max_upload_bytes=100_000)
    answer = post(manager, files=[("1.wav", b"x"), ("2.wav", b"x" * 3_000_000)], targets="zh")
    assert error_of(answer) == (413, "too_large", "files")
    headers = {"content-type": "application/octet-stream"}
    body = (b"x" * 10_000 for _ in range(50))  # no Content-Length that could be believed
    answer = manager.api.post("/v1/uploads", content=body, headers=headers)
    assert error_of(answer) == (413, "too_large", "body")
    assert manager.objects() == set()
    manager.upload(b"x" * 100_000)


def test_a_limit_of_0_bytes_is_no_limit(start) -> None:
    manager = start(max_upload_bytes=0, min_free_bytes=0)
    post(manager, files=[("1.wav", b"x" * 100_000)], targets="zh")
    _, grant = manager.driver.claim_stage("prepare")
    assert grant.spec.audio.size == 100_000
    announced = manager.api.post("/v1/uploads/parts", json={"size": 2**59})
    assert error_of(announced)[:2] == (507, "out_of_space")  # for want of room alone


def test_a_full_disk_is_507_and_leaves_nothing_behind(start) -> None:
    manager = start(min_free_bytes=2**62)
    headers = {"content-type": "application/octet-stream"}
    answer = manager.api.post("/v1/uploads", content=b"x", headers=headers)
    assert error_of(answer) == (507, "out_of_space", None)
    assert error_of(post(manager, files=[("1.wav", b"x")], targets="zh"))[0] == 507
    assert manager.objects() == set()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"nothing like it"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="1.wav"\r\n\r\ncut',
        ),
    ],
)
def test_a_broken_form_is_400_and_leaves_nothing_behind(shared, kind, body) -> None:
    before = shared.objects()
    answer = shared.api.post("/v1/tasks", content=body, headers={"content-type": kind})
    assert error_of(answer)[:2] == (400, "bad_multipart")
    assert shared.objects() == before


def test_an_upload_tells_key_size_and_hash(shared) -> None:
    from hashlib import sha256

    answer = shared.api.post("/v1/uploads", files={"file": ("文.mp3", b"abc")})
    told = answer.json()
    assert answer.status_code == 201
    assert told["key"].startswith("uploads/")
    assert (told["name"], told["size"]) == ("文.mp3", 3)
    assert told["sha256"] == sha256(b"abc").hexdigest()


def test_an_uploads_file_name_is_the_default_text_id(shared) -> None:
    items = [{"audio": shared.upload(name="story.one.mp3")}, {"text": "x", "language": "en"}]
    task = shared.create(items=items, targets=["zh"])
    seen = shared.api.get(f"/v1/tasks/{task['id']}/items").json()["items"]
    assert [item["text_id"] for item in seen] == ["story.one", "2"]


@pytest.mark.parametrize("kind", [None, "application/json", "text/html"])
def test_an_upload_of_a_wrong_content_type_is_415(shared, kind) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = shared.api.post("/v1/uploads", content=b"x", headers=headers)
    assert error_of(answer) == (415, "unsupported_content_type", None)


def test_an_upload_takes_exactly_one_file(shared) -> None:
    before = shared.objects()
    two = [("file", ("1.wav", b"x")), ("file", ("2.wav", b"y"))]
    assert error_of(shared.api.post("/v1/uploads", files=two))[:2] == (422, "unknown_field")
    none = [("name", (None, "x"))]
    assert error_of(shared.api.post("/v1/uploads", files=none))[:2] == (422, "unknown_field")
    assert shared.objects() == before
