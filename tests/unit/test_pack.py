"""The pack in both of its forms: nothing lost, nothing sorted, nothing escaped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.codebook import CODEBOOK_VERSION
from services.model.languages import LANGUAGES
from services.model.pack import coded, dumps, expanded, joined

TEXTS = st.dictionaries(st.sampled_from(["A", "T"]), st.text(), min_size=1)
CELLS = st.dictionaries(
    st.sampled_from(sorted(LANGUAGES)),
    st.dictionaries(st.text(min_size=1), TEXTS, min_size=1),
)

SAMPLE = {
    "zh": {
        "文本编号1": {"A": "你好。", "T": "您好。"},
        "文本编号2": {"A": "再见。", "T": "再会。"},
    },
    "ja": {"文本编号1": {"A": "こんにちは。", "T": "どうも。"}},
}


def pairs(value):
    """An object as nested pairs, so that order counts when it is compared."""
    if isinstance(value, dict):
        return [(key, pairs(inner)) for key, inner in value.items()]
    return value


@given(CELLS)
def test_coded_and_expanded_are_the_same_pack_in_the_same_order(cells) -> None:
    assert pairs(expanded(coded(cells, []))) == pairs(cells)


@given(CELLS)
def test_a_pack_survives_the_wire(cells) -> None:
    body = dumps(coded(cells, []))
    assert pairs(expanded(json.loads(body))) == pairs(cells)
    assert dumps(json.loads(body)) == body


@given(CELLS)
def test_packs_of_single_languages_join_to_the_whole_one(cells) -> None:
    missing = [(language, "nothing", "A") for language in cells]
    single = [
        coded({language: texts}, [cell])
        for (language, texts), cell in zip(cells.items(), missing, strict=True)
    ]
    assert "".join(joined(lambda: single)) == dumps(coded(cells, missing))


def test_the_sample_in_coded_form() -> None:
    assert dumps(coded(SAMPLE, [])) == (
        f'{{"schema":1,"codebook":{CODEBOOK_VERSION},"complete":true,"missing":[],"data":{{'
        '"1":{"文本编号1":{"A":"你好。","T":"您好。"},"文本编号2":{"A":"再见。","T":"再会。"}},'
        '"3":{"文本编号1":{"A":"こんにちは。","T":"どうも。"}}}}'
    )


def test_the_sample_as_the_caller_spelt_it() -> None:
    document = json.loads(dumps(coded(SAMPLE, [])))
    assert list(expanded(document, {"ja": "jp"})) == ["zh", "jp"]
    assert list(expanded(document)) == ["zh", "ja"]


def test_the_order_is_the_callers_and_not_the_alphabets() -> None:
    cells = {"zh": {"10": {"A": "x"}, "2": {"A": "y"}, "1": {"A": "z"}}, "de": {}, "en": {}}
    document = coded(cells, [])
    assert list(document["data"]) == ["1", "4", "2"]
    assert list(document["data"]["1"]) == ["10", "2", "1"]


def test_text_ids_that_look_like_numbers_stay_apart() -> None:
    cells = {"zh": {"1": {"A": "一"}, "001": {"A": "二"}, "a.b/$c:d": {"A": "三"}}}
    assert expanded(coded(cells, [])) == cells


def test_what_is_missing_is_named_by_code() -> None:
    document = coded({"zh": {}}, [("ja", "文本编号2", "T")])
    assert document["complete"] is False
    assert document["missing"] == [[3, "文本编号2", "T"]]


def test_a_language_without_a_number_is_no_silent_loss() -> None:
    with pytest.raises(KeyError, match="has no number"):
        coded({"jp": {}}, [])
