"""Which tokens tell a model of each family its languages, and how a family is known."""

from __future__ import annotations

import pytest

from services.model.errors import JobFailed
from services.model.families import FAMILIES, Markup, guessed


@pytest.mark.parametrize(
    ("vocabulary", "family"),
    [
        (["<s>", "eng_Latn"], "nllb"),
        (["<s>", "__en__"], "m2m100"),
        (["<unk>", "<2en>"], "madlad"),
        (["</s>", ">>deu<<"], "marian"),
        (["</s>", "▁the"], None),
        ([], None),
    ],
)
def test_a_vocabulary_shows_its_family(vocabulary, family) -> None:
    assert guessed(vocabulary) == family


def test_a_model_serves_what_it_has_a_token_of() -> None:
    markup = Markup(FAMILIES["nllb"], ["eng_Latn", "zho_Hant", "deu_Latn", "ace_Arab"])
    assert markup.languages() == ["de", "en", "zh-Hant"]


def test_simplified_and_traditional_chinese_are_not_confused() -> None:
    both = Markup(FAMILIES["nllb"], ["eng_Latn", "zho_Hans", "zho_Hant"])
    assert both.of("en", "zh").begins == ["zho_Hans"]
    assert both.of("en", "zh-Hant").begins == ["zho_Hant"]
    one = Markup(FAMILIES["m2m100"], ["__en__", "__zh__"])
    with pytest.raises(JobFailed, match="zh-Hant"):
        one.of("en", "zh-Hant")


def test_the_most_exact_token_of_marian_is_taken() -> None:
    markup = Markup(FAMILIES["marian"], [">>zho<<", ">>cmn_Hans<<", ">>zh<<"])
    assert markup.of("en", "zh").before == [">>cmn_Hans<<"]


def test_a_token_that_is_given_wins_and_one_that_is_not_there_helps_nobody() -> None:
    given = {"pt": ">>pt_BR<<", "zh": ">>yue<<"}
    markup = Markup(FAMILIES["marian"], [">>pt_BR<<", ">>por<<", ">>cmn<<"], given)
    assert markup.of("en", "pt").before == [">>pt_BR<<"]
    assert markup.of("en", "zh").before == [">>cmn<<"]


def test_a_marian_of_one_pair_has_no_marks_and_others_must() -> None:
    assert Markup(FAMILIES["marian"], ["</s>", "▁a"]).of("en", "uk").before == []
    with pytest.raises(JobFailed, match="uk"):
        Markup(FAMILIES["madlad"], ["</s>", "▁a"]).of("en", "uk")


def test_words_are_no_marks() -> None:
    markup = Markup(FAMILIES["nllb"], ["eng_Latn", "▁eng", "</s>", "madeupword0"])
    marks = [t for t in ("eng_Latn", "</s>", "madeupword0", "▁eng", "a_B") if markup.is_mark(t)]
    assert marks == ["eng_Latn", "</s>", "madeupword0"]
