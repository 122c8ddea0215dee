from __future__ import annotations

import random

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.transcript import Check, Segment, Transcript, Word
from whisper_worker import check as checking
from whisper_worker.check import compare


def heard(text: str, language: str = "en") -> Transcript:
    return Transcript(language=language, text=text, segments=[])


def rates(reference: str, text: str, language: str = "en") -> Check:
    return compare(reference, heard(text, language))[0]


def test_case_width_and_punctuation_do_not_count() -> None:
    check = rates("Hello, world! ＡＢＣ don’t", "hello world abc don't")
    assert (check.wer, check.cer, check.rate) == (0.0, 0.0, 0.0)
    assert check.differences == 0


def test_words_decide_where_words_are_spaced_and_each_kind_is_counted() -> None:
    check = rates("one two three four five", "one too three four and more")
    assert check.words is not None
    edits = check.words
    assert (edits.hits, edits.substitutions, edits.insertions, edits.deletions) == (3, 2, 1, 0)
    assert edits.length == 5
    assert check.wer == 0.6
    assert check.rate == check.wer
    assert check.decides == "words"


@pytest.mark.parametrize("language", ["zh", "zh-Hant", "ja"])
def test_characters_decide_where_they_are_not(language: str) -> None:
    check = rates("今天天气很好。", "今天天汽很好", language)
    assert check.cer == pytest.approx(1 / 6, abs=1e-4)
    assert check.rate == check.cer
    assert check.decides == "characters"


@pytest.mark.parametrize(
    ("language", "reference"),
    [("th", "สวัสดี ครับ"), ("lo", "ສະບາຍດີ"), ("km", "សួស្តី"), ("my", "မင်္ဂလာပါ"), ("ja", "カタカナ")],
)
def test_each_script_without_spaces_is_known_by_itself_too(language: str, reference: str) -> None:
    for named in (language, "en"):
        check = rates(reference, reference[:-1], named)
        assert check.decides == "characters"
        assert 0 < check.rate < 1


def test_a_name_in_another_script_does_not_make_a_text_mixed() -> None:
    text = "The professor who wrote this long and careful letter is called 王明."
    assert rates(text, text).decides == "words"
    assert rates("Today we 今天 learn how it 天气 is.", "").decides == "characters"


def test_nothing_against_nothing_is_equal_and_against_something_is_not() -> None:
    assert rates("", "").rate == 0.0
    assert rates("...", "words").rate == 1.0
    assert rates("two words", "").rate == 1.0


def test_numbers_are_not_touched() -> None:
    assert rates("He has 20 cats", "He has twenty cats").wer == 0.25


WORDS = st.lists(st.text("abcde", min_size=1, max_size=6), min_size=1, max_size=60)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_the_counts_and_rates_are_those_of_jiwer(expected: list[str], found: list[str]) -> None:
    reference, text = " ".join(expected), " ".join(found)
    check = rates(reference, text)
    words = jiwer.process_words(reference, text)
    letters = jiwer.process_characters(reference, text)
    assert check.wer == pytest.approx(words.wer, abs=1e-4)
    assert check.cer == pytest.approx(letters.cer, abs=1e-4)
    for edits, theirs in ((check.words, words), (check.characters, letters)):
        assert edits is not None
        assert (edits.hits, edits.substitutions) == (theirs.hits, theirs.substitutions)
        assert (edits.insertions, edits.deletions) == (theirs.insertions, theirs.deletions)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(), times=st.sampled_from([1, 0, 2]))
def test_windows_give_the_rates_of_jiwer_over_a_whole_text(seed: int, times: int) -> None:
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefgh", k=chance.randrange(1, 7))) for _ in range(300)]
    script = chance.choices(words, k=1200)
    start = chance.randrange(1100)
    read = [*script[:start], *script[start : start + 100] * times, *script[start + 100 :]]
    text = " ".join(chance.choice(words) if chance.random() < 0.05 else word for word in read)

    check, _ = compare(" ".join(script), heard(text), largest=250_000)

    assert check.wer == pytest.approx(jiwer.wer(" ".join(script), text), abs=1e-4)
    least = jiwer.cer(" ".join(script), text)
    if times == 1:
        assert check.cer == pytest.approx(least, abs=1e-4)
    else:  # letters of what was left out could be found here and there in other words
        assert least - 1e-4 <= check.cer <= least + 0.01


def spoken(*segments: tuple[float, float, str], words: bool = False) -> Transcript:
    made = []
    for number, (start, end, text) in enumerate(segments):
        pieces = text.split()
        step = (end - start) / len(pieces)
        timed = [
            Word(start=start + at * step, end=start + (at + 1) * step, text=f" {piece}")
            for at, piece in enumerate(pieces)
        ]
        made.append(
            Segment(id=number, start=start, end=end, text=text, words=timed if words else None)
        )
    whole = " ".join(segment.text for segment in made)
    return Transcript(language="en", text=whole, segments=made, duration=segments[-1][1])


def test_a_difference_says_what_was_expected_and_heard_and_where() -> None:
    reference = "“Good morning,” said the old man. He left at once."
    said = spoken((0.0, 4.0, "Good evening, said the"), (4.0, 8.0, "man. He then left at once"))

    check, differences = compare(reference, said)

    assert check.differences == differences.count == 3
    told = [(each.op, each.expected, each.heard) for each in differences.places]
    assert told == [
        ("substitution", "morning", "evening"),
        ("deletion", "old", ""),
        ("insertion", "", "then"),
    ]
    for each in differences.places:
        assert reference[each.start : each.end] == each.expected
        assert said.text[each.heard_start : each.heard_end] == each.heard
    times = [(each.from_s, each.to_s) for each in differences.places]
    assert times == [(0.0, 4.0), (4.0, 4.0), (4.0, 8.0)]


def test_words_with_times_tell_nearer_where_they_differ() -> None:
    said = spoken(
        (10.0, 14.0, "Good evening said the"), (14.0, 18.0, "man and left then"), words=True
    )
    _, differences = compare("Good morning said the old man and left", said)
    times = [(each.from_s, each.to_s) for each in differences.places]
    assert times == [(11.0, 12.0), (14.0, 14.0), (17.0, 18.0)]


def test_what_is_missing_before_and_behind_all_words_has_a_place_too() -> None:
    said = spoken((2.0, 4.0, "in the middle"), words=True)
    _, differences = compare("First, in the middle, last.", said)
    assert [(each.from_s, each.to_s) for each in differences.places] == [(0.0, 2.0), (4.0, 4.0)]
    assert [(each.start, each.end) for each in differences.places] == [(0, 5), (22, 26)]


def test_a_text_without_times_differs_all_the_same() -> None:
    _, differences = compare("one two", heard("one too"))
    assert [(each.heard, each.from_s) for each in differences.places] == [("too", None)]


def test_of_very_many_differences_the_first_are_kept(monkeypatch) -> None:
    monkeypatch.setattr(checking, "MOST_PLACES", 3)
    check, differences = compare("a x b x c x d x e", heard("a y b y c y d y e"))
    assert check.differences == differences.count == 4
    assert len(differences.places) == 3
