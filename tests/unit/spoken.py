"""Transcripts for the tests of subtitles: hostile ones, likely ones, with times of every kind."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import strategies as st

from services.model.transcript import Segment, Transcript, Word
from task_manager.render import CueStyle

HOSTILE = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.lists(
        st.sampled_from([
            "-->", "\n\n", "\r", "&", "&amp;", "<c>", "</i>", "<script>", "<v Eve>", "{\\an8}",
            "\\N", "\\h", ",", "1", "NOTE", "STYLE", "00:00:00.000 --> 00:00:01.000", "WEBVTT",
            "[Events]", "Dialogue: 0", "中文", "。", "「", "」", "ー", "あいうえお", "ก็", "เก",
            "क्ष", "e\u0301", "❤️", "👩‍👩‍👧", "🇩🇪", " ", "a b", "\x00", "\x85", "\u2028",
            "\u00a0", "\u200b", "\u200f", "\u202e", "\ufeff", "\u2060", "(", "-" * 50, "3 km",
            "https://example.com/a?b=c&d=e#f",
        ]),
        max_size=30,
    ).map("".join),
)  # fmt: skip
SENTENCES = st.sampled_from([
    ("en", "Well, the thing about subtitles is that they are read by people who see a picture."),
    ("en", "Yes."),
    ("en", "At 8:30 p.m. Dr. Smith runs 25 km, and nobody knows why."),
    ("de", "Untertitel werden von Menschen gelesen, die auch das Bild sehen wollen."),
    ("zh", "今天天气很好，我们一起去公园散步吧，然后再去吃晚饭，最后坐G1234次列车回家。"),
    ("zh", "盒子后面有三枚硬币但是没有人知道它们是谁的也没有人想去打开那个盒子看看里面有什么"),
    ("ja", "字幕は画面も見たい人が読むので、スマートフォンでも読めるように「短く」します。"),
    ("ja", "はい。"),
    ("ko", "자막은 화면도 보고 싶은 사람들이 읽는 것이므로 모든 줄은 짧아야 합니다."),
    ("th", "วันนี้เราจะไปเที่ยวทะเลกัน แต่ว่าอากาศไม่ค่อยดีเท่าไหร่"),
    ("ar", "نتحدث اليوم عن الترجمة، وكيف تقسم الأسطر."),
])  # fmt: skip
STYLES = st.builds(
    CueStyle,
    max_width=st.none() | st.integers(4, 60),
    max_lines=st.integers(1, 3),
    max_cps=st.none() | st.floats(1, 40),
    min_duration=st.floats(0, 2),
    max_duration=st.floats(2, 10),
    min_gap=st.floats(0, 0.5),
)


def transcript(*segments: tuple[float | None, float | None, str], language: str = "en", **more):
    return Transcript(
        language=language,
        text=" ".join(text for _, _, text in segments),
        segments=[
            Segment(id=number, start=start, end=end, text=text)
            for number, (start, end, text) in enumerate(segments)
        ],
        **more,
    )


@st.composite
def _timed(draw, texts, language: str, *, channels: bool) -> Transcript:
    """Segments behind one another, some with the times of their words; or anyhow."""
    steps = draw(st.lists(st.floats(0, 9), min_size=2 * len(texts), max_size=2 * len(texts)))
    times = list(accumulate(steps)) if draw(st.booleans()) else sorted(steps)
    segments = []
    for number, text in enumerate(texts):
        start, end = times[2 * number], times[2 * number + 1]
        channel = draw(st.none() | st.integers(0, 1)) if channels else None
        words = _words(text, start, end) if draw(st.booleans()) else None
        segments.append(
            Segment(id=number, start=start, end=end, text=text, words=words, channel=channel)
        )
    return Transcript(language=language, text=" ".join(texts), segments=segments)


def _words(text: str, start: float, end: float) -> list[Word]:
    """With the space before each, as Whisper tells them, and a pause behind."""
    parts = text.split(" ")
    each = (end - start) / len(parts)
    return [
        Word(start=start + each * n, end=start + each * (n + 0.8), text=" " * bool(n) + part)
        for n, part in enumerate(parts)
    ]


@st.composite
def hostile_transcripts(draw, *, channels: bool = False) -> Transcript:
    texts = draw(st.lists(HOSTILE, max_size=5))
    language = draw(st.sampled_from(["en", "zh", "ja", "th", "und"]))
    return draw(_timed(texts, language, channels=channels))


@st.composite
def likely_transcripts(draw, *, channels: bool = False) -> Transcript:
    language = draw(st.sampled_from(["en", "de", "zh", "ja", "ko", "th", "ar"]))
    own = SENTENCES.filter(lambda pair: pair[0] == language).map(lambda pair: pair[1])
    return draw(_timed(draw(st.lists(own, max_size=12)), language, channels=channels))
