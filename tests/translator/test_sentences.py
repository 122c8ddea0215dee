"""Segments become sentences: nothing lost, nothing doubled, times kept."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.model.transcript import Segment
from services.sentences import halves, of_segments, of_text, split, within

LANGUAGES = st.sampled_from(["en", "zh", "ja", "de", "th", "ar", "zh-Hant", "haw"])
WRITTEN = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(
            ["Mr. ", "A. ", "3.", "...", "你好。", "」", "「", "と", "！", "?", " ", "\n", "\u2028",
             "z. B. ", "word", "”", "عربي؟ ", "ไทย", "👩‍👩‍👧", "\x85"]
        ),
        max_size=40,
    ).map("".join),
)  # fmt: skip


@st.composite
def spoken(draw) -> list[Segment]:
    """Segments in order, with and without pauses between them."""
    at, segments = 0.0, []
    for number, text in enumerate(draw(st.lists(WRITTEN, max_size=8))):
        at += draw(st.sampled_from([0.0, 0.3, 5.0]))
        end = at + draw(st.floats(0, 20))
        segments.append(Segment(id=number, start=at, end=end, text=text))
        at = end
    return segments


def letters(*texts: str) -> str:
    return "".join("".join(texts).split())


@given(spoken(), LANGUAGES)
def test_no_letter_is_lost_or_doubled(segments, language) -> None:
    sentences = of_segments(segments, language)
    assert letters(*(s.text for s in sentences)) == letters(*(s.text for s in segments))
    assert all(s.text.strip() == s.text != "" for s in sentences)


@given(spoken(), LANGUAGES)
def test_times_never_leave_the_segments_and_never_go_back(segments, language) -> None:
    sentences = of_segments(segments, language)
    times = [time for s in sentences for time in (s.start, s.end)]
    assert all(b >= a - 1e-6 for a, b in pairwise(times))
    if sentences:
        heard = [s for s in segments if s.text.strip()]
        assert (times[0], times[-1]) == (heard[0].start, heard[-1].end)


@given(WRITTEN, LANGUAGES)
def test_a_text_keeps_its_letters_and_its_lines(text, language) -> None:
    sentences = of_text(text, language)
    assert letters(*(s.text for s in sentences)) == letters(text)
    assert all(s.start is None and s.end is None for s in sentences)
    lines = [line for line in text.splitlines() if line.strip()]
    assert {s.paragraph for s in sentences} == set(range(len(lines)))


@given(WRITTEN, st.integers(1, 30))
@example("0 ", 1)
def test_cut_to_size_keeps_every_letter(text, most) -> None:
    pieces = within(text, lambda piece: len(piece) <= most)
    assert letters(*pieces) == letters(text)
    assert all(len(piece) <= most for piece in pieces) or not text.strip()


@pytest.mark.parametrize(
    ("language", "text", "parts"),
    [
        ("en", "Hello there. How are you?", ["Hello there.", "How are you?"]),
        ("en", "Mr. Smith paid $3.50. He left.", ["Mr. Smith paid $3.50.", "He left."]),
        ("de", "Am 3. Mai war es z. B. kalt. Ja.", ["Am 3. Mai war es z. B. kalt.", "Ja."]),
        ("zh", "你好。今天很好！走吧", ["你好。", "今天很好！", "走吧"]),
        (
            "ja",
            "「行こう。」と彼は言った。晴れです。",
            ["「行こう。」と彼は言った。", "晴れです。"],
        ),
        ("de", "A.\u2028B", ["A. B"]),  # a panic in sentencex 1.0.32
    ],
)
def test_sentences_end_where_a_reader_would_say_so(language, text, parts) -> None:
    assert split(text, language) == parts


def test_a_sentence_that_spans_segments_runs_from_the_first_to_the_last() -> None:
    segments = [
        Segment(id=0, start=1.0, end=2.0, text=" The red"),
        Segment(id=1, start=2.5, end=4.0, text=" house is big."),
    ]
    (sentence,) = of_segments(segments, "en")
    assert (sentence.text, sentence.start, sentence.end) == ("The red house is big.", 1.0, 4.0)


def test_a_segment_of_two_sentences_is_shared_by_characters() -> None:
    segments = [Segment(id=0, start=0.0, end=10.0, text="你好啊。再见啊朋友。")]
    assert [(s.text, s.start, s.end) for s in of_segments(segments, "zh")] == [
        ("你好啊。", 0.0, 4.0),
        ("再见啊朋友。", 4.0, 10.0),
    ]


def test_a_long_silence_ends_a_sentence() -> None:
    segments = [
        Segment(id=0, start=0.0, end=1.0, text="and then"),
        Segment(id=1, start=9.0, end=10.0, text="we went"),
    ]
    assert [s.text for s in of_segments(segments, "en")] == ["and then", "we went"]


def test_speech_without_punctuation_is_cut_where_segments_begin() -> None:
    segments = [Segment(id=n, start=float(n), end=n + 1.0, text="word " * 20) for n in range(9)]
    sentences = of_segments(segments, "en")
    assert [s.start for s in sentences] == [0.0, 3.0, 6.0]
    assert all(len(s.text) <= 300 for s in sentences)


def test_who_speaks_between_does_not_cut_a_sentence_of_another_channel() -> None:
    said = [("Where is", 0), ("Right", 1), ("the station?", 0), ("here.", 1)]
    segments = [
        Segment(id=n, start=float(n), end=n + 1.0, text=text, channel=channel)
        for n, (text, channel) in enumerate(said)
    ]
    found = [(s.text, s.start, s.end, s.channel) for s in of_segments(segments, "en")]
    assert found == [("Where is the station?", 0.0, 3.0, 0), ("Right here.", 1.0, 4.0, 1)]


def test_blank_segments_are_no_sentences() -> None:
    assert of_segments([Segment(id=0, start=0, end=1, text=" \n ")], "en") == []
    assert of_text(" \n ", "en") == []


def test_halves_are_cut_at_a_clause_then_at_a_space_then_in_the_middle() -> None:
    assert halves("when it rains, we all stay home") == ("when it rains,", "we all stay home")
    assert halves("one two three four") == ("one two", "three four")
    assert halves("今天天气好，我们去公园") == ("今天天气好，", "我们去公园")
    assert halves("abcdef") == ("abc", "def")
    assert halves("a") is None
