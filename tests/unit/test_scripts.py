"""What a model is asked for where it knows Chinese in one script only."""

from __future__ import annotations

import pytest

from services.model.catalog import DEMO, SCRIPTS, STUBS, WHISPER, Catalog, ModelEntry
from services.model.scripts import asked, is_same_speech, other_script


def knowing(*pairs: str) -> ModelEntry:
    """A translator of `en>zh` and the like."""
    both = [(source, target) for source, _, target in (pair.partition(">") for pair in pairs)]
    return ModelEntry(name="ours", kind="translate", engine="ctranslate2", pairs=both)


@pytest.mark.parametrize(
    ("pairs", "source", "target", "pair"),
    [
        (["en>zh"], "en", "zh", ("en", "zh")),
        (["en>zh"], "en", "zh-Hant", ("en", "zh")),
        (["zh>en"], "zh-Hant", "en", ("zh", "en")),
        (["en>zh-Hant"], "en", "zh", ("en", "zh-Hant")),
        (["zh-Hant>en"], "zh", "en", ("zh-Hant", "en")),
        # where both are known nothing is converted
        (["en>zh", "en>zh-Hant"], "en", "zh-Hant", ("en", "zh-Hant")),
        (["zh>en", "zh-Hant>en"], "zh-Hant", "en", ("zh-Hant", "en")),
        # between scripts only what is known as such counts
        (["zh>zh-Hant"], "zh", "zh-Hant", ("zh", "zh-Hant")),
        (["zh>zh-Hant"], "zh-Hant", "zh", None),
        # Cantonese is no script, and no other language is converted
        (["en>zh"], "en", "yue", None),
        (["en>sr"], "en", "hr", None),
        (["en>zh"], "zh", "zh", None),
        (["zh>en"], "en", "zh-Hant", None),
    ],
)
def test_a_translator_is_asked_for_a_pair_that_it_knows(pairs, source, target, pair) -> None:
    assert knowing(*pairs).asked(source, target) == pair
    assert knowing(*pairs).serves(source, target) is (pair is not None)


def test_a_translator_of_many_languages_needs_only_one_script_of_chinese() -> None:
    demo = Catalog(DEMO).entry("nmt-demo")
    assert demo is not None
    assert demo.asked("ja", "zh-Hant") == ("ja", "zh")
    assert demo.asked("zh-Hant", "de") == ("zh", "de")
    assert demo.asked("zh", "zh-Hant") is None


def test_a_transcriber_is_asked_for_no_pair() -> None:
    assert WHISPER[0].asked("zh", "en") is None


@pytest.mark.parametrize("pair", [("zh", "zh-Hant"), ("zh-Hant", "zh")])
def test_one_script_becomes_the_other_without_a_model(pair) -> None:
    assert Catalog([]).translator(*pair) is SCRIPTS
    assert Catalog(STUBS).translator(*pair) is SCRIPTS
    assert Catalog(DEMO).translator(*pair, among=["nmt-demo"]) is SCRIPTS


def test_a_model_that_is_named_for_another_script_converts_it_if_it_can() -> None:
    catalog = Catalog([*STUBS, *DEMO])
    named = catalog.translator("zh", "zh-Hant", among=["nmt-demo", "stub-nmt"])
    assert named is catalog.entry("stub-nmt")


def test_the_first_that_serves_a_pair_is_taken_though_a_later_one_knows_the_script() -> None:
    both = knowing("en>zh", "en>zh-Hant").model_copy(update={"name": "both"})
    catalog = Catalog([*DEMO, both])
    assert [catalog.translator("en", tag) for tag in ("zh", "zh-Hant")] == [DEMO[1], DEMO[1]]


def test_only_chinese_has_another_script() -> None:
    assert [other_script(tag) for tag in ("zh", "zh-Hant", "yue", "sr", "xx")] == [
        "zh-Hant", "zh", None, None, None,
    ]  # fmt: skip
    assert is_same_speech("zh", "zh-Hant")
    assert not is_same_speech("zh", "yue")
    assert asked("en", "en", lambda *_: True) is None
