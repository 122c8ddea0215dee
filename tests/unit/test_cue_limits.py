"""What holds for every cue, whatever was said and however fast."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from spoken import STYLES, hostile_transcripts, likely_transcripts, transcript

from services.model.transcript import Segment, Transcript, Word
from task_manager.render import CueStyle, Shown
from task_manager.render.columns import width
from task_manager.render.cues import cues

ANY = hostile_transcripts(channels=True) | likely_transcripts(channels=True)
NEAR = 1e-6
SHORTEST_S = 0.02


def of(text: Transcript, style: CueStyle | None = None):
    return cues(Shown((text,)), style or CueStyle())


def shown(text: Transcript, style: CueStyle | None = None) -> list[list[str]]:
    return [list(cue.texts[0]) for cue in of(text, style)]


def times(text: Transcript, style: CueStyle | None = None) -> list[tuple[float, float]]:
    return [(round(cue.start, 3), round(cue.end, 3)) for cue in of(text, style)]


@given(ANY, STYLES)
def test_no_cue_is_wider_or_higher_than_asked(text, style) -> None:
    widest = style.reading(text.language).max_width
    for cue in of(text, style):
        (lines,) = cue.texts
        assert 1 <= len(lines) <= style.max_lines
        assert all(0 < width(line) <= widest for line in lines)


@given(ANY, STYLES)
def test_cues_come_one_after_another_and_each_is_there_for_a_while(text, style) -> None:
    found = of(text, style)
    assert all(cue.end - cue.start >= SHORTEST_S - NEAR for cue in found)
    assert all(one.end <= two.start + NEAR for one, two in pairwise(found))
    assert all(0 <= cue.start for cue in found)


@given(ANY, STYLES)
def test_no_cue_stays_for_longer_than_asked(text, style) -> None:
    assert all(cue.end - cue.start <= style.max_duration + NEAR for cue in of(text, style))


@given(ANY, STYLES)
def test_a_cue_is_slow_enough_and_long_enough_or_says_that_it_is_not(text, style) -> None:
    fastest = style.reading(text.language).max_cps
    for cue in of(text, style):
        seconds = cue.end - cue.start
        reading = sum(map(width, cue.texts[0])) / fastest
        assert ("too_fast" in cue.flags) == (reading > seconds + 0.01)
        assert ("too_short" in cue.flags) == (style.min_duration > seconds + 0.01)


@given(ANY, STYLES)
def test_cues_begin_with_the_first_word_and_none_comes_much_later_than_its_words(
    text, style
) -> None:
    found = of(text, style)
    if found:
        first = min(each.start for each in text.segments)
        last = max(each.end for each in text.segments)
        assert found[0].start >= first - NEAR
        crowded = SHORTEST_S * len(found)
        assert found[-1].start <= last + 2.0 + crowded
        longest = max(style.max_duration, style.min_duration)
        assert found[-1].end <= found[-1].start + longest + NEAR


@given(likely_transcripts(), STYLES)
def test_a_gap_is_left_between_two_cues_where_there_is_time_for_one(text, style) -> None:
    for one, two in pairwise(of(text, style)):
        room = two.start - one.start
        assert two.start - one.end >= min(style.min_gap, room / 4, room - SHORTEST_S) - NEAR


def test_no_cue_stays_on_beyond_the_end_of_the_audio() -> None:
    text = transcript((0, 0.3, "Well, goodbye then, and thanks for all the fish."), duration=1.0)
    assert times(text) == [(0, 1.0)]
    beyond = transcript((0, 3, "Said beyond the end."), duration=2.0)
    assert times(beyond) == [(0, 3)]


def test_a_long_sentence_becomes_cues_that_end_where_its_clauses_do() -> None:
    said = (
        "Well, the thing about subtitles is that they are read by people who also want to see the "
        "picture, and so every line should be short, balanced and end where a phrase ends."
    )
    text = transcript((10, 22, said))
    assert [cue[-1][-1] for cue in shown(text)][1:] == [",", "."]
    assert shown(text)[-1][0].startswith("and so every line")


def test_the_times_of_words_say_when_a_cue_is_cut() -> None:
    said = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    starts = [0, 0.5, 1, 1.5, 5, 5.5, 6, 6.5]
    words = [Word(start=s, end=s + 0.4, text=f" {w}") for s, w in zip(starts, said, strict=True)]
    segment = Segment(id=0, start=0, end=7, text=" ".join(said), words=words)
    text = Transcript(language="en", text=segment.text, segments=[segment])
    style = CueStyle(max_width=20, max_lines=1, max_duration=4)
    assert shown(text, style) == [["one two three four"], ["five six seven eight"]]
    assert times(text, style) == [(0, 1.9), (5, 7)]
    blind = text.model_copy(update={"segments": [segment.model_copy(update={"words": None})]})
    assert times(blind, style)[1][0] == 3.41


def test_words_that_are_another_text_than_the_segment_are_not_trusted() -> None:
    words = [Word(start=6, end=7, text=" other"), Word(start=7, end=8, text=" words")]
    segment = Segment(id=0, start=0, end=8, text="Something else was said here.", words=words)
    text = Transcript(language="en", text=segment.text, segments=[segment])
    assert next(iter(times(text, CueStyle(max_width=16, max_lines=1))))[0] == 0


def test_a_cue_that_is_too_fast_stays_until_the_next_one() -> None:
    style = CueStyle(max_cps=5, min_gap=0)
    spoken = transcript((0, 1, "a" * 20), (3, 4, "b" * 20), (10, 11, "c" * 5))
    assert times(spoken, style) == [(0, 3), (3, 7), (10, 11)]


def test_a_short_gap_is_closed_to_the_least_one_and_a_long_one_is_left() -> None:
    spoken = transcript((0, 2, "One."), (2.3, 4, "Two."), (5, 7, "Three."))
    assert times(spoken) == [(0, 2.217), (2.3, 4), (5, 7)]


def test_words_that_would_flash_by_are_shown_together() -> None:
    spoken = transcript((0, 0.3, "Yes."), (0.3, 0.6, "No."), (0.7, 2, "Perhaps."), (9, 9.1, "Ah."))
    assert shown(spoken) == [["Yes. No."], ["Perhaps."], ["Ah."]] or shown(spoken) == [
        ["Yes. No. Perhaps."], ["Ah."],
    ]  # fmt: skip
    assert shown(transcript((0, 0.3, "はい。"), (0.3, 2, "そうです。"), language="ja")) == [
        ["はい。そうです。"]
    ]
    assert times(spoken)[-1] == (9, 9.833)


def test_a_slow_word_is_not_torn_to_fill_its_time() -> None:
    assert shown(transcript((0, 30, "你好"), language="zh")) == [["你好"]]
    assert times(transcript((0, 30, "你好"), language="zh")) == [(0, 7)]


def test_two_who_talk_at_once_are_shown_one_after_the_other() -> None:
    said = ["I was just about to say that", "No, no, let me tell it this time"]
    segments = [Segment(id=n, start=0, end=4, text=text, channel=n) for n, text in enumerate(said)]
    text = Transcript(language="en", text=" ".join(said), segments=segments)
    assert shown(text) == [[said[0]], [said[1]]]
    (_, first_end), (second, end) = times(text)
    assert first_end < second <= 1.0
    assert end == 4


def test_a_thousand_segments_at_one_moment_still_come_in_order() -> None:
    text = transcript(
        *((5.0, 5.0, f"Segment {n} says something of some length") for n in range(1000))
    )
    found = of(text)
    assert all(one.end <= two.start + NEAR for one, two in pairwise(found))
    assert sum("says" in line for cue in found for line in cue.texts[0]) >= 500


def test_a_text_without_any_space_or_stop_is_cut_and_kept_whole() -> None:
    long = transcript((0, 3600, "长" * 20_000), (3600, 3700, "a" * 20_000), language="zh")
    lines = [line for cue in of(long) for line in cue.texts[0]]
    assert "".join(lines) == "长" * 20_000 + "a" * 20_000
    assert max(map(width, lines)) <= 32
