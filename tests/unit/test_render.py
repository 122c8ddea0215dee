"""Subtitles as players read them: parsed again by strict readers of the published formats."""

from __future__ import annotations

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.errors import Invalid
from services.model.transcript import Segment, Transcript
from task_manager.render import CueStyle, render
from task_manager.render.lines import clean, width, wrap

HOSTILE = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            [
                "-->",
                "\n\n",
                "\r",
                "&",
                "<c>",
                "</i>",
                "{\\an8}",
                "\\N",
                "1",
                "NOTE",
                "STYLE",
                "00:00:00.000 --> 00:00:01.000",
                "中文",
                "。",
                "「",
                "」",
                "a b",
                "\x00",
                "\u2028",
                "👩‍👩‍👧",
                "e\u0301",
                "WEBVTT",
                "ก็",
                " ",
            ]
        ),
        max_size=30,
    ).map("".join),
)
TIMES = st.floats(min_value=0, max_value=400_000, allow_nan=False)
SPOKEN = st.lists(HOSTILE, max_size=5).flatmap(
    lambda texts: st.lists(TIMES, min_size=2 * len(texts), max_size=2 * len(texts)).map(
        lambda times: list(zip(sorted(times)[::2], sorted(times)[1::2], texts, strict=True))
    )
)
STYLES = st.builds(
    CueStyle,
    max_width=st.integers(4, 60),
    max_lines=st.integers(1, 3),
    max_cps=st.none() | st.floats(1, 40),
)

SRT_TIME = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d),(\d{3})")
VTT_TIME = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")


def transcript(*segments: tuple[float | None, float | None, str], language: str = "en"):
    return Transcript(
        language=language,
        text=" ".join(text for _, _, text in segments),
        segments=[
            Segment(id=number, start=start, end=end, text=text)
            for number, (start, end, text) in enumerate(segments)
        ],
    )


def milliseconds(pattern: re.Pattern[str], clock: str) -> int:
    hours, minutes, seconds, rest = map(int, pattern.fullmatch(clock).groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def read_blocks(text: str, pattern: re.Pattern[str]):
    """The cues of a body: blocks apart by one blank line, a time line, then text."""
    assert text.endswith("\n")
    for block in text[:-1].split("\n\n"):
        lines = block.removesuffix("\n").split("\n")
        start, end = lines[0].split(" --> ")
        assert len(lines) > 1
        assert all(line.strip() and "-->" not in line for line in lines[1:])
        yield milliseconds(pattern, start), milliseconds(pattern, end), lines[1:]


def read_srt(text: str):
    numbered = re.sub(r"(?:\A|(?<=\n\n))(\d+)\n(?=\d{2,}:)", "", text)
    return list(read_blocks(numbered, SRT_TIME)) if text else []


def read_vtt(text: str):
    head, _, body = text.partition("\n\n")
    assert head.rstrip("\n") == "WEBVTT"
    cues = list(read_blocks(body, VTT_TIME)) if body else []
    assert not any(re.search(r"[<>]|&(?!amp;|lt;|gt;)", line) for _, _, ls in cues for line in ls)
    return [(start, end, [html.unescape(line) for line in lines]) for start, end, lines in cues]


def words(text: str) -> str:
    return "".join(text.split())


@given(SPOKEN, STYLES)
def test_hostile_text_comes_back_from_vtt_whole(spoken, style) -> None:
    cues = read_vtt(render(transcript(*spoken), "vtt", style))
    shown = "".join(line for _, _, lines in cues for line in lines)
    assert words(shown) == words("".join(clean(text) for _, _, text in spoken))


@given(st.lists(st.tuples(TIMES, TIMES, HOSTILE), max_size=5), STYLES)
def test_hostile_text_cannot_break_srt(parts, style) -> None:
    ordered = sorted((min(a, b), max(a, b), text) for a, b, text in parts)
    cues = read_srt(render(transcript(*ordered), "srt", style))
    assert all(start < end and len(lines) <= style.max_lines for start, end, lines in cues)
    assert [start for start, _, _ in cues] == sorted(start for start, _, _ in cues)


@given(HOSTILE, STYLES)
def test_hostile_text_makes_whole_ass_events(text, style) -> None:
    written = render(transcript((0, 5, text)), "ass", style)
    events = written.partition("[Events]\n")[2].splitlines()[1:]
    assert all(re.match(r"Dialogue: 0,\d+:\d\d:\d\d\.\d\d,", event) for event in events)
    assert all(not re.search(r"(?<!\\)[{}]", event) for event in events)


@given(HOSTILE, st.integers(2, 60))
def test_no_line_is_wider_than_asked_and_no_word_is_lost(text, max_width) -> None:
    lines = wrap(text, max_width)
    assert words("".join(lines)) == words(clean(text))
    assert all(width(line) <= max_width and line.strip() == line for line in lines)


def test_a_cue_looks_as_it_should() -> None:
    spoken = transcript((0.5, 2.25, "Hello there."), (3.0, 4.0, "Salt & <pepper>"))
    assert render(spoken, "srt") == (
        "1\n00:00:00,500 --> 00:00:02,250\nHello there.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nSalt & <pepper>\n"
    )
    assert render(spoken, "vtt") == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.250\nHello there.\n\n"
        "00:00:03.000 --> 00:00:04.000\nSalt &amp; &lt;pepper&gt;\n"
    )
    assert render(spoken, "ass").endswith(
        "Dialogue: 0,0:00:00.50,0:00:02.25,Default,,0,0,0,,Hello there.\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Salt & <pepper>\n"
    )
    assert render(spoken, "txt") == "Hello there.\nSalt & <pepper>\n"
    assert Transcript.model_validate_json(render(spoken, "json")) == spoken


