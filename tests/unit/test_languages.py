"""How people, Whisper and NLLB name languages, and what we call them."""

from __future__ import annotations

import langcodes
import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES
from hypothesis import given
from hypothesis import strategies as st

from services.model.errors import Invalid
from services.model.languages import (
    LANGUAGES,
    english_name,
    from_whisper,
    m2m_code,
    madlad_code,
    marian_codes,
    nllb_code,
    parse_language,
    whisper_code,
)

MEANT = {
    # as it should be written
    "en": "en", "zh": "zh", "yue": "yue", "haw": "haw", "zh-Hant": "zh-Hant",
    # in other letters, with a region or a script that changes nothing
    "EN": "en", "pt_br": "pt", "en-US": "en", "zh-Hans": "zh", "zh-CN": "zh", "zh-SG": "zh",
    "zh-Hans-TW": "zh", "ja-Jpan": "ja", " de ": "de", "zh_CN": "zh", "eng": "en",
    # regions that tell the script
    "zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "ZH_hant": "zh-Hant",
    # the slips of the original brief, never emitted
    "jp": "ja", "JP": "ja", "cn": "zh",
    # old codes, and Whisper's own
    "iw": "he", "jw": "jv", "jv": "jv", "tl": "fil", "fil": "fil", "no": "no", "nb": "no",
    "nn": "nn", "in": "id", "mo": "ro", "zh-yue": "yue", "cmn": "zh", "cmn-Hant": "zh-Hant",
    # Whisper's English names
    "english": "en", "Chinese": "zh", "Haitian Creole": "ht", "mandarin": "zh", "tagalog": "fil",
    # three letters, as NLLB writes them
    "jpn_Jpan": "ja", "zho_Hans": "zh", "zho_Hant": "zh-Hant", "eng_Latn": "en",
}  # fmt: skip

# Whisper codes whose NLLB name is not simply alpha3_Script; three have none.
NLLB = {
    "ar": "arb_Arab", "az": "azj_Latn", "fa": "pes_Arab", "ko": "kor_Hang", "lv": "lvs_Latn",
    "mg": "plt_Latn", "mn": "khk_Cyrl", "ms": "zsm_Latn", "ne": "npi_Deva", "no": "nob_Latn",
    "ps": "pbt_Arab", "sq": "als_Latn", "sw": "swh_Latn", "tl": "tgl_Latn", "uz": "uzn_Latn",
    "yi": "ydd_Hebr",
}  # fmt: skip
NOT_IN_NLLB = {"br", "haw", "la"}

# All hundred that M2M100 has a `__xx__` token for; some are no languages of ours.
M2M100 = """
af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he
hi hr ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no
ns oc or pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo
zh zu
"""
FOREIGN = "ast ceb ff fy ga gd ig ilo lg ns or ss tn wo xh zu"


@pytest.mark.parametrize(("written", "meant"), MEANT.items())
def test_a_language_is_understood_as_people_write_it(written: str, meant: str) -> None:
    assert parse_language(written, field="to") == meant


@pytest.mark.parametrize(("whisper", "nllb"), NLLB.items())
def test_nllb_and_whisper_mean_the_same_language(whisper: str, nllb: str) -> None:
    assert parse_language(nllb, field="to") == from_whisper(whisper)
    assert nllb_code(from_whisper(whisper)) == nllb


def test_every_other_language_of_whisper_is_called_by_three_letters_and_a_script() -> None:
    for code in set(_LANGUAGE_CODES) - set(NLLB) - NOT_IN_NLLB:
        language = from_whisper(code)
        found = langcodes.Language.get(language)
        assert nllb_code(language) == f"{found.to_alpha3()}_{found.maximize().script}"


def test_what_a_family_of_models_does_not_know_has_no_code() -> None:
    assert {tag for tag in LANGUAGES if nllb_code(tag) is None} == NOT_IN_NLLB
    assert {tag for tag in LANGUAGES if madlad_code(tag) is None} == {"yue"}
    for code_of in (nllb_code, m2m_code, madlad_code):
        assert code_of("tlh") is None
    assert marian_codes("tlh") == []


