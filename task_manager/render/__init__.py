"""Turns a transcript or a translation into what players and people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from services.model.transcript import Transcript
from task_manager.render import formats
from task_manager.render.cues import Cue, CueStyle, cues

Form = Literal["srt", "vtt", "ass", "txt", "json"]

MEDIA_TYPES: Mapping[Form, str] = MappingProxyType(
    {
        "srt": "application/x-subrip; charset=utf-8",
        "vtt": "text/vtt; charset=utf-8",
        "ass": "text/x-ssa; charset=utf-8",
        "txt": "text/plain; charset=utf-8",
        "json": "application/json",
    }
)

_TIMED: Mapping[Form, Callable[[Sequence[Cue]], str]] = MappingProxyType(
    {"srt": formats.srt, "vtt": formats.vtt, "ass": formats.ass}
)


def render(transcript: Transcript, form: Form, style: CueStyle | None = None) -> str:
    """The text of a file in that form; `style` counts for srt, vtt and ass.

    Raises Invalid `no_times` when cues are asked of a text that nobody spoke.
    """
    if form == "txt":
        return formats.txt(transcript)
    if form == "json":
        return formats.json(transcript)
    return _TIMED[form](cues(transcript, style or CueStyle()))


__all__ = ["MEDIA_TYPES", "CueStyle", "Form", "render"]
