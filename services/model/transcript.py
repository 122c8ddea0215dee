"""Words with their times: the one shape of transcripts, reference texts and translations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field

from services.model.values import Stored

UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "km", "yue"})


class Word(Stored):
    """A word with its times in seconds of the original audio and its probability in 0…1."""

    start: float
    end: float
    text: str
    probability: float = 1.0


class Alternative(Stored):
    """Another reading of a segment, and how sure the model is of the window that it stands in.
    Where segments were cut anew into sentences, `start` and `end` say of what it is a reading: of
    all that the engine heard as one, which begins in this sentence and may end in a later one."""

    text: str
    avg_logprob: float
    start: float | None = None
    end: float | None = None


class Segment(Stored):
    """A run of speech, or one translated sentence; times are None for text without audio.
    `confidence` in 0…1 is the mean probability of its words where these were timed, else that of
    its tokens. `channel` (from 0) is where it was heard, if each was listened to apart; `language`
    is its own, where each may have another."""

    id: int
    start: float | None = None
    end: float | None = None
    text: str
    words: list[Word] | None = None
    confidence: float | None = None
    language: str | None = None
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float | None = None
    channel: int | None = None
    flags: list[str] = Field(default_factory=list)
    alternatives: list[Alternative] | None = None


class Transcript(Stored):
    """A whole item in one language. `dropped` keeps what a guard left out, flagged."""

    language: str
    text: str
    segments: list[Segment]
    duration: float | None = None
    language_probability: float | None = None
    no_speech: bool = False
    dropped: list[Segment] = Field(default_factory=list)


class Body(Stored):
    """Where a text lies: inline up to 64 KB, else an object. `sha256` is of the UTF-8 bytes."""

    inline: str | None = None
    key: str | None = None
    size: int = 0
    sha256: str = ""


Runs = Sequence[tuple[int, int | None]]
"""What a translation is cut into: ranges of segments, of which the last may have no end."""


def inline(text: str) -> Body:
    """A text that stands in the document itself."""
    raw = text.encode()
    return Body(inline=text, size=len(raw), sha256=sha256(raw).hexdigest())


class Edits(Stored):
    """What makes the reference into what was heard, counted; `length` is what was expected."""

    hits: int
    substitutions: int
    insertions: int
    deletions: int
    length: int


class Check(Stored):
    """How far what was heard is from the reference text: error rates, 0 is equal.

    `rate` is the one that decides: CER where scripts put no spaces between words, WER elsewhere.
    A rate is substitutions, insertions and deletions over the expected length. `differences` are
    the places where the two part. Checks of older releases have rates only.
    """

    wer: float
    cer: float
    rate: float
    decides: Literal["words", "characters"] | None = None
    words: Edits | None = None
    characters: Edits | None = None
    differences: int | None = None

    def is_above(self, threshold: float | None) -> bool:
        return threshold is not None and self.rate > threshold


class Output(Stored):
    """A transcript, a reference text or a translation of one item.

    For source `A` in the spoken language it is the transcript, for `T` in the stated language the
    reference text; its kind is then `identity` where that language is also a target, so that it
    is a cell too. A higher (version, attempt) replaces a lower one; with the same
    an identity replaces a transcript. `text` is the plain text, `body` the JSON of a `Transcript`,
    `differences` that of `Differences` from the reference. `runs` are those of its own words; an
    output of an older release tells none. `corrected_by` is the key of who saved it, empty where
    a model made it.

    Versions are numbered over all outputs of an item and source. A translation that a model made
    has that of the words that it was made from: so one with a lower version than those words is
    outdated.
    """

    id: str  # <task>/<item>/<source>/<language>
    task_id: str
    item: int
    text_id: str
    source: str
    language: str
    kind: Literal["transcript", "translation", "identity"]
    version: int = 0
    attempt: int = 0
    text: Body
    body: Body | None = None
    differences: Body | None = None
    runs: list[tuple[int, int | None]] | None = None
    corrected_by: str = ""
    created_at: float
    facts: dict[str, Any] = Field(default_factory=dict)


def output_id(task_id: str, item: int, source: str, language: str) -> str:
    return f"{task_id}/{item}/{source}/{language}"


def is_unspaced(language: str) -> bool:
    """Whether the language's script puts no spaces between words."""
    return language.split("-", maxsplit=1)[0] in UNSPACED


def join_texts(texts: Iterable[str], language: str) -> str:
    """One text from many pieces, with a space between them where the script has spaces."""
    return join_pieces((text, language) for text in texts)


def join_segments(segments: Iterable[Segment], language: str) -> str:
    """The text of segments, each in its own language or else in this one."""
    return join_pieces((segment.text, segment.language or language) for segment in segments)


def join_pieces(pieces: Iterable[tuple[str, str]]) -> str:
    """One text from pieces and their languages: no space where neither of two has spaces."""
    joined: list[str] = []
    unspaced = False
    for text, language in pieces:
        if piece := text.strip():
            before, unspaced = unspaced, is_unspaced(language)
            joined += [piece] if not joined or (before and unspaced) else [" ", piece]
    return "".join(joined)
