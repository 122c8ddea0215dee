"""Subtitles as players read them: parsed again by libraries that are not ours."""

from __future__ import annotations

import html
import io
import json
import re
from dataclasses import dataclass, replace

import av
import pysubs2
import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st
from spoken import STYLES, hostile_transcripts, likely_transcripts, transcript

from services.model.errors import Invalid
from services.model.transcript import Segment, Transcript
from task_manager.render import CueStyle, Shown, render
from task_manager.render.columns import clean

ONE_OR_TWO = st.tuples(hostile_transcripts(channels=True)) | st.tuples(
    hostile_transcripts(channels=True), likely_transcripts(channels=True)
)
WORD_JOINER = "\u2060"


@dataclass(frozen=True)
class Read:
    """A cue as a library reads it, in milliseconds."""

    start: int
    end: int
    text: str


def with_srt(text: str) -> list[Read]:
    def ms(time) -> int:
        return round(time.total_seconds() * 1000)

    return [Read(ms(each.start), ms(each.end), each.content) for each in srt.parse(text)]


def with_pysubs2(text: str, form: str) -> list[Read]:
    kept = {} if form == "ass" else {"keep_html_tags": True}
    return [
        Read(each.start, each.end, each.text.replace("\\N", "\n"))  # without blanks at its ends
        for each in pysubs2.SSAFile.from_string(text, format_=form, **kept)
    ]


def with_webvtt(text: str) -> list[Read]:
    def ms(stamp) -> int:
        return ((stamp.hours * 60 + stamp.minutes) * 60 + stamp.seconds) * 1000 + stamp.milliseconds

    read = webvtt.from_string(text)
    assert (read.styles, read.header_comments, read.footer_comments) == ([], [], [])
    return [Read(ms(c.start_time), ms(c.end_time), c.raw_text) for c in read.captions]


def with_libav(text: str, form: str) -> list[Read]:
    """What FFmpeg's demuxer takes for cues, before it decodes them."""
    name = {"vtt": "webvtt"}.get(form, form)
    with av.open(io.BytesIO(text.encode()), format=name) as file:
        stream = file.streams.subtitles[0]
        unit = round(1000 * stream.time_base)
        packets = [packet for packet in file.demux(stream) if packet.size]
        payloads = [bytes(packet).decode() for packet in packets]
        if form == "ass":
            payloads = [each.split(",", 8)[8].replace("\\N", "\n") for each in payloads]
        return [
            Read(p.pts * unit, (p.pts + p.duration) * unit, payload)
            for p, payload in zip(packets, payloads, strict=True)
        ]


def names_times(cues: list[Read]) -> bool:
    """Whether some text holds two times, which pysubs2 takes for a cue, arrow or none."""
    return any(len(pysubs2.time.TIMESTAMP.findall(each.text)) > 1 for each in cues)


def plain(text: str) -> str:
    """Without white space, and without the sign by which we keep others apart."""
    return "".join(text.split()).replace(WORD_JOINER, "")


