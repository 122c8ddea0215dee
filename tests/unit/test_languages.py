"""How people, Whisper and NLLB name languages, and what we call them."""

from __future__ import annotations

import pytest
from faster_whisper.tokenizer import _LANGUAGE_CODES
from hypothesis import given
from hypothesis import strategies as st

from services.model.errors import Invalid
from services.model.languages import (
    LANGUAGES,
    english_name,
    from_whisper,
    parse_language,
    whisper_code,
)

MEANT = {
    # as it should be written
    "en": "en", "zh": "zh", "yue": "yue", "haw": "haw", "zh-Hant": "zh-Hant",
    # in other letters, with a region or a script that changes nothing
    "EN": "en", "pt_br": "pt", "en-US": "en", "zh-Hans": "zh", "zh-CN": "zh", "zh-SG": "zh",
    "zh-Hans-TW": "zh", "ja-Jpan": "ja", " de ": "de",
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

# Whisper codes whose NLLB name is not simply alpha3_Script.
NLLB = {
    "ar": "arb_Arab", "az": "azj_Latn", "fa": "pes_Arab", "ko": "kor_Hang", "lv": "lvs_Latn",
    "mg": "plt_Latn", "mn": "khk_Cyrl", "ms": "zsm_Latn", "ne": "npi_Deva", "no": "nob_Latn",
    "ps": "pbt_Arab", "sq": "als_Latn", "sw": "swh_Latn", "tl": "tgl_Latn", "uz": "uzn_Latn",
    "yi": "ydd_Hebr",
}  # fmt: skip


@pytest.mark.parametrize(("written", "meant"), MEANT.items())
def test_a_language_is_understood_as_people_write_it(written: str, meant: str) -> None:
    assert parse_language(written, field="to") == meant


@pytest.mark.parametrize(("whisper", "nllb"), NLLB.items())
def test_nllb_and_whisper_mean_the_same_language(whisper: str, nllb: str) -> None:
    assert parse_language(nllb, field="to") == from_whisper(whisper)


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


def test_whisper_does_not_write_traditional_chinese() -> None:
    assert whisper_code("zh-Hant") is None
    assert from_whisper("zh") == "zh"
