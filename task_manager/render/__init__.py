"""Turns a transcript or a translation, or the two together, into what players and people read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from services.model.export import Form
from services.model.transcript import Transcript
from task_manager.render import formats
from task_manager.render.cues import cues
from task_manager.render.limits import CueStyle
from task_manager.render.pairs import Shown

MEDIA_TYPES: Mapping[Form, str] = MappingProxyType(
    {
        "srt": "application/x-subrip; charset=utf-8",
        "vtt": "text/vtt; charset=utf-8",
        "ass": "text/x-ssa; charset=utf-8",
        "txt": "text/plain; charset=utf-8",
        "json": "application/json",
    }
)


def render(shown: Transcript | Shown, form: Form, style: CueStyle | None = None) -> str:
    """The text of a file in that form; `style` counts for cues, which all forms but txt have.

    Raises Invalid `no_times` when cues are asked of a text that nobody spoke.
    """
    if isinstance(shown, Transcript):
        shown = Shown((shown,))
    style = style or CueStyle()
    match form:
        case "txt":
            return formats.txt(shown)
        case "json":
            return formats.json(shown, cues(shown, style) if shown.is_timed() else None)
        case "srt":
            return formats.srt(cues(shown, style))
        case "vtt":
            languages = [text.language for text in shown.texts]
            return formats.vtt(cues(shown, style), languages)
        case "ass":
            return formats.ass(cues(shown, style))


__all__ = ["MEDIA_TYPES", "CueStyle", "Form", "Shown", "render"]
