"""The pack in both of its forms: nothing lost, nothing sorted, nothing escaped."""

from __future__ import annotations

import json

import pytest
from hostile import NAMES, packs
from hypothesis import given

from services.model.codebook import CODEBOOK_VERSION
from services.model.pack import coded, dumps, expanded, joined

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


@given(packs())
def test_coded_and_expanded_are_the_same_pack_in_the_same_order(made) -> None:
    assert pairs(expanded(made.document)) == pairs(made.cells)


@given(packs())
def test_a_pack_survives_the_wire(made) -> None:
    body = dumps(made.document)
    read = json.loads(body.encode())
    assert pairs(expanded(read)) == pairs(made.cells)
    assert dumps(read) == body


@given(packs())
def test_what_was_coded_comes_back_from_the_expanded_form_byte_for_byte(made) -> None:
    read = json.loads(dumps(expanded(made.document)).encode())
    assert dumps(coded(read, made.missing, made.versions)) == dumps(made.document)


@given(packs())
def test_packs_of_single_languages_join_to_the_whole_one(made) -> None:
    def of(language, cells):
        return [cell for cell in cells if cell[0] == language]

    single = [
        coded({language: texts}, of(language, made.missing), of(language, made.versions))
        for language, texts in made.cells.items()
    ]
    assert "".join(joined(lambda: single)) == dumps(made.document)


def test_a_newer_code_book_is_named_only_where_a_pack_was_written_with_it() -> None:
    old, new = (
        {**coded({name: {}}, []), "codebook": book} for name, book in (("zh", 6), ("ja", 7))
    )
    assert json.loads("".join(joined(lambda: [old, new])))["codebook"] == 7
    assert json.loads("".join(joined(lambda: [old, old])))["codebook"] == 6


def test_every_odd_id_is_a_key_of_its_own_where_it_stands() -> None:
    cells = {"zh": {name: {"A": name, "T": "x"} for name in NAMES}}
    read = expanded(json.loads(dumps(coded(cells, []))))
    assert pairs(read) == pairs(cells)


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


def test_only_a_pack_with_corrected_words_speaks_of_versions() -> None:
    assert "versions" not in coded(SAMPLE, [])
    document = coded(SAMPLE, [], [("ja", "文本编号1", "A", 2)])
    assert list(document) == ["schema", "codebook", "complete", "missing", "versions", "data"]
    assert document["versions"] == [[3, "文本编号1", "A", 2]]
    assert expanded(document) == SAMPLE


def test_a_language_without_a_number_is_no_silent_loss() -> None:
    with pytest.raises(KeyError, match="has no number"):
        coded({"jp": {}}, [])
