"""Twenty minutes of talk, subtitled in Chinese, Japanese and German: read by two libraries each,
and within every limit of the language."""

from __future__ import annotations

import random
from bisect import bisect_right
from itertools import pairwise

import pytest
from test_render import Read, with_libav, with_pysubs2, with_srt, with_webvtt

from demo.grammar import sentences
from services.model.transcript import Segment, Transcript
from task_manager.render import CueStyle, Shown, render
from task_manager.render.columns import width
from task_manager.render.limits import COMMON, READING

TALK_S = 20 * 60
STYLE = CueStyle()
TARGETS = ("zh", "ja", "de")


@pytest.fixture(scope="module")
def talk() -> dict[str, Transcript]:
    """Sentences of the demo's grammar, one to three in a segment, spoken at 150 words a minute
    with pauses; each language with the times of the English one."""
    chance = random.Random(20)
    spoken = sentences(400, seed=20, held_out=True)
    segments: dict[str, list[Segment]] = {language: [] for language in ("en", *TARGETS)}
    now = 0.4
    while now < TALK_S - 20:
        said = [spoken.pop() for _ in range(chance.choice([1, 1, 2, 3]))]
        long = sum(len(each.text("en").split()) for each in said) / 2.5
        for language, own in segments.items():
            joint = "" if language in {"zh", "ja"} else " "
            text = joint.join(each.text(language) for each in said)
            own.append(Segment(id=len(own), start=now, end=now + long, text=text))
        now += long + chance.choice([0.0, 0.2, 0.6, 2.5])
    return {
        language: Transcript(language=language, text="", segments=own, duration=TALK_S)
        for language, own in segments.items()
    }


READERS = {
    "srt": (with_srt, lambda text: with_libav(text, "srt"), lambda text: with_pysubs2(text, "srt")),
    "vtt": (with_webvtt, lambda text: with_libav(text, "vtt")),
    "ass": (lambda text: with_pysubs2(text, "ass"), lambda text: with_libav(text, "ass")),
}


def could_be_read(cue: Read, talk: Transcript) -> bool:
    """Whether there was time enough for all that was said with it, up to what was said next."""
    starts = [each.start for each in talk.segments]
    number = bisect_right(starts, cue.start / 1000 + 0.02) - 1
    segment, following = talk.segments[number], [*talk.segments, None][number + 1]
    until = TALK_S if following is None else following.start - STYLE.min_gap
    pieces = width(segment.text) // 26 + 1  # at most, and a gap behind each
    seconds = min(until, segment.end + 1) - segment.start - pieces * STYLE.min_gap
    return width(segment.text) / seconds < 0.95 * READING.get(talk.language, COMMON).max_cps


def assert_within_limits(found: list[Read], talk: Transcript) -> None:
    reading = READING.get(talk.language, COMMON)
    assert found[0].start >= 0
    assert found[-1].end <= TALK_S * 1000
    too_fast = 0
    for cue in found:
        lines = cue.text.split("\n")
        seconds = (cue.end - cue.start) / 1000
        assert len(lines) <= STYLE.max_lines
        assert all(0 < width(line) <= reading.max_width for line in lines)
        fast = sum(map(width, lines)) / seconds > reading.max_cps * 1.02
        assert not fast or not could_be_read(cue, talk)
        too_fast += fast
        assert STYLE.min_duration - 0.02 <= seconds <= STYLE.max_duration + 0.01
    gaps = [two.start - one.end for one, two in pairwise(found)]
    assert all(gap >= STYLE.min_gap * 1000 - 10 for gap in gaps)
    assert too_fast <= {"zh": 0, "ja": 20, "de": 0}[talk.language]


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("language", TARGETS)
def test_its_subtitles_are_valid_and_inside_the_limits(talk, language, form) -> None:
    written = render(talk[language], form)
    first, *others = (read(written) for read in READERS[form])
    assert all(other == first for other in others)
    assert_within_limits(first, talk[language])
    shown = "".join(cue.text for cue in first)
    said = "".join(each.text for each in talk[language].segments)
    assert "".join(shown.split()) == "".join(said.split())


@pytest.mark.parametrize("language", TARGETS)
def test_with_the_source_below_both_languages_hold_their_limits(talk, language) -> None:
    written = render(Shown((talk[language], talk["en"])), "vtt")
    widest = {name: READING.get(name, COMMON).max_width for name in (language, "en")}
    for cue in with_webvtt(written):
        above, _, below = cue.text.partition("\n<lang en>")
        lines = {language: above.split("\n"), "en": below.removesuffix("</lang>").split("\n")}
        for name, own in lines.items():
            assert 1 <= len(own) <= STYLE.max_lines
            assert all(0 < width(line) <= widest[name] for line in own)
