"""How a model is told of a caller's terms and of his prompt, as far as they fit; pure.

Whisper reads up to 223 tokens before it writes. What is more, faster-whisper cuts off in silence:
so it is chosen here, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.model.hotwords import Boosted, Hinted, Hotwords, Term, fitting
from whisper_worker.biasing import Bias, bias_of

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Hints:
    """What fits, and what did not; with a bias the terms stand there alone."""

    hotwords: str = ""
    prompt: str = ""
    applied: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    prompt_cut: bool = False
    bias: Bias | None = None

    @property
    def warnings(self) -> list[str]:
        """For the one who asked."""
        cut = ["prompt_cut"] if self.prompt_cut else []
        return cut + [f"keyword_dropped: {term}" for term in self.dropped]

    @property
    def hinted(self) -> Hinted | None:
        """What came of the terms, once all is heard; None where there are none."""
        if self.bias is not None:
            boosted = [Boosted(term=term, times=n) for term, n in self.bias.times.items()]
            return Hinted(method="bias", applied=self.applied, boosted=boosted)
        if not self.applied and not self.dropped:
            return None
        return Hinted(method="prompt", applied=self.applied, dropped=self.dropped)


def hint(prompt: str, keywords: Sequence[str], hotwords: Hotwords | None, count: Count) -> Hints:
    """By the method of the terms; bare keywords have the method `prompt`."""
    wanted = hotwords or Hotwords(terms=[Term(text=text) for text in keywords])
    if wanted.method == "prompt":
        return fit(prompt, wanted.texts, count)
    fitting_prompt = fit(prompt, [], count)
    return Hints(
        prompt=fitting_prompt.prompt,
        applied=wanted.texts,
        prompt_cut=fitting_prompt.prompt_cut,
        bias=bias_of(wanted, count),
    )


def fit(prompt: str, terms: Sequence[str], count: Count) -> Hints:
    """Terms first, in their order. Of the prompt the end is kept, which stands next to what is
    heard."""
    kept, dropped, room = fitting(terms, count)
    wanted = prompt.strip()
    end = _end_of(wanted, room, count)
    return Hints(", ".join(kept), end, kept, dropped, prompt_cut=end != wanted)


def _end_of(text: str, room: int, count: Count) -> str:
    """The last characters that are at most `room` tokens; a token is rarely less than one."""
    while text and (over := count(f" {text}") - room) > 0:
        text = text[over:].strip()
    return text