def test_more_than_99_hours_have_three_digits() -> None:
    assert "100:00:00,000 --> 100:00:01,000" in render(transcript((36e4, 36e4 + 1, "x")), "srt")
    assert "100:00:00.000 --> 100:00:01.000" in render(transcript((36e4, 36e4 + 1, "x")), "vtt")


def test_times_are_rounded_without_a_sixtieth_second() -> None:
    assert "00:00:59,999 --> 00:02:00,000" in render(transcript((59.9994, 119.9996, "x")), "srt")


def test_chinese_counts_two_columns_and_breaks_anywhere_but_before_a_stop() -> None:
    text = "今天天气很好，我们一起去公园散步吧，然后再去吃晚饭，最后回家睡觉。"
    lines = wrap(text, 20)
    assert "".join(lines) == text
    assert all(width(line) <= 20 for line in lines)
    assert not any(line[0] in "，。" for line in lines)


def test_an_opening_bracket_does_not_end_a_line() -> None:
    assert wrap("他说「好」", 6) == ["他说", "「好」"]


def test_english_breaks_at_spaces_into_even_lines() -> None:
    assert wrap("one two three four five six", 20) == ["one two three", "four five six"]


def test_a_word_that_is_too_long_is_cut_and_a_family_is_not() -> None:
    assert wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("👩‍👩‍👧", 10) == ["👩‍👩‍👧"]


def test_a_long_segment_becomes_several_cues_that_share_its_time() -> None:
    style = CueStyle(max_width=10, max_lines=1)
    cues = read_srt(render(transcript((10, 14, "aaaa bbbb cccc dddd")), "srt", style))
    assert cues == [(10_000, 12_000, ["aaaa bbbb"]), (12_000, 14_000, ["cccc dddd"])]


def test_a_cue_that_is_too_fast_stays_until_the_next_one() -> None:
    spoken = transcript((0, 1, "a" * 20), (3, 4, "b" * 20), (10, 11, "c" * 5))
    cues = read_srt(render(spoken, "srt", CueStyle(max_cps=5)))
    assert [(start, end) for start, end, _ in cues] == [(0, 3000), (3000, 7000), (10_000, 11_000)]


def test_blank_segments_make_no_cue() -> None:
    assert read_vtt(render(transcript((0, 1, " "), (1, 2, "x"), (2, 3, "\n")), "vtt")) == [
        (1000, 2000, ["x"])
    ]
    assert render(transcript(), "srt") == ""
    assert render(transcript(), "vtt") == "WEBVTT\n"


@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_a_text_that_nobody_spoke_has_no_cues(form) -> None:
    with pytest.raises(Invalid, match="txt or json") as refused:
        render(transcript((None, None, "Only written.")), form)
    assert refused.value.code == "no_times"


def test_a_text_that_nobody_spoke_can_be_read() -> None:
    written = transcript((None, None, "Only written."))
    assert render(written, "txt") == "Only written.\n"
    assert json.loads(render(written, "json"))["segments"][0]["start"] is None
    assert render(Transcript(language="zh", text="一\n二", segments=[]), "txt") == "一\n二\n"
    assert render(Transcript(language="zh", text="", segments=[]), "txt") == ""
