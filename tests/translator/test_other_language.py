"""A translation that is not in its language is flagged; one that is never is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest
from declaration import ARTICLE

from demo.grammar import LANGUAGES, sentences
from services.model.glossary import Rule
from translator_worker.engines import Row, Translation
from translator_worker.engines.judged import JudgedEngine
from translator_worker.engines.other_language import is_other_language, is_untranslated
from translator_worker.glossary import Terms


def test_no_right_translation_is_flagged_however_near_the_languages_are() -> None:
    wrong = [
        (source, target, sentence)
        for source, target in permutations(ARTICLE, 2)
        for sentence in ARTICLE[target]
        if is_other_language(sentence, source, target)
    ]
    assert wrong == []


def test_no_sentence_of_the_demo_is_flagged() -> None:
    wrong = [
        (source, target, sentence.text(target))
        for sentence in sentences(200, seed=50, held_out=True)
        for source, target in permutations(LANGUAGES, 2)
        if is_other_language(sentence.text(target), source, target)
    ]
    assert wrong == []


@pytest.mark.parametrize("target", sorted(set(ARTICLE) - {"en"}))
def test_english_in_the_place_of_any_language_is_flagged(target: str) -> None:
    source = "ko" if target != "ko" else "ja"
    assert all(is_other_language(each, source, target) for each in ARTICLE["en"])


@pytest.mark.parametrize(
    ("source", "target"),
    [("de", "en"), ("fr", "de"), ("es", "pt"), ("de", "nl"), ("ru", "uk"),
     ("vi", "id"), ("ja", "zh"), ("zh", "ja"), ("zh-Hant", "ja"), ("ko", "ja"), ("zh", "ko"),
     ("th", "en"), ("en", "el"), ("tr", "sv")],
)  # fmt: skip
def test_words_that_stayed_in_the_language_of_the_source_are_flagged(source, target) -> None:
    assert any(is_other_language(each, source, target) for each in ARTICLE[source])


@pytest.mark.parametrize(("one", "other"), [("zh", "zh-Hant"), ("zh-Hant", "zh")])
def test_the_other_script_of_chinese_is_another_language(one: str, other: str) -> None:
    assert not any(is_other_language(each, "en", one) for each in ARTICLE[one])
    assert is_other_language(ARTICLE[one][1], "en", other)
    assert not is_other_language("北京大学", "en", other), "as short as that nobody can tell"


@pytest.mark.parametrize(
    ("translation", "source", "target"),
    [
        ("OK", "en", "ja"),
        ("Yes, of course.", "de", "fr"),
        ("Angela Merkel, Emmanuel Macron, Boris Johnson", "en", "ja"),
        ("OpenAI GPT-4 TURBO", "en", "zh"),
        ("https://example.com/this-is-the-way-of-the-world", "en", "ja"),
        ("{this_is_the_name} <b class='of the'>", "en", "zh"),
        ("1989 10:30 12.5%", "en", "ja"),
        ("Maria liest The Lord of the Rings", "en", "de"),
        ("请运行 git commit --amend 命令，然后推送到服务器", "en", "zh"),
        ("東京都千代田区永田町一丁目七番一号", "en", "ja"),
        ("我很喜欢日本的「となりのトトロ」这部电影", "ja", "zh"),
        ("Ona su obdarena razumom i svešću.", "en", "sr"),
        ("", "en", "de"),
    ],
)
def test_what_is_short_or_no_language_is_never_flagged(translation, source, target) -> None:
    assert not is_other_language(translation, source, target)


@pytest.mark.parametrize(
    ("text", "source", "target", "wrong"),
    [
        ("The farmer is playing the violin.", "en", "de", True),
        ("the farmer  is playing the VIOLIN.", "en", "ja", True),
        ("New York", "en", "de", False),
        ("Angela Merkel", "en", "ja", False),
        ("https://example.com/a/long/way", "en", "ja", False),
        ("人人生而自由", "zh", "zh-Hant", False),
        ("东京大学", "zh", "ja", False),
    ],
)
def test_what_came_back_as_it_was_is_untranslated(text, source, target, wrong) -> None:
    assert is_untranslated(text, text.replace("VIOLIN", "violin"), source, target) is wrong


class Told:
    """Answers as it is told."""

    def __init__(self, *answers: Translation) -> None:
        self.answers = list(answers)

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        return self.answers


def test_flags_are_added_and_the_words_stay() -> None:
    english = "The farmer is playing the violin."
    same = Row(english, "en", "de")
    answers = [
        Translation("Der Bauer spielt Geige."),
        Translation(english, ["seen"]),
        Translation("It is the farmer that is playing.", ["seen"]),
        Translation(english, ["untranslated"]),
    ]
    made = JudgedEngine(Told(*answers)).translate([same] * 4, beam_size=None)
    assert [each.text for each in made] == [each.text for each in answers]
    assert [each.flags for each in made] == [
        [], ["seen", "untranslated"], ["seen", "other_language"], ["untranslated"]
    ]  # fmt: skip


def test_terms_of_a_glossary_may_be_of_any_language() -> None:
    text = "She reads out of the silent planet."
    put = "the way of the world is not for you and me"
    terms = Terms([Rule(term="out of the silent planet", put=put)], [text])
    answer = Translation(f"Anna liest {put}.")
    asked = [Row(text, "en", "de", terms), Row(text, "en", "de")]
    with_terms, without = JudgedEngine(Told(answer, answer)).translate(asked, beam_size=None)
    assert (with_terms.flags, without.flags) == ([], ["other_language"])
