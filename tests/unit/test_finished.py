"""Sentences that are told early are whole, and are those that the whole transcript is cut into."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.model.transcript import Segment
from services.sentences import of_segments
from whisper_worker.finished import AT_ONCE, EVERY_S, LONGEST_WAIT, Batches, Finished, _is_open

SAID = {
    "en": [
        "The farmer is playing the violin.", "Mr. Smith went home.", "Who is it?", "No!",
        'He said "Stop. Go home." and left.', "It's late.", "She (the cook. Not he.) slept.",
        "He came at 5 p.m. on Monday.", "Version 2.5 is out.", "Wait... what?", "See e.g. the box.",
        "“One. Two.” was all.", "the black bird",
    ],
    "zh": ["房子比博物馆更大。", "他说：“走吧。快点。”", "你好！", "他买了玫瑰。", "谁"],
    "ja": ["「行こう。」と彼は言った。", "雨です。", "「はい。」", "もう一度"],
    "de": ["Am 3. Mai kam er.", "Das ist z. B. gut.", "„Halt. Komm.“ rief er.", "Nein!"],
}  # fmt: skip

PAUSES = st.sampled_from([0.0, 0.0, 0.4, 3.0])


@st.composite
def heard(draw) -> tuple[str, list[Segment]]:
    """Sentences, cut into segments anywhere between two words, with a long pause here and there,
    but within no quotation or bracket."""
    language = draw(st.sampled_from(sorted(SAID)))
    spaced = language in {"en", "de"}
    said = draw(st.lists(st.sampled_from(SAID[language]), min_size=1, max_size=9))
    words = " ".join(said).split() if spaced else list("".join(said))
    cuts = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    pieces: list[list[str]] = [[]]
    for word, cut in zip(words, cuts, strict=True):
        if cut and pieces[-1]:
            pieces.append([])
        pieces[-1].append(word)
    at, segments = 0.0, []
    for number, piece in enumerate(pieces):
        before = "".join(each.text for each in segments)
        at += draw(st.sampled_from([0.0, 0.4])) if _is_open(before) else draw(PAUSES)
        text = (" " if spaced else "").join(piece)
        segments.append(Segment(id=number, start=at, end=at + 1.0, text=text))
        at += 1.0
    return language, segments


def told(language: str, segments: list[Segment]) -> list[Segment]:
    finished = Finished(language)
    return [sentence for each in segments for sentence in finished.hear([each])]


@given(heard())
def test_whatever_the_cuts_what_is_told_are_the_first_sentences_of_the_whole(found) -> None:
    language, segments = found
    whole = [each.text for each in of_segments(segments, language)]
    early = [each.text for each in told(language, segments)]
    assert early == whole[: len(early)]
    assert len(early) < len(whole)  # the last is told by nobody: more of it may come


@given(heard())
def test_they_are_numbered_and_go_from_word_to_word_in_time(found) -> None:
    language, segments = found
    early = told(language, segments)
    assert [each.id for each in early] == list(range(len(early)))
    times = [segments[0].start, *(time for each in early for time in (each.start, each.end))]
    assert all(b >= a - 1e-6 for a, b in pairwise(times))
    assert times[-1] <= segments[-1].end


def line(text: str, at: float = 0.0) -> Segment:
    return Segment(id=0, start=at, end=at + 1, text=text)


def test_a_sentence_that_a_segment_cuts_in_two_waits_for_its_end_and_the_next_begin() -> None:
    finished = Finished("en")
    assert finished.hear([line("The farmer is playing", 0)]) == []
    assert finished.hear([line("the violin.", 1)]) == []
    (whole,) = finished.hear([line("The black", 2)])
    assert (whole.text, whole.start, whole.end) == ("The farmer is playing the violin.", 0, 2)


def test_a_long_pause_ends_a_sentence_without_a_stop() -> None:
    finished = Finished("en")
    assert finished.hear([line("so far so good", 0)]) == []
    assert [each.text for each in finished.hear([line("and now", 10)])] == ["so far so good"]


def test_speech_that_never_closes_its_quotation_is_let_go_of_and_no_half_of_it_is_told() -> None:
    finished = Finished("en")
    early = finished.hear([line('He said "Go.')])
    for number in range(LONGEST_WAIT // 20):
        early += finished.hear([line("it ends here. And then", number + 1)])
    assert early
    assert {each.text for each in early} == {"And then it ends here."}


def test_the_first_sentence_goes_out_at_once_and_the_others_together() -> None:
    batches, some = Batches(), [line("One."), line("Two.")]
    assert batches.take([], 0.0) == []
    assert batches.take(some[:1], 1.0) == some[:1]
    assert batches.take(some, 2.0) == []
    assert batches.take([], 1.0 + EVERY_S) == some
    many = [line("Many.")] * AT_ONCE
    assert batches.take(many, 1.5 + EVERY_S) == many
