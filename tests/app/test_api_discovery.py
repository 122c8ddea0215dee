"""What the server says of itself: code book, languages, models, nodes, queues, OpenAPI."""

from __future__ import annotations

import json
import re

from services.model_lock import ModelLock, hashed, write_lock

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def test_the_code_book_is_published(shared) -> None:
    book = shared.api.get("/v1/codebook").json()
    assert book["version"] == 1
    assert (book["languages"]["1"], book["languages"]["2"]) == ("zh", "en")


def test_languages_say_what_can_be_done_with_them(shared) -> None:
    languages = shared.api.get("/v1/languages").json()["languages"]
    known = {each["language"]: each for each in languages}
    assert known["zh"]["name"] == "Chinese"
    assert (known["zh"]["code"], known["zh"]["heard"]) == (1, True)
    assert known["zh-Hant"]["heard"] is True
    assert "ja" in known["en"]["into"]


def test_scripts_are_converted_where_no_model_translates(start) -> None:
    languages = start(stub_models=False).api.get("/v1/languages").json()["languages"]
    into = {each["language"]: each["into"] for each in languages if each["into"]}
    assert into == {"zh": ["zh-Hant"], "zh-Hant": ["zh"]}


def test_what_is_had_by_conversion_shows_with_the_rest(start) -> None:
    manager = start(stub_models=False, demo_models=True)
    languages = manager.api.get("/v1/languages").json()["languages"]
    known = {each["language"]: (each["heard"], each["into"]) for each in languages}
    assert known["en"] == (True, ["de", "ja", "zh", "zh-Hant"])
    assert known["zh-Hant"] == (True, ["de", "en", "ja", "zh"])
    assert known["de"] == (False, ["en", "ja", "zh", "zh-Hant"])
    assert known["fr"] == (False, [])


def test_models_say_what_is_offered_and_served(shared) -> None:
    models = {each["name"]: each for each in shared.api.get("/v1/models").json()["models"]}
    assert (models["stub-nmt"]["offered"], models["stub-nmt"]["nodes"]) == (True, 1)
    assert (models["large-v3"]["offered"], models["large-v3"]["nodes"]) == (False, 0)


def test_a_model_that_is_installed_while_the_manager_runs_shows(manager, tmp_path) -> None:
    def small() -> dict:
        return manager.api.get("/v1/models/small").json()["model"]

    assert (small()["installed"], small()["digest"], small()["licence"]) == (False, "", "MIT")
    folder = manager.application.settings.models_folder / "small"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    assert (small()["installed"], small()["verified"]) == (True, False)
    lock = ModelLock(revision="c0ffee", files=[hashed(folder / "model.bin")])
    write_lock(folder, lock)
    found = small()
    assert (found["installed"], found["verified"], found["revision"]) == (True, True, "c0ffee")
    assert (found["digest"], found["hub_id"]) == (lock.digest, "Systran/faster-whisper-small")


def test_an_alias_names_a_model_too(shared) -> None:
    found = shared.api.get("/v1/models/large-v3-turbo").json()
    assert (found["model"]["name"], found["model"]["commercial"]) == ("turbo", True)


def test_nodes_tell_their_free_slots(shared) -> None:
    (node,) = shared.api.get("/v1/nodes").json()["nodes"]
    assert (node["id"], node["live"], node["gone"]) == ("node-1", True, False)
    assert (node["slots"], node["free"], node["pid"]) == (4, 4, 1)


def test_a_queue_without_a_node_says_so(manager) -> None:
    store = manager.application.store
    manager.create(items=[TEXT], targets=["zh"])

    def queue():
        queues = {each["queue"]: each for each in manager.api.get("/v1/queues").json()["queues"]}
        return queues["translate.stub-nmt"]

    assert (queue()["waiting"], queue()["no_node"], queue()["nodes"]) == (1, False, 1)
    assert queue()["oldest_due_seconds"] >= 0
    store.beat_node("node-1", store.now(), 0, gone=True)
    assert (queue()["no_node"], queue()["nodes"], queue()["slots"]) == (True, 0, 0)


def test_openapi_documents_every_error_with_the_one_envelope(shared) -> None:
    spec = shared.api.get("/openapi.json").json()
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), where
            assert operation["summary"], where
            assert operation["description"], where
            for status, answer in operation["responses"].items():
                if status >= "400" and "content" in answer:
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}, where
            if path.startswith("/v1"):
                assert {"401", "403", "503"} <= set(operation["responses"]), where
                # This server has no keys, so it takes requests without one, too.
                assert operation["security"] == [{"HTTPBearer": []}, {}], where
    ids = [each["operationId"] for methods in spec["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_openapi_shows_bodies_and_examples_of_a_new_task(shared) -> None:
    spec = shared.api.get("/openapi.json").json()
    content = spec["paths"]["/v1/tasks"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    assert "$defs" not in json.dumps(content)
    assert content["application/json"]["schema"]["examples"][0]["targets"] == ["zh", "ja", "de"]
    assert content["application/json"]["schema"]["additionalProperties"] is False
    assert content["multipart/form-data"]["schema"]["example"]


def test_the_example_of_the_documentation_works(manager) -> None:
    spec = manager.api.get("/openapi.json").json()
    content = spec["paths"]["/v1/tasks"]["post"]["requestBody"]["content"]
    example = content["application/json"]["schema"]["examples"][0]
    example["items"][0]["audio"] = manager.upload()
    assert manager.finished(**example)["state"] == "succeeded"
    form = content["multipart/form-data"]["schema"]["example"]
    sent = [(name, (None, value)) for name, value in form.items()]
    assert manager.api.post("/v1/tasks", files=sent).status_code == 202
