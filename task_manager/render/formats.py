"""Writes cues and texts in the formats that players and people read: SRT, VTT, ASS, TXT, JSON."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.pack import dumps
from services.model.transcript import Transcript
from task_manager.render.cues import Cue
from task_manager.render.lines import clean

_WORD_JOINER = "\u2060"  # unseen; keeps two characters from being read as one sign

_ASS_HEAD = """[Script Info]
ScriptType: v4.00+
PlayResX: 1920
PlayResY: 1080
WrapStyle: 2
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,60,&H00FFFFFF,&H000000FF,&H00000000,&H80000000,\
0,0,0,0,100,100,0,0,1,3,1,2,60,60,60,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def srt(cues: Sequence[Cue]) -> str:
    """SubRip. The format has no escapes, so the text stands as it is; only an arrow that would
    be read as a time line is kept apart by a sign that nobody sees."""
    blocks = [
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        + "\n".join(line.replace("-->", f"--{_WORD_JOINER}>") for line in cue.lines)
        + "\n"
        for number, cue in enumerate(cues, start=1)
    ]
    return "\n".join(blocks)


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT; `&`, `<` and `>` are escaped, and with them every arrow."""
    blocks = [
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        + "\n".join(_escaped(line) for line in cue.lines)
        + "\n"
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def ass(cues: Sequence[Cue]) -> str:
    """Advanced SubStation Alpha with one plain style; braces and backslashes mean themselves."""
    events = [
        f"Dialogue: 0,{_ass_clock(cue.start)},{_ass_clock(cue.end)},Default,,0,0,0,,"
        + r"\N".join(_ass_text(line) for line in cue.lines)
        + "\n"
        for cue in cues
    ]
    return _ASS_HEAD + "".join(events)


def txt(transcript: Transcript) -> str:
    """One line a segment; a text without segments as it is."""
    lines = [clean(segment.text) for segment in transcript.segments]
    if not any(lines):
        return transcript.text + "\n" if transcript.text else ""
    return "".join(f"{line}\n" for line in lines if line)


def json(transcript: Transcript) -> str:
    """The whole transcript with all that is known of it."""
    return dumps(transcript.model_dump(mode="json")) + "\n"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ass_text(line: str) -> str:
    joined = line.replace("\\", "\\" + _WORD_JOINER)
    return joined.replace("{", r"\{").replace("}", r"\}")


def _clock(seconds: float, point: str) -> str:
    """HH:MM:SS and milliseconds; from 100 hours on with as many digits as it takes."""
    rest, milliseconds = divmod(max(0, round(seconds * 1000)), 1000)
    minutes, second = divmod(rest, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}{point}{milliseconds:03d}"


def _ass_clock(seconds: float) -> str:
    """H:MM:SS and hundredths."""
    rest, hundredths = divmod(max(0, round(seconds * 100)), 100)
    minutes, second = divmod(rest, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}.{hundredths:02d}"