def test_m2m100_is_asked_for_each_language_that_both_of_us_know() -> None:
    asked = [code for tag in LANGUAGES if (code := m2m_code(tag))]
    assert sorted(asked) == sorted(set(M2M100.split()) - set(FOREIGN.split()))
    assert all(parse_language(code, field="to") in LANGUAGES for code in asked)


@pytest.mark.parametrize(
    ("language", "nllb", "m2m", "madlad"),
    [
        ("zh", "zho_Hans", "zh", "zh"),
        ("zh-Hant", "zho_Hant", None, "zh_Hant"),
        ("yue", "yue_Hant", None, None),
        ("fil", "tgl_Latn", "tl", "fil"),
        ("jv", "jav_Latn", "jv", "jv"),
        ("no", "nob_Latn", "no", "no"),
        ("nn", "nno_Latn", None, "nn"),
    ],
)
def test_each_family_of_models_has_codes_of_its_own(language, nllb, m2m, madlad) -> None:
    assert (nllb_code(language), m2m_code(language), madlad_code(language)) == (nllb, m2m, madlad)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_of_nllb_or_madlad_is_understood_as_a_language_too(language: str) -> None:
    for code in filter(None, [nllb_code(language), madlad_code(language)]):
        assert parse_language(code, field="to") == language


@pytest.mark.parametrize(
    ("language", "codes"),
    [
        ("zh", ["cmn_Hans", "zho_Hans", "cmn", "zho", "zh"]),
        ("zh-Hant", ["cmn_Hant", "zho_Hant"]),
        ("de", ["deu_Latn", "deu", "de"]),
        ("no", ["nob_Latn", "nob", "nor", "no"]),
        ("haw", ["haw_Latn", "haw"]),
    ],
)
def test_marian_models_may_call_a_language_by_several_names(language, codes) -> None:
    assert marian_codes(language) == codes


@pytest.mark.parametrize(("written", "hint"), [("kr", "write ko"), ("tw", "zh-TW"), ("KR", "ko")])
def test_tags_that_look_like_countries_are_refused_with_a_hint(written: str, hint: str) -> None:
    with pytest.raises(Invalid, match=hint) as refused:
        parse_language(written, field="targets.0")
    assert (refused.value.code, refused.value.field) == ("ambiguous_language", "targets.0")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("", "BCP-47"),
        ("xx", "BCP-47"),
        ("tlh", "BCP-47"),
        ("und", "BCP-47"),
        ("sr-Latn", "BCP-47"),
        ("zh-Latn", "BCP-47"),
        ("a" * 5000, "BCP-47"),
        ("\ud800", "BCP-47"),
        ("en\x00", "BCP-47"),
        ("cz", "write cs"),
        ("us", "write en"),
        ("auto", "Leave the language out"),
    ],
)
def test_what_is_no_language_here_is_refused(written: str, hint: str) -> None:
    with pytest.raises(Invalid, match=hint) as refused:
        parse_language(written, field="to")
    assert refused.value.code == "unknown_language"
    assert len(refused.value.message.encode()) < 300


@given(st.text(max_size=30))
def test_no_text_breaks_the_parser(written: str) -> None:
    try:
        assert parse_language(written, field="to") in LANGUAGES
    except Invalid as refused:
        assert refused.code in {"unknown_language", "ambiguous_language"}  # noqa: PT017


@pytest.mark.parametrize("code", _LANGUAGE_CODES)
def test_every_whisper_code_comes_back(code: str) -> None:
    language = from_whisper(code)
    assert whisper_code(language) == code
    assert parse_language(code, field="to") == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_canonical_tag_means_itself(language: str) -> None:
    assert parse_language(language, field="to") == language
    assert english_name(language)


def test_whisper_wants_its_own_codes_for_tagalog_and_javanese() -> None:
    assert [whisper_code(tag) for tag in ("fil", "jv", "no")] == ["tl", "jw", "no"]


def test_whisper_has_one_code_for_both_scripts_of_chinese() -> None:
    assert (whisper_code("zh"), whisper_code("zh-Hant")) == ("zh", "zh")
    assert from_whisper("zh") == "zh"
