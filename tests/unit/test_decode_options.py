"""What a caller writes of the decoder, under any name, and what is refused of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.model.catalog import DEMO, STUBS, WHISPER, Catalog
from services.model.decoding import GUARDS, LADDER, Decoding
from services.model.errors import Invalid
from task_manager.decode_options import check_model, to_decoding
from task_manager.schemas.new_task import NewOptions


def read(**options: Any) -> Decoding:
    return to_decoding(NewOptions.model_validate(options))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, {}),
        ({"temperature": 0}, {"temperature": list(LADDER)}),
        ({"temperature": 0.3, "beam_size": 1}, {"temperature": [0.3], "beam_size": 1}),
        ({"temperature": [0.0, 0.5]}, {"temperature": [0.0, 0.5]}),
        ({"num_beams": 3}, {"beam_size": 3}),
        ({"num_beams": 3, "beam_size": 3}, {"beam_size": 3}),
        ({"num_return_sequences": 2}, {"n_best": 2}),
        ({"top_k": 5}, {"sampling_top_k": 5}),
        ({"do_sample": True, "top_k": 5}, {"sampling_top_k": 5, "temperature": [1.0]}),
        ({"do_sample": True, "temperature": 0.7}, {"temperature": [0.7]}),
        ({"do_sample": False}, {"temperature": [0.0]}),
        ({"early_stopping": True}, {"patience": 1.0}),
        ({"early_stopping": False, "patience": 2.0}, {"patience": 2.0}),
        ({"max_length": 60, "max_new_tokens": 20}, {"max_length": 60, "max_new_tokens": 20}),
        ({"log_prob_threshold": None}, {"log_prob_threshold": None}),
        ({"guards": True}, {"guards": list(GUARDS)}),
        ({"guards": False}, {"guards": []}),
        ({"guards": ["loop", "loop"]}, {"guards": ["loop"]}),
        ({"mode": "batched", "batch_size": 4}, {"mode": "batched", "batch_size": 4}),
        (
            {"mode": "batched", "temperature": [0.2], "num_beams": 1},
            {"mode": "batched", "temperature": [0.2], "beam_size": 1},
        ),
        ({"top_p": None, "num_beams": None}, {}),
    ],
)
def test_what_is_written_becomes_one_value(
    written: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert read(**written) == Decoding.model_validate(expected)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"num_beams": 3, "beam_size": 4}, "num_beams"),
        ({"num_return_sequences": 2, "n_best": 3}, "num_return_sequences"),
        ({"num_beams": 2, "num_return_sequences": 3}, "num_return_sequences"),
        ({"n_best": 6}, "n_best"),
        ({"do_sample": True, "best_of": 2, "n_best": 3}, "n_best"),
        ({"do_sample": True, "num_beams": 4}, "num_beams"),
        ({"do_sample": True, "beam_size": 2}, "beam_size"),
        ({"do_sample": True, "temperature": 0}, "do_sample"),
        ({"do_sample": False, "temperature": 0.5}, "do_sample"),
        ({"do_sample": False, "temperature": [0.0, 0.5]}, "do_sample"),
        ({"do_sample": False, "top_k": 5}, "top_k"),
        ({"temperature": [0.0], "best_of": 3}, "best_of"),
        ({"temperature": 0.5, "beam_size": 3}, "beam_size"),
        ({"temperature": 0.5, "patience": 2}, "patience"),
        ({"beam_size": 1, "patience": 2}, "patience"),
        ({"early_stopping": True, "patience": 2}, "early_stopping"),
        ({"batch_size": 4}, "batch_size"),
        ({"hallucination_silence_threshold": 2}, "hallucination_silence_threshold"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_field(
    written: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read(**written)
    assert (refused.value.code, refused.value.field) == (
        "contradictory_options",
        f"options.{field}",
    )


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({"top_p": 0.9}, "top_p"),
        ({"min_p": 0.1}, "min_p"),
        ({"typical_p": 0.9}, "typical_p"),
        ({"num_beam_groups": 2}, "num_beam_groups"),
        ({"diversity_penalty": 0.5}, "diversity_penalty"),
        ({"penalty_alpha": 0.6}, "penalty_alpha"),
        ({"mode": "batched", "temperature": [0.0, 0.4]}, "temperature"),
        ({"mode": "batched", "prefix": "Well,"}, "prefix"),
        ({"mode": "batched", "condition_on_previous_text": True}, "condition_on_previous_text"),
        (
            {
                "mode": "batched",
                "word_timestamps": True,
                "hallucination_silence_threshold": 2,
            },
            "hallucination_silence_threshold",
        ),
        ({"mode": "batched", "multilingual": True}, "mode"),
        ({"multilingual": True, "prefix": "Well,"}, "prefix"),
        ({"channels": "each", "prefix": "Well,"}, "prefix"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    written: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        read(**written)
    assert (refused.value.code, refused.value.field) == ("option_not_supported", f"options.{field}")
    assert ": " in refused.value.message


@pytest.mark.parametrize(
    "written",
    [
        {"temperature": []},
        {"temperature": [2]},
        {"guards": ["everything"]},
        {"num_beams": 11},
        {"num_beams": "5"},
        {"do_sample": 1},
        {"max_new_tokens": 0},
        {"suppress_tokens": [-2]},
    ],
)
def test_what_is_out_of_range_is_refused(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewOptions.model_validate(written)


def test_only_models_that_were_trained_for_it_translate_by_themselves() -> None:
    catalog = Catalog([*WHISPER, *DEMO, *STUBS])
    able = {name for name, entry in catalog.entries.items() if entry.writes_english}
    assert able == {
        "tiny",
        "base",
        "small",
        "medium",
        "large-v1",
        "large-v2",
        "large-v3",
        "stub-whisper",
    }
    entry = catalog.entries["turbo"]
    check_model(Decoding(), entry)
    with pytest.raises(Invalid) as refused:
        check_model(Decoding(task="translate"), entry)
    assert (refused.value.code, refused.value.field) == ("option_not_supported", "options.task")
