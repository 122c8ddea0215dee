"""Out of a sentence and back into its translation, whatever a model makes of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.spans import besides, spans_in
from translator_worker.numbers import numbers_in, numbers_lost
from translator_worker.protecting import masked, pieces, rejoined, restored, stands

_BITS = [
    "https://x.y/z?q=1", "a@b.de", "{name}", "%s", "<b>", "</b>", "&amp;", "[1]", "[2]", "【3】",
    "[ 12 ]", "word", " ", ", ", ". ", "字", "1", "23", "١٢", "\u00a0", "\t", "[", "]", "{", "%",
]  # fmt: skip
hostile = st.one_of(st.text(), st.lists(st.sampled_from(_BITS)).map("".join))


@given(hostile)
def test_what_a_perfect_model_carries_along_is_the_text_again(text) -> None:
    spans = spans_in(text)
    made = masked(text, spans)
    assert restored(made, made.text, text, spans) == text


@given(hostile)
def test_pieces_that_stay_as_they_are_make_the_text_again(text) -> None:
    spans = besides(spans_in(text), numbers_in(text))
    parts = pieces(text, spans)
    words = [part.words for part in parts]
    assert rejoined(parts, words, spans, source="en", target="de") == text


@given(hostile, hostile)
def test_whatever_a_model_answers_every_span_is_there_or_it_is_said(text, answer) -> None:
    spans = spans_in(text)
    back = restored(masked(text, spans), answer, text, spans)
    assert back is None or stands(spans, back)


def back(text: str, change) -> str | None:
    spans = spans_in(text)
    made = masked(text, spans)
    return restored(made, change(made.text), text, spans)


def test_a_placeholder_may_move_and_its_brackets_be_widened() -> None:
    assert back("Open {a} at {b}.", lambda _: "在【 2 】打开［1］。") == "在{b}打开{a}。"


@pytest.mark.parametrize(
    "answer",
    ["Offen.", "Öffne [1].", "Öffne [1] [1] um [2].", "[1] [2] [3]", "[12]", "[1] um (2)"],
)
def test_a_lost_doubled_or_invented_placeholder_is_noticed(answer) -> None:
    assert back("Open {a} at {b}.", lambda _: answer) is None


def test_markup_and_positional_placeholders_keep_their_order() -> None:
    assert back("<b>bold</b>", lambda _: "[2] fett [1]") is None
    assert back("%s of %d", lambda _: "[2] von [1]") is None
    assert back("{a} of {b}", lambda _: "[2] von [1]") == "{b} von {a}"


def test_markup_is_glued_as_it_was() -> None:
    assert masked("a <b>bold</b>!", spans_in("a <b>bold</b>!")).text == "a [1] bold [2] !"
    assert back("a <b>bold</b>!", lambda _: "ein [1] fettes [2] !") == "ein <b>fettes</b>!"


def test_a_number_that_the_text_has_is_no_placeholder() -> None:
    text = "[1] says {name} [2]"
    assert masked(text, spans_in(text)).text == "[1] says [3] [2]"
    assert back(text, lambda seen: seen) == text


def test_only_words_are_to_be_translated() -> None:
    text = "Dear {name}, see https://x.y (now): 5 {a}."
    found = [(p.before, p.words, p.after) for p in pieces(text, spans_in(text))]
    assert found == [
        ("", "Dear", " "), (", ", "see", " "), (" (", "now): 5", " "), (".", "", "")
    ]  # fmt: skip


def test_scripts_with_and_without_spaces_meet_as_they_should() -> None:
    def joined(text: str, words: list[str], source: str, target: str) -> str:
        spans = spans_in(text)
        return rejoined(pieces(text, spans), words, spans, source=source, target=target)

    assert joined("你好{name}先生", ["Hello", "Mr."], "zh", "en") == "Hello {name} Mr."
    assert joined("<b>好</b>人", ["", "good", "man"], "zh", "en") == "<b>good</b>man"
    assert joined("Hi {name} there", ["你", "好"], "en", "zh") == "你 {name} 好"


@pytest.mark.parametrize(
    ("text", "translation", "lost"),
    [
        ("In 1989 there were 300.", "1989年有300个。", False),
        ("In 1989 there were 300.", "有300个。", True),
        ("It took 1,000.5 seconds", "Es dauerte 1.000,5 Sekunden", False),
        ("50 million people", "5000万人", False),
        ("At 10:30", "um 10 Uhr 30", False),
        ("At 10:30", "um zehn", True),
        ("in 2024", "في ٢٠٢٤", False),
        ("２５ people", "25 Leute", False),
        ("5 apples", "fünf Äpfel", False),
        ("no number", "keine", False),
    ],
)
def test_a_number_is_there_in_whatever_digits_or_it_is_lost(text, translation, lost) -> None:
    assert numbers_lost(text, translation) is lost


def test_dates_times_and_shares_are_one_number() -> None:
    text = "On 2026-11-28 at 10:30, 12.5% of 1,000."
    assert [span.put for span in numbers_in(text)] == ["2026-11-28", "10:30", "12.5%", "1,000"]


def test_a_placeholder_never_looks_like_a_number_of_the_text() -> None:
    text = "".join(f"[{n}]" for n in range(1, 50)) + "{x}"
    assert re.search(r"\[50\]$", masked(text, spans_in(text)).text)
