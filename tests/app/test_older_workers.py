"""A manager of this release and workers of older ones, made from the shapes in the docs without
the fields that came last."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from services import signing
from services.model.messages import Claim

NOW = json.loads((Path(__file__).parents[2] / "docs/callbacks.schema.json").read_text("utf-8"))
NEWEST = {  # what the shapes gained last
    "PrepareSpec": ["channels"],
    "TranscribeSpec": ["reuse", "previews", "multilingual"],
    "PartPlan": ["channel", "at"],
    "TranslateSpec": ["glossary", "former"],
    "Decoding": ["n_best", "guards"],
    "Granted": ["rest_s"],
}


@pytest.fixture(scope="module")
def older() -> dict[str, Any]:
    before = copy.deepcopy(NOW)
    for shape, fields in NEWEST.items():
        before["$defs"][shape]["additionalProperties"] = False
        for field in fields:
            del before["$defs"][shape]["properties"][field]
    return before


def not_understood(shapes: dict[str, Any], name: str, said: Any) -> list[str]:
    judge = Draft202012Validator({**shapes, "$ref": f"#/$defs/{name}"})
    return [error.message for error in judge.iter_errors(said)]


def claim(manager: Any, queue: str, token: str = "t" * 16) -> Any:
    """The answer as it goes over the wire; the same token gets the same leases again."""
    models = ["stub-whisper", "stub-nmt"]
    asked = Claim(node="node-1", token=token, queue=queue, job="", models=models)
    body = asked.model_dump_json()
    signed = signing.sign("", message_id="m", at=time.time(), body=body)
    headers = {**signed, "content-type": "application/json"}
    answer = httpx.post(f"{manager.workers_url}/callbacks/v1/claim", content=body, headers=headers)
    return answer.json()


def test_an_older_worker_understands_a_job_that_asks_for_nothing_new(manager, older) -> None:
    manager.create(items=[{"text": "Hello.", "text_id": "t", "language": "en"}], targets=["zh"])

    granted = claim(manager, "translate.stub-nmt")

    assert granted["grants"][0]["spec"]["stage"] == "translate"
    assert not_understood(older, "Granted", granted) == []
    assert "former" not in granted["grants"][0]["spec"]


@pytest.mark.parametrize(("options", "understood"), [({}, True), ({"previews": True}, False)])
def test_it_is_the_use_of_a_new_option_that_it_does_not_understand(
    manager, older, options: dict[str, Any], understood: bool
) -> None:
    manager.create(items=[{"audio": manager.upload()}], targets=["zh"], options=options)
    token, _ = manager.driver.claim_stage("transcribe")

    granted = claim(manager, "", token)

    assert [each["spec"]["stage"] for each in granted["grants"]] == ["transcribe"]
    assert (not_understood(older, "Granted", granted) == []) is understood
    assert not_understood(NOW, "Granted", granted) == []
