"""The CTranslate2 engine on a real, untrained model: what is counted must hold for any words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from demo.grammar import sentences
from services.model.errors import FailureClass, JobFailed
from translator_worker.engines import Row
from translator_worker.engines.ctranslate2 import CTranslate2Engine

TEXTS = [s.text("en") for s in sentences(12, seed=2, held_out=True)]


def rows_of(texts: Sequence[str], target: str) -> list[Row]:
    return [Row(text, "en", target) for text in texts]


@pytest.fixture(scope="module")
def ctranslate2_engine(ending_model):
    return CTranslate2Engine(ending_model, device="cpu", compute_type="default")


@pytest.fixture(scope="module")
def endless_engine(endless_model):
    return CTranslate2Engine(endless_model, device="cpu", compute_type="default")


def test_a_blank_sentence_keeps_its_slot(ctranslate2_engine) -> None:
    with_blanks = ["", TEXTS[0], " \n", TEXTS[1], ""]
    answers = ctranslate2_engine.translate(rows_of(with_blanks, "zh"), beam_size=2)
    alone = ctranslate2_engine.translate(rows_of([TEXTS[0], TEXTS[1]], "zh"), beam_size=2)
    assert [a.text for a in answers] == ["", alone[0].text, "", alone[1].text, ""]
    assert answers[0].flags == []


def test_the_same_batch_gives_the_same_words(ctranslate2_engine) -> None:
    once, again = (
        ctranslate2_engine.translate(rows_of(TEXTS[:4], "de"), beam_size=2) for _ in range(2)
    )
    assert once == again


def test_the_target_language_decides(ctranslate2_engine) -> None:
    zh, ja = (
        ctranslate2_engine.translate(rows_of(TEXTS[:3], target), beam_size=1)
        for target in ("zh", "ja")
    )
    assert [a.text for a in zh] != [a.text for a in ja]
    assert not any("__" in a.text or "</s>" in a.text for a in (*zh, *ja))


def test_a_text_over_the_budget_is_cut_and_not_refused(ctranslate2_engine) -> None:
    long = " ".join(TEXTS)
    (answer,) = ctranslate2_engine.translate(rows_of([long], "zh"), beam_size=1)
    assert answer.text


def test_a_translation_without_an_end_is_flagged_as_truncated(endless_engine) -> None:
    (answer,) = endless_engine.translate(rows_of([TEXTS[0]], "zh"), beam_size=1)
    assert "truncated" in answer.flags


def test_an_empty_translation_of_many_words_is_flagged(make_model) -> None:
    mute = CTranslate2Engine(make_model(end_bias=100.0), device="cpu", compute_type="default")
    (answer,) = mute.translate(rows_of([TEXTS[0]], "zh"), beam_size=1)
    assert (answer.text, answer.flags) == ("", ["length_ratio"])


def test_a_model_of_another_family_is_refused_for_good(make_model) -> None:
    folder = make_model(end_bias=0.0, family="opus")
    with pytest.raises(JobFailed, match=r"'opus'.*madlad") as failed:
        CTranslate2Engine(folder, device="cpu", compute_type="default")
    assert failed.value.failure_class is FailureClass.PERMANENT
    assert failed.value.code == "family_not_supported"


def test_a_model_that_says_nothing_of_itself_is_refused_for_good(tmp_path) -> None:
    with pytest.raises(JobFailed, match="no family"):
        CTranslate2Engine(tmp_path, device="cpu", compute_type="default")
