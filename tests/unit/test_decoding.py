"""The options of the decoder: their ranges, what one temperature means, how a retry gets safer."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.model.decoding import LADDER, Decoding, ladder
from services.model.task import Options


def test_one_temperature_is_kept_and_none_or_zero_rises() -> None:
    assert ladder(0.4) == [0.4]
    assert ladder(None) == ladder(0.0) == list(LADDER)


def test_a_safer_try_follows_one_reading_once_and_keeps_the_rest() -> None:
    asked = Decoding(n_best=3, best_of=4, temperature=[0.2, 0.4], prompt="Before.")
    safer = asked.safer()
    assert (safer.beam_size, safer.best_of, safer.n_best) == (1, 1, 1)
    assert (safer.temperature, safer.prompt) == ([0.2], "Before.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beam_size", 0),
        ("temperature", []),
        ("temperature", [1.5]),
        ("suppress_tokens", [-2]),
        ("max_new_tokens", 225),
        ("guards", ["none"]),
        ("mode", "fast"),
    ],
)
def test_what_is_out_of_range_is_no_value(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Decoding.model_validate({name: value})


def test_a_task_of_an_older_release_keeps_its_options() -> None:
    old = {"transcribe_model": "tiny", "beam_size": 3, "prompt": "Before.", "temperature": 0.2}
    assert Options.model_validate(old).decoding == Decoding(
        beam_size=3, prompt="Before.", temperature=[0.2]
    )
    older = Options.model_validate({"transcribe_model": "tiny", "temperature": None})
    assert older.decoding == Decoding()
    again = Options.model_validate_json(Options.model_validate(old).model_dump_json())
    assert again.decoding.beam_size == 3
