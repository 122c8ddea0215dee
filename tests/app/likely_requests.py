"""Requests that a caller could mean, among those that the schema alone would make: hooks of
schemathesis, which runs them in a process of its own.

Nearly nothing that is made of a schema is a task that can be worked on; every second one here is.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import schemathesis
from hypothesis import strategies as st

KEYS_VARIABLE = "FANSCRIBE_TEST_KEYS"  # shown in turn instead of the run's own; `-` is none
_PART = "RIFF"
_LANGUAGES = st.sampled_from(["en", "zh", "ja"])
_TARGETS = st.lists(st.sampled_from(["ja", "de", "ko"]), max_size=2, unique=True).map(
    lambda more: ["zh", *more]
)
_TEXT_IDS = st.sampled_from(["1", "1", "1", "a/b", "文本编号1", "broken", "\U0001f600", "%2F"])

_TEXT = st.fixed_dictionaries({
    "text_id": _TEXT_IDS,
    "text": st.sampled_from(["Hello.", "你好。\n再见。", "\U0001f600", "x " * 3000]),
    "language": _LANGUAGES,
})  # fmt: skip
_URL = st.fixed_dictionaries({
    "text_id": _TEXT_IDS,
    "audio": st.just("https://media.example.com/talks/1.mp3"),
    "language": st.sampled_from([None, "en"]),
})  # fmt: skip
_HOOK = st.fixed_dictionaries(
    {"url": st.just("https://hooks.example.com/fanscribe")},
    optional={"payload": st.sampled_from(["thin", "full"])},
)
_TASK = st.fixed_dictionaries(
    {
        "items": st.lists(
            st.one_of(_TEXT, _URL), min_size=1, max_size=3, unique_by=lambda item: item["text_id"]
        ),
        "targets": _TARGETS,
    },
    optional={
        "priority": st.sampled_from(["urgent", "normal", "bulk"]),
        "options": st.fixed_dictionaries(
            {},
            optional={
                "language_spelling": st.just("caller"),
                "word_timestamps": st.booleans(),
                "node_label": st.just("zone=nowhere"),
            },
        ),
        "retention": st.just({"results_seconds": 3600.0}),
        "webhook": _HOOK,
    },
)
_FORM = st.fixed_dictionaries(
    {"targets": st.sampled_from(["zh", "zh,ja"]), "files": st.just([_PART])},
    optional={"language": _LANGUAGES, "texts": st.just('{"files": "Hello.", "2": "Bye."}')},
)
_AUDIO = st.fixed_dictionaries(
    {"file": st.just(_PART), "model": st.sampled_from(["whisper-1", "stub-whisper"])},
    optional={
        "response_format": st.sampled_from(["json", "text", "srt", "vtt", "verbose_json"]),
        "stream": st.booleans(),
        "language": _LANGUAGES,
    },
)
_CELL = st.fixed_dictionaries(
    {"language": _TARGETS.map(max), "text_id": _TEXT_IDS, "source": st.sampled_from("AT")}
)

# By operation and media type.
LIKELY: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("create_task", "application/json"): _TASK,
    ("create_task", "multipart/form-data"): _FORM,
    ("create_webhook", "application/json"): _HOOK,
    ("begin_upload", "application/json"): st.just({"name": "1.wav", "size": len(_PART)}),
    ("put_part", "application/octet-stream"): st.just(_PART),
    ("complete_upload", "application/json"): st.just({}),
    ("look_up_cells", "application/json"): st.fixed_dictionaries(
        {"cells": st.lists(_CELL, min_size=1)}
    ),
    ("add_languages", "application/json"): st.just({"add": ["fr"]}),
    ("put_transcript", "application/json"): st.just({"version": 0, "text": "Good day."}),
    ("retry_dead_jobs", "application/json"): st.just({"all": True}),
    ("create_transcription", "multipart/form-data"): _AUDIO,
}


@schemathesis.hook
def flatmap_case(_: Any, case: Any) -> st.SearchStrategy[Any]:
    """Only what is meant to be right is made likely; what is meant to be wrong stays so."""
    key = (case.operation.definition.raw["operationId"], str(case.media_type))
    if key not in LIKELY or case.meta is None or case.meta.generation.mode.is_negative:
        return st.just(case)
    return st.one_of(st.just(case), LIKELY[key].map(_put_into(case)))


def _put_into(case: Any) -> Callable[[Any], Any]:
    def put(body: Any) -> Any:
        case.body = body
        return case

    return put


_turn = itertools.cycle(filter(None, os.environ.get(KEYS_VARIABLE, "").split(",")))


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    key = next(_turn, None)
    if key is not None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {key}"}
        if key == "-":
            del case.headers["Authorization"]
