"""What a cue may be: how wide, how high, how fast and how long, for each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple


class Reading(NamedTuple):
    """Columns a line, and columns a second that readers can follow; a full-width character, such
    as a Chinese one, takes two columns."""

    max_width: int
    max_cps: float


# The widths and speeds of Netflix's Timed Text Style Guides, those for the hard of hearing: as
# here every word that was said is written. Where these count characters, two columns are one.
COMMON = Reading(42, 20)
READING: Mapping[str, Reading] = MappingProxyType(
    {
        "zh": Reading(32, 22),  # 16 characters a line, 11 a second
        "zh-Hant": Reading(32, 22),
        "yue": Reading(32, 22),
        "ja": Reading(26, 14),  # 13 and 7
        "ko": Reading(32, 28),  # 16 and 14; Latin letters and spaces count half
        "th": Reading(35, 20),
        "ar": Reading(42, 23),
        "hi": Reading(42, 25),
        "ru": Reading(39, 20),
    }
)


@dataclass(frozen=True, slots=True)
class CueStyle:
    """How cues are to look; what is None is as the language has it. Durations are in seconds:
    five sixths of one at least, seven at most, and two pictures of a film between two cues."""

    max_width: int | None = None
    max_lines: int = 2
    max_cps: float | None = None
    min_duration: float = 0.833
    max_duration: float = 7.0
    min_gap: float = 0.083

    def reading(self, language: str) -> Reading:
        """What counts for a text in that language."""
        usual = READING.get(language, COMMON)
        return Reading(self.max_width or usual.max_width, self.max_cps or usual.max_cps)
