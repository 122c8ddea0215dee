"""Writes cues and texts in the formats that players and people read: SRT, VTT, ASS, TXT, JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from services.model.pack import dumps
from task_manager.render.columns import clean
from task_manager.render.cues import Cue
from task_manager.render.pairs import Shown

_WORD_JOINER = "\u2060"  # unseen; keeps two characters from being read as one sign
_SIGNS = re.compile(
    r"--(?=>)|<(?=[/!?a-zA-Z])|\{(?=\\)"
)  # what players of SRT obey: --> <i> {\an8}

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
Style: Second,Arial,44,&H00C8C8C8,&H000000FF,&H00000000,&H80000000,\
0,0,0,0,100,100,0,0,1,3,1,2,60,60,60,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def srt(cues: Sequence[Cue]) -> str:
    """SubRip. The format has no escapes, so the text stands as it is; only what a player would
    take for a sign is kept apart by one that nobody sees."""
    blocks = [
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        + "".join(f"{_apart(line)}\n" for lines in cue.texts for line in lines)
        for number, cue in enumerate(cues, start=1)
    ]
    return "\n".join(blocks)


def vtt(cues: Sequence[Cue], languages: Sequence[str]) -> str:
    """WebVTT; `&`, `<` and `>` are escaped, and with them every arrow. A second language and a
    channel are told to the player, which may show them otherwise."""
    blocks = [
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        + ("" if cue.channel is None else f"<v {_speaker(cue.channel)}>")
        + _vtt_lines(cue, languages)
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def ass(cues: Sequence[Cue]) -> str:
    """Advanced SubStation Alpha with one plain style, and another for a second language; braces
    and backslashes mean themselves."""
    events = [
        f"Dialogue: 0,{_ass_clock(cue.start)},{_ass_clock(cue.end)},Default,"
        f"{'' if cue.channel is None else _speaker(cue.channel)},0,0,0,,{_ass_lines(cue)}\n"
        for cue in cues
    ]
    return _ASS_HEAD + "".join(events)


def txt(shown: Shown) -> str:
    """One line a segment, a text without segments as it is; two languages line under line."""
    if len(shown.texts) > 1:
        lines = (filter(None, each) for each in shown.lines())
        return "\n".join("".join(f"{line}\n" for line in each) for each in lines)
    (text,) = shown.texts
    own = [clean(segment.text) for segment in text.segments]
    if not any(own):
        return text.text + "\n" if text.text else ""
    return "".join(f"{line}\n" for line in own if line)


def json(shown: Shown, cues: Sequence[Cue] | None) -> str:
    """The whole transcript with all that is known of it, and its cues; `with` is the second."""
    first, *second = (text.model_dump(mode="json") for text in shown.texts)
    beside = {"with": second[0]} if second else {}
    languages = [text.language for text in shown.texts]
    written = None if cues is None else [_json_cue(cue, languages) for cue in cues]
    return dumps({**first, **beside, "cues": written}) + "\n"


def _json_cue(cue: Cue, languages: Sequence[str]) -> dict[str, Any]:
    texts = [
        {"language": language, "lines": lines, "cps": round(speed, 1)}
        for language, lines, speed in zip(languages, cue.texts, cue.speeds(), strict=True)
    ]
    start, end = round(cue.start, 3), round(cue.end, 3)
    return {"start": start, "end": end, "channel": cue.channel, "texts": texts, "flags": cue.flags}


def _apart(line: str) -> str:
    return _SIGNS.sub(lambda sign: sign[0] + _WORD_JOINER, line)


def _vtt_lines(cue: Cue, languages: Sequence[str]) -> str:
    first, *second = ("".join(f"{_escaped(line)}\n" for line in lines) for lines in cue.texts)
    if not second or not second[0]:
        return first
    return f"{first}<lang {languages[1]}>{second[0].rstrip()}</lang>\n"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ass_lines(cue: Cue) -> str:
    first, *second = (r"\N".join(map(_ass_text, lines)) for lines in cue.texts)
    below = "".join(rf"{{\rSecond}}{text}" for text in second if text)
    return r"\N".join(filter(None, (first, below)))


def _ass_text(line: str) -> str:
    """Behind the brace stands an empty tag, which ends what a player without escapes hides."""
    return line.replace("\\", "\\" + _WORD_JOINER).replace("{", r"\{{}")


def _speaker(channel: int) -> str:
    return f"Channel {channel + 1}"


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
