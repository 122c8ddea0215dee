"""The decoder's options on their way from a request to the worker, by JSON, form and command."""

from __future__ import annotations

import json
from typing import Any

import pytest
from running_manager import error_of

from services.client.submitting import BadArguments, to_spoken
from services.model.decoding import Decoding

ASKED: dict[str, Any] = {
    "mode": "batched",
    "batch_size": 3,
    "task": "translate",
    "num_beams": 4,
    "num_return_sequences": 2,
    "patience": 2.0,
    "length_penalty": 0.5,
    "repetition_penalty": 1.2,
    "no_repeat_ngram_size": 3,
    "do_sample": False,
    "compression_ratio_threshold": None,
    "log_prob_threshold": -0.8,
    "no_speech_threshold": 0.4,
    "prompt": "Before.",
    "max_new_tokens": 100,
    "max_length": 200,
    "suppress_tokens": [-1, 7],
    "suppress_blank": False,
    "guards": ["loop", "no_speech"],
}
TOLD = Decoding(
    mode="batched",
    batch_size=3,
    task="translate",
    beam_size=4,
    n_best=2,
    patience=2.0,
    length_penalty=0.5,
    repetition_penalty=1.2,
    no_repeat_ngram_size=3,
    temperature=[0.0],
    compression_ratio_threshold=None,
    log_prob_threshold=-0.8,
    no_speech_threshold=0.4,
    prompt="Before.",
    max_new_tokens=100,
    max_length=200,
    suppress_tokens=[-1, 7],
    suppress_blank=False,
    guards=["loop", "no_speech"],
)


def told(manager: Any) -> Decoding:
    """What the worker is given."""
    token, grant = manager.driver.claim_stage("prepare")
    manager.driver.finish(token, grant)
    _, grant = manager.driver.claim_stage("transcribe")
    return grant.spec.decoding


def test_every_option_reaches_the_worker_from_json(manager) -> None:
    key = manager.upload()
    body = {"items": [{"audio": key}], "targets": ["zh"], "options": ASKED}
    answer = manager.api.post("/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    assert told(manager) == TOLD
    options = manager.task(answer.json()["id"])["options"]
    assert (options["decoding"]["n_best"], options["beam_size"]) == (2, 4)


def test_other_readings_may_be_asked_for_with_sentences(manager) -> None:
    options = {"n_best": 2, "segments": "sentences"}
    manager.create(items=[{"audio": manager.upload()}], targets=["zh"], options=options)
    token, grant = manager.driver.claim_stage("prepare")
    manager.driver.finish(token, grant)
    _, grant = manager.driver.claim_stage("transcribe")
    assert (grant.spec.recut, grant.spec.decoding.n_best) == (True, 2)


def test_every_option_reaches_the_worker_from_a_form(manager) -> None:
    texts = ("mode", "task", "prompt")
    fields = {name: value if name in texts else json.dumps(value) for name, value in ASKED.items()}
    files = [("files", ("1.wav", b"RIFF"))]
    answer = manager.api.post("/v1/tasks", files=files, data={"targets": "zh", **fields})
    assert answer.status_code == 202, answer.text
    assert told(manager) == TOLD


def test_the_command_has_options_for_the_common_ones_and_takes_any_other(
    fanscribe, manager, tmp_path
) -> None:
    (tmp_path / "1.wav").write_bytes(b"RIFF")
    fanscribe(
        *("submit", str(tmp_path / "1.wav"), "--to", "zh", "--batched", "--beam", "3"),
        *("--temperature", "0", "--option", "top_k=5", "--option", "prompt=Before."),
        *("--option", 'guards=["loop"]'),
    )
    decoding = told(manager)
    assert (decoding.mode, decoding.beam_size, decoding.prompt) == ("batched", 3, "Before.")
    assert (decoding.sampling_top_k, decoding.guards) == (5, ["loop"])


def test_the_command_says_which_languages_may_be_spoken(fanscribe, manager, tmp_path) -> None:
    (tmp_path / "1.wav").write_bytes(b"RIFF")
    to = ("submit", str(tmp_path / "1.wav"), "--to", "zh")
    unsure = ("--language-threshold", "0.7", "--language-unsure", "fail")
    fanscribe(*to, "--spoken", "en, jp", "--multilingual", *unsure)
    (task,) = manager.api.get("/v1/tasks").json()["tasks"]
    options = manager.task(task["id"])["options"]
    languages = {"spoken": ["en", "ja"], "language_threshold": 0.7, "language_unsure": "fail"}
    assert options.items() >= {**languages, "multilingual": True}.items()


def test_a_list_of_languages_that_names_none_is_refused_before_anything_is_sent() -> None:
    assert to_spoken(None) is None
    with pytest.raises(BadArguments):
        to_spoken(",")


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        ({"top_p": 0.9}, "option_not_supported", "options.top_p"),
        ({"mode": "batched", "prefix": "x"}, "option_not_supported", "options.prefix"),
        ({"num_beams": 2, "beam_size": 3}, "contradictory_options", "options.num_beams"),
        ({"num_beams": 2, "n_best": 3}, "contradictory_options", "options.n_best"),
        ({"do_sample": True, "num_beams": 2}, "contradictory_options", "options.num_beams"),
        ({"prefix": "a\x00b"}, "control_character", "options.prefix"),
        ({"task": "translate", "model": "turbo"}, "option_not_supported", "options.task"),
        ({"task": "translate", "model": "tiny.en"}, "option_not_supported", "options.task"),
        ({"mode": "fast"}, "not_one_of", "options.mode"),
        ({"max_new_tokens": 300}, "out_of_range", "options.max_new_tokens"),
    ],
)
def test_what_cannot_be_is_refused(shared, options: dict[str, Any], code: str, field: str) -> None:
    text = {"text_id": "1", "text": "One.", "language": "en"}
    body = {"items": [text], "targets": ["zh"], "options": options}
    answer = shared.api.post("/v1/tasks", json=body)
    assert error_of(answer) == (422, code, field)


def test_the_worker_gets_a_prefix_for_the_first_part_only_and_no_text_in_another_language(
    manager,
) -> None:
    key = manager.upload()
    item = {"audio": key, "text": "一。", "language": "zh"}
    options = {"task": "translate", "prefix": "Well,"}
    body = {"items": [item], "targets": ["en"], "options": options}
    assert manager.api.post("/v1/tasks", json=body).status_code == 202
    token, grant = manager.driver.claim_stage("prepare")
    manager.driver.finish(token, grant)
    _, grant = manager.driver.claim_stage("transcribe")
    assert (grant.spec.decoding.prefix, grant.spec.reference) == ("Well,", None)