def untagged(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", text))


def unbraced(text: str) -> str:
    return text.replace(r"{\rSecond}", "").replace(r"\{{}", "{")


def said(texts) -> list[str]:
    """All that can be seen, channel by channel, in no order across the two languages."""
    return sorted(plain("".join(clean(each.text) for text in texts for each in text.segments)))


@given(ONE_OR_TWO, STYLES)
def test_srt_is_read_whole_by_three_libraries(texts, style) -> None:
    written = render(Shown(texts), "srt", style)
    cues = with_srt(written)
    assert with_libav(written, "srt") == cues if written else True
    if not names_times(cues):
        times = [(c.start, c.end) for c in cues]
        assert [(c.start, c.end) for c in with_pysubs2(written, "srt")] == times
    assert sorted(plain("".join(c.text for c in cues))) == [
        c for c in said(texts) if c != WORD_JOINER
    ]
    assert not any(sign in c.text for c in cues for sign in ("-->", "<script", "</", "{\\"))


@given(ONE_OR_TWO, STYLES)
def test_vtt_is_read_whole_by_three_libraries(texts, style) -> None:
    written = render(Shown(texts), "vtt", style)
    cues = with_webvtt(written)
    libav = with_libav(written, "vtt")
    assert [(c.start, c.end, c.text) for c in libav] == [(c.start, c.end, c.text) for c in cues]
    if not names_times(cues):
        times = [(c.start, c.end) for c in cues]
        assert [(c.start, c.end) for c in with_pysubs2(written, "vtt")] == times
    assert sorted(plain(untagged("".join(c.text for c in cues)))) == [
        c for c in said(texts) if c != WORD_JOINER
    ]
    tags = {tag for c in cues for tag in re.findall(r"<(.*?)>", c.text)}
    assert tags <= {"v Channel 1", "v Channel 2", f"lang {texts[-1].language}", "/lang"}
    assert not any(re.search(r"&(?!amp;|lt;|gt;)", c.text) for c in cues)


@given(ONE_OR_TWO, STYLES)
def test_ass_is_read_whole_by_two_libraries(texts, style) -> None:
    written = render(Shown(texts), "ass", style)
    cues = with_libav(written, "ass")
    assert with_pysubs2(written, "ass") == [replace(c, text=c.text.rstrip()) for c in cues]
    assert sorted(plain(unbraced("".join(c.text for c in cues)))) == [
        c for c in said(texts) if c != WORD_JOINER
    ]
    shown = "".join(each.plaintext for each in pysubs2.SSAFile.from_string(written))
    letters = [c for c in said(texts) if c.isalpha()]
    assert sorted(c for c in shown if c.isalpha()) == letters


@given(hostile_transcripts(), STYLES)
def test_words_of_one_language_stay_in_their_order(text, style) -> None:
    written = render(text, "vtt", style)
    shown = "".join(untagged(c.text) for c in with_webvtt(written))
    assert plain(shown) == plain("".join(clean(each.text) for each in text.segments))


def test_a_cue_looks_as_it_should() -> None:
    spoken = transcript((0.5, 2.25, "Hello there."), (3.0, 4.0, "Salt & <pepper>"))
    assert render(spoken, "srt") == (
        "1\n00:00:00,500 --> 00:00:02,250\nHello there.\n\n"
        f"2\n00:00:03,000 --> 00:00:04,000\nSalt & <{WORD_JOINER}pepper>\n"
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


def test_json_has_the_transcript_and_its_cues() -> None:
    spoken = transcript((0.5, 2.25, "Hello there."), language="en")
    told = json.loads(render(spoken, "json"))
    assert told.pop("cues") == [
        {
            "start": 0.5, "end": 2.25, "channel": None, "flags": [],
            "texts": [{"language": "en", "lines": ["Hello there."], "cps": 6.9}],
        }
    ]  # fmt: skip
    assert Transcript.model_validate(told) == spoken


def test_what_is_too_fast_to_be_read_is_flagged_and_shown_whole() -> None:
    spoken = transcript((0, 0.5, "x" * 40 + " " + "y" * 40), (0.5, 2, "Yes, I know."))
    told = json.loads(render(spoken, "json"))
    assert [cue["flags"] for cue in told["cues"]] == [["too_fast"], []]
    assert told["cues"][0]["texts"][0]["lines"] == ["x" * 40, "y" * 40]


def test_more_than_99_hours_have_three_digits() -> None:
    late = transcript((36e4, 36e4 + 1, "x"), (4e5, 4e5 + 2, "y"))
    srt_cues, vtt_cues = with_srt(render(late, "srt")), with_webvtt(render(late, "vtt"))
    assert [c.start for c in srt_cues] == [c.start for c in vtt_cues] == [360_000_000, 400_000_000]
    assert with_libav(render(late, "ass"), "ass")[1].start == 400_000_000
    assert "100:00:00,000 --> 100:00:01,000" in render(late, "srt")


def test_times_are_rounded_without_a_sixtieth_second() -> None:
    style = CueStyle(max_duration=60)
    written = render(transcript((59.9994, 119.9996, "x" * 200)), "srt", style)
    assert written.startswith("1\n00:00:59,999 --> ")
    assert ":60" not in written
    assert with_srt(written)[-1].end == 120_000


def test_channels_are_named_where_a_format_can() -> None:
    spoken = Transcript(
        language="en",
        text="Hello. Hi.",
        segments=[
            Segment(id=0, start=0, end=1, text="Hello.", channel=0),
            Segment(id=1, start=1.5, end=2.5, text="Hi.", channel=1),
        ],
    )
    assert [c.voice for c in webvtt.from_string(render(spoken, "vtt")).captions] == [
        "Channel 1", "Channel 2",
    ]  # fmt: skip
    read = pysubs2.SSAFile.from_string(render(spoken, "ass"))
    assert [each.name for each in read] == ["Channel 1", "Channel 2"]
    assert "Channel" not in render(spoken, "srt")


def test_blank_segments_make_no_cue() -> None:
    spoken = transcript((0, 1, " "), (1, 2, "x"), (2, 3, "\n"), (3, 4, "\u200b\u200f"))
    assert with_webvtt(render(spoken, "vtt")) == [Read(1000, 2000, "x")]
    assert render(transcript(), "srt") == ""
    assert render(transcript(), "vtt") == "WEBVTT\n"
    assert json.loads(render(transcript(), "json"))["cues"] == []


@pytest.mark.parametrize("form", ["srt", "vtt", "ass"])
def test_a_text_that_nobody_spoke_has_no_cues(form) -> None:
    with pytest.raises(Invalid, match="txt or json") as refused:
        render(transcript((None, None, "Only written.")), form)
    assert refused.value.code == "no_times"


def test_a_text_that_nobody_spoke_can_be_read() -> None:
    written = transcript((None, None, "Only written."))
    assert render(written, "txt") == "Only written.\n"
    told = json.loads(render(written, "json"))
    assert (told["segments"][0]["start"], told["cues"]) == (None, None)
    assert render(Transcript(language="zh", text="一\n二", segments=[]), "txt") == "一\n二\n"
    assert render(Transcript(language="zh", text="", segments=[]), "txt") == ""
