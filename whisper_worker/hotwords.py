"""Which of a caller's terms, and how much of his prompt, fit before the words of a window; pure.

Whisper reads up to 223 tokens before it writes. What is more, faster-whisper cuts off in silence:
so it is chosen here, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ROOM = 223  # tokens, of terms and prompt together: half of Whisper's 448 less one

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Hints:
    """What fits, and what did not."""

    hotwords: str = ""
    prompt: str = ""
    dropped: list[str] = field(default_factory=list)
    prompt_cut: bool = False

    @property
    def warnings(self) -> list[str]:
        """For the one who asked."""
        cut = ["prompt_cut"] if self.prompt_cut else []
        return cut + [f"keyword_dropped: {term}" for term in self.dropped]


def fit(prompt: str, keywords: Sequence[str], count: Count) -> Hints:
    """Terms first, in their order; a term that is too long leaves room for later ones. Of the
    prompt the end is kept, which stands next to what is heard."""
    room = ROOM
    kept: list[str] = []
    dropped: list[str] = []
    for term in keywords:
        size = count(f" {term},")
        (kept if size <= room else dropped).append(term)
        room -= size if size <= room else 0
    wanted = prompt.strip()
    fitting = _end_of(wanted, room, count)
    return Hints(", ".join(kept), fitting, dropped, prompt_cut=fitting != wanted)


def _end_of(text: str, room: int, count: Count) -> str:
    """The last characters that are at most `room` tokens; a token is rarely less than one."""
    while text and (over := count(f" {text}") - room) > 0:
        text = text[over:].strip()
    return text
