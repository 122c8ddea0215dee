"""From what an engine heard to sentences: none of the words is lost, doubled or moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.transcript import Alternative, Segment, Word
from whisper_worker.recut import LONGEST, LONGEST_S, PAUSE_S, Sentences


def words(text: str, start: float = 0.0, *, each: float = 0.4, gap: float = 0.1) -> list[Word]:
    """As Whisper gives them: a space in front where the script has spaces."""
    pieces = [f" {word}" for word in text.split()] if " " in text or text.isascii() else list(text)
    return [
        Word(start=start + n * (each + gap), end=start + n * (each + gap) + each, text=piece)
        for n, piece in enumerate(pieces)
    ]


def segment(text: str, start: float = 0.0, **more: object) -> Segment:
    said = words(text, start)
    about = {"words": said, "start": said[0].start, "end": said[-1].end, **more}
    return Segment.model_validate({"id": 0, "text": text, **about})


def recut(*segments: Segment, language: str = "en") -> list[Segment]:
    sentences = Sentences(language)
    return [*(each for one in segments for each in sentences.hear(one)), *sentences.rest()]


def texts(*segments: Segment, language: str = "en") -> list[str]:
    return [each.text for each in recut(*segments, language=language)]


def test_thirty_seconds_become_sentences_with_the_times_of_their_words() -> None:
    first, second = recut(segment("One two. Three four five.", 10.0))
    assert (first.text, first.start, first.end) == ("One two.", 10.0, 10.9)
    assert (second.text, second.start, second.end) == ("Three four five.", 11.0, 12.4)
    assert [word.text for word in second.words] == [" Three", " four", " five."]


def test_a_sentence_that_windows_tore_is_whole_again() -> None:
    assert texts(segment("One"), segment("two", 0.5), segment("three. Four.", 1.0)) == [
        "One two three.",
        "Four.",
    ]


def test_a_sentence_is_held_back_until_it_is_whole() -> None:
    sentences = Sentences("en")
    assert sentences.hear(segment("One. Two")) != []
    assert sentences.hear(segment("three", 1.0)) == []
    [whole] = sentences.hear(segment("four.", 1.5))
    assert whole.text == "Two three four."
    assert sentences.rest() == []


def test_a_long_pause_ends_what_nobody_finished() -> None:
    late = 0.9 + PAUSE_S
    assert texts(segment("One two"), segment("three", late + 0.01)) == ["One two", "three"]
    assert texts(segment("One two"), segment("three", late - 0.01)) == ["One two three"]


@pytest.mark.parametrize(
    ("text", "language", "count"),
    [
        ("Dr. Smith met Mr. J. Jones. They left.", "en", 2),
        ("He came at 5 p.m. and left. So be it.", "en", 2),
        ("He came at 5 p.m. Then he left.", "en", 2),
        ("Apples, pears etc. are fine.", "en", 1),
        ("It cost 3.50 in 1999. That was much.", "en", 2),
        ("Am 3. Mai kam er, z.B. Montag. Gut.", "de", 2),
        ("He asked “why?” and left. Why?", "en", 2),
        ("She said “no.” Then nothing…", "en", 2),
        ("Wait... what? No!", "en", 2),
        ("It was I. You know.", "en", 2),
        ("我看书。你呢？好", "zh", 3),
        ("「行く。」と言った。", "ja", 1),
        ("¿Qué? ¡No! Sí.", "es", 3),
    ],
)
def test_a_sentence_ends_where_a_reader_says_so(text: str, language: str, count: int) -> None:
    found = texts(segment(text), language=language)
    assert len(found) == count, found
    assert ("" if language in {"zh", "ja"} else " ").join(found) == text


def test_what_is_too_long_is_cut_behind_a_clause() -> None:
    text = "word " * 18 + "clause, " + "word " * 30
    first, *_ = texts(segment(text.strip()))
    assert first.endswith("clause,")


def test_what_is_too_long_and_has_no_clause_is_cut_in_its_longest_pause() -> None:
    said = words("word " * 40)
    later = [w.model_copy(update={"start": w.start + 1, "end": w.end + 1}) for w in said[20:]]
    whole = Segment(id=0, text="", words=[*said[:20], *later])
    assert len(recut(whole)[0].words) == 20


def test_a_segment_without_words_goes_through_in_its_place() -> None:
    bare = Segment(id=0, start=5.0, end=6.0, text="Bare.")
    assert texts(segment("One"), bare, segment("two.", 7.0)) == ["One", "Bare.", "two."]


def test_two_languages_are_never_one_sentence() -> None:
    found = recut(segment("One", language="en"), segment("一。", 0.5, language="zh"))
    assert [(each.text, each.language) for each in found] == [("One", "en"), ("一。", "zh")]


def test_a_sentence_knows_how_sure_its_words_are() -> None:
    said = words("One two.")
    sure = [w.model_copy(update={"probability": p}) for w, p in zip(said, (0.5, 1.0), strict=True)]
    whole = Segment(id=3, text="One two.", words=sure, avg_logprob=-2.0, temperature=0.2)
    [found] = recut(whole)
    assert (found.confidence, found.avg_logprob, found.temperature) == (0.75, -2.0, 0.2)
    one = segment("One", avg_logprob=-1.0, no_speech_prob=0.1, temperature=0.0)
    two = segment("two.", 0.5, avg_logprob=-2.0, no_speech_prob=0.3, temperature=0.4)
    [blended] = recut(one, two)
    known = (blended.avg_logprob, blended.no_speech_prob, blended.temperature)
    assert known == (-1.5, 0.3, 0.4)


def other(text: str) -> list[Alternative]:
    return [Alternative(text=text, avg_logprob=-0.5)]


def test_another_reading_stays_whole_with_the_times_of_what_it_is_a_reading_of() -> None:
    first, second = recut(segment("One two. Three four.", 10.0, alternatives=other("Won too free")))
    (found,) = first.alternatives
    assert (found.text, found.start, found.end) == ("Won too free", 10.0, 11.9)
    assert second.alternatives is None


def test_a_sentence_of_several_segments_has_the_other_readings_of_each() -> None:
    one = segment("One", alternatives=other("Won"))
    two = segment("two. Three", 0.5, alternatives=other("too tree"))
    three = segment("four.", 1.5, alternatives=other("for"))
    first, second = recut(one, two, three)
    assert [(a.text, a.start, a.end) for a in first.alternatives] == [
        ("Won", 0.0, 0.4),
        ("too tree", 0.5, 1.4),
    ]
    assert [(a.text, a.start, a.end) for a in second.alternatives] == [("for", 1.5, 1.9)]


_WORDS = st.sampled_from(
    [" a", " b,", " c.", " D.", " Mr.", " etc.", " E!", " “f?”", " 3.", "好", "吗？", " x" * 30]
)
_SEGMENTS = st.lists(st.tuples(_WORDS, st.floats(0, 3), st.floats(0, 9)), max_size=12)


@given(st.lists(_SEGMENTS, max_size=8), st.sampled_from(["en", "de", "zh"]))
def test_every_word_comes_out_once_and_in_order(
    heard: list[list[tuple[str, float, float]]], language: str
) -> None:
    position = 0.0
    spoken: list[Word] = []
    segments: list[Segment] = []
    for number, each in enumerate(heard):
        said = []
        for text, gap, length in each:
            said.append(Word(start=position + gap, end=position + gap + length, text=text))
            position += gap + length
        spoken += said
        segments.append(Segment(id=number, start=0, end=0, text="?", words=said or None))
    found = [each for each in recut(*segments, language=language) if each.words]
    assert [word for sentence in found for word in sentence.words or []] == spoken
    for sentence in found:
        its = sentence.words or []
        assert sentence.text == "".join(word.text for word in its).strip()
        assert (sentence.start, sentence.end) == (its[0].start, its[-1].end)
        if len(its) > 1:
            assert sum(len(word.text) for word in its) <= LONGEST
            assert its[-1].end - its[0].start <= LONGEST_S
