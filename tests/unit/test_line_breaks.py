"""Where lines break: by width, by what is read together, and by the rules of each script."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from spoken import HOSTILE, SENTENCES

from task_manager.render.breaks import units
from task_manager.render.columns import clean, clusters, width
from task_manager.render.cutting import lines_of

LANGUAGE = st.sampled_from(["en", "de", "zh", "ja", "ko", "th", "ar", "und"])


def wrap(text: str, language: str, max_width: int) -> list[str]:
    return lines_of(units(clean(text), language, max_width), max_width)


def seen(text: str) -> str:
    return "".join(text.split())


@given(HOSTILE, LANGUAGE, st.integers(4, 60))
@example("\u200b" + 5 * "0", "en", 4)
@example("00 \u200b 000 \u200b", "en", 4)
def test_no_line_is_wider_than_asked_and_nothing_is_lost(text, language, max_width) -> None:
    lines = wrap(text, language, max_width)
    assert seen("".join(lines)) == seen(clean(text))
    assert all(0 < width(line) <= max_width and line.strip(" ") == line for line in lines)


@given(SENTENCES, st.integers(12, 60))
def test_no_line_begins_with_what_closes_or_ends_with_what_opens(sentence, max_width) -> None:
    language, text = sentence
    lines = wrap(text, language, max_width)
    assert not any(line[0] in "、。，」！？ー.,;:!?)" for line in lines)
    assert not any(line[-1] in "「（(เแโใไ" for line in lines)


@given(SENTENCES, st.integers(20, 60))
def test_no_line_is_spent_that_is_not_needed(sentence, max_width) -> None:
    language, text = sentence
    words = text.split(" ")
    if language in {"en", "de", "ar", "ko"}:
        needed, taken = 1, 0
        for word in words:
            more = bool(taken) + width(word)
            needed, taken = (
                (needed + 1, width(word)) if taken + more > max_width else (needed, taken + more)
            )
        assert len(wrap(text, language, max_width)) <= needed + text.count("25 km")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("abc", 3), ("中文", 4), ("ｱｲ", 2), ("e\u0301", 1), ("ก็", 1), ("น้ำ", 2),
        ("👩‍👩‍👧", 2), ("🇩🇪", 2),
        ("👍🏽", 2), ("❤️", 2), ("क्षि", 2), ("\u1112\u1161\u11ab", 2),
        ("한", 2), ("\u200b\u200f", 0), ("…", 1), ("«»", 2),
    ],
)  # fmt: skip
def test_a_width_is_what_a_screen_shows(text, columns) -> None:
    assert width(text) == columns


@given(HOSTILE)
def test_clusters_joined_again_are_the_text(text) -> None:
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize(
    ("language", "text", "max_width", "lines"),
    [
        # Even lines, broken where a phrase ends; the upper one is the shorter.
        ("en", "one two three four five six", 20, ["one two three", "four five six"]),
        ("en", "It was late, and nobody came to the door", 30,
         ["It was late,", "and nobody came to the door"]),
        ("en", "He gave all of his money to the poor of town", 42,
         ["He gave all of his money", "to the poor of town"]),
        ("de", "Er fuhr mit dem Zug nach Köln und blieb dort", 42,
         ["Er fuhr mit dem Zug", "nach Köln und blieb dort"]),
        # What is read as one stays in one line.
        ("en", "We walked a long way, about 25 km in all", 28,
         ["We walked a long way,", "about 25 km in all"]),
        ("de", "Gestern Abend kam Dr. Müller zu uns", 22,
         ["Gestern Abend kam", "Dr. Müller zu uns"]),
        ("fr", "Mais pourquoi donc ? Je ne sais pas", 20,
         ["Mais pourquoi donc ?", "Je ne sais pas"]),
        ("en", "See https://example.com/a/b for all of it", 26,
         ["See", "https://example.com/a/b", "for all of it"]),
        ("zh", "我坐G1234次列车去上海", 14, ["我坐G1234次", "列车去上海"]),
        ("zh", "他在2026年来到这里", 12, ["他在2026年", "来到这里"]),
        ("ja", "彼はスマートフォンを買いました", 20, ["彼はスマートフォンを", "買いました"]),
        ("ja", "画面を見たい人が読みます", 14, ["画面を見たい", "人が読みます"]),
        ("ko", "모든 줄은 짧아야 합니다", 16, ["모든 줄은", "짧아야 합니다"]),
        # No line begins with what closes, or ends with what opens.
        ("zh", "他说「好」", 6, ["他说", "「好」"]),
        ("ja", "あっという間だった", 4, ["あっ", "とい", "う間", "だっ", "た"]),
        ("ja", "コーヒー", 4, ["コー", "ヒー"]),
        # What is wider than a line is cut, but never inside a character.
        ("en", "abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("en", "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 4, ["👩‍👩‍👧", "👩‍👩‍👧👩‍👩‍👧"]),
        ("th", "น้ำน้ำน้ำ", 4, ["น้ำ", "น้ำน้ำ"]),
        ("en", "a\u00a0b c\u00a0d", 5, ["a\u00a0b", "c\u00a0d"]),
    ],
)  # fmt: skip
def test_lines_break_where_a_reader_would(language, text, max_width, lines) -> None:
    assert wrap(text, language, max_width) == lines


def test_chinese_breaks_behind_its_commas() -> None:
    text = "今天天气很好，我们一起去公园散步吧，然后再去吃晚饭。"
    assert wrap(text, "zh", 40) == ["今天天气很好，我们一起去公园散步吧，", "然后再去吃晚饭。"]


def test_a_right_to_left_text_gets_no_sign_that_it_did_not_have() -> None:
    text = "نتحدث اليوم عن الترجمة، وكيف تقسم الأسطر بطريقة صحيحة."
    assert " ".join(wrap(text, "ar", 42)) == text
    assert len(wrap(text, "ar", 42)) == 2
