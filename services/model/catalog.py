"""What models there are, what each can do and what it costs; a pure table with a choice in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from services.model.chat import ChatService
from services.model.errors import Invalid
from services.model.families import FamilyName
from services.model.languages import LANGUAGES, whisper_code
from services.model.scripts import SIMPLIFIED, TRADITIONAL, asked, other_script
from services.model.values import Stored

Engine = Literal["faster-whisper", "ctranslate2", "pivot", "llm", "opencc", "stub"]

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
# By words, as licences are named in many ways: cc-by-nc-4.0, "CC BY-NC-SA", "non-commercial use".
_NONCOMMERCIAL = re.compile(r"\bnc\b|non-?commercial|research[- ]only", re.IGNORECASE)

_TO_WORK_IN_MB = 500
_TWO_BYTES = frozenset({"float16", "bfloat16", "int16"})
_ON_A_GPU = frozenset({"float16", "bfloat16", "int8_float16", "int8_bfloat16"})

# Megabytes, and megabytes for each on disk. For a moment in its loading a CPU of Intel's has all
# weights twice, as they were read and as it multiplies by them.
_FLOAT32_ON_A_CPU = (250, 4.4)
_INT8_ON_A_CPU = (550, 1.4)


class ModelEntry(Stored):
    """One model. Sizes are megabytes on disk and in memory; 0 where nobody has said.

    `location` is a folder in the models folder, or the id of the hub that it comes from, at
    `revision` if that is pinned. `aliases` are other names for it. `languages` empty means every
    Whisper language. A translator knows `pairs` if it has any, else every pair of two of its
    languages; what it knows in one script of Chinese it serves in both. `translates` is of a
    transcriber: it was trained to write English for what is said in other languages. `family` is
    of a translator that CTranslate2 runs: how it is told the languages, where the model does not
    say it itself. One of the engine `pivot` goes through the language `pivot` by two `hops`, a
    translator into it and one out of it. `demo` models are tiny and know one small grammar. `chat`
    says where a model of the engine `llm` runs, and how it is asked.
    """

    name: str
    kind: Literal["transcribe", "translate"]
    engine: Engine
    location: str = ""
    revision: str = ""
    aliases: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list)
    pairs: list[tuple[str, str]] = Field(default_factory=list)
    memory_mb: int = 0
    size_mb: int = 0
    licence: str = ""
    translates: bool = True
    family: FamilyName | None = None
    pivot: str = ""
    hops: list[ModelEntry] = Field(default_factory=list)
    demo: bool = False
    chat: ChatService | None = None

    @model_validator(mode="after")
    def _chats_if_it_is_an_llm(self) -> Self:
        if self.engine == "llm" and (self.kind != "translate" or self.chat is None):
            raise ValueError("the engine llm translates, and has a [model.chat]")
        if self.chat is not None and self.engine != "llm":
            raise ValueError("only the engine llm has a [model.chat]")
        return self

    @model_validator(mode="after")
    def _hops_if_it_is_a_pivot(self) -> Self:
        if self.engine == "pivot" and not (self.kind == "translate" and self.pivot):
            raise ValueError("the engine pivot translates, through the language `pivot`")
        if (self.engine == "pivot") != (len(self.hops) == 2) or (self.hops and not self.pivot):
            raise ValueError("the engine pivot has two hops, and no other engine has any")
        return self

    @property
    def hub_id(self) -> str:
        """Where it can be pulled from; empty if that is not known."""
        return self.location if is_hub_id(self.location) and not self.demo else ""

    @property
    def commercial(self) -> bool:
        """Whether its licence, as far as it is known, allows commercial use."""
        return not is_noncommercial(self.licence)

    @property
    def writes_english(self) -> bool:
        """Whether this transcriber translates into English by itself."""
        return self.kind == "transcribe" and self.translates and self.languages != ["en"]

    def hears(self, language: str) -> bool:
        """Whether this transcriber writes down that language, in whichever script."""
        if self.kind != "transcribe":
            return False
        if not self.languages:
            return whisper_code(language) is not None
        return language in self.languages or other_script(language) in self.languages

    def serves(self, source: str, target: str) -> bool:
        """Whether this translator turns `source` into `target`; never into itself."""
        return self.asked(source, target) is not None

    def asked(self, source: str, target: str) -> tuple[str, str] | None:
        """The pair that this translator is asked for where `source` is wanted in `target`; what
        is another script in it is converted. None if it does not serve that."""
        return asked(source, target, self._knows) if self.kind == "translate" else None

    def _knows(self, source: str, target: str) -> bool:
        if source == target:
            return False
        if self.pairs:
            return (source, target) in self.pairs
        return source in self.languages and target in self.languages


def is_hub_id(text: str) -> bool:
    """Whether it has the form `owner/name`; never a path that leads out of a folder."""
    return bool(_HUB_ID.fullmatch(text)) and ".." not in text


def is_noncommercial(licence: str) -> bool:
    """Whether its name says that commercial use is forbidden."""
    return bool(_NONCOMMERCIAL.search(licence))


class Catalog:
    """All entries in order of preference; `offered` names those that nobody has to ask for.

    A model that is not offered can still be named: a worker on another machine may have it.
    """

    def __init__(self, entries: Iterable[ModelEntry], offered: Sequence[str] | None = None) -> None:
        self.entries = {entry.name: entry for entry in entries}
        self._by_alias = {
            alias: entry for entry in self.entries.values() for alias in entry.aliases
        }
        names = list(self.entries) if offered is None else offered
        found = (self.entry(name) for name in names)
        self.offered = list({entry.name: entry for entry in found if entry is not None}.values())

    def entry(self, name: str) -> ModelEntry | None:
        """The model of that name, offered or not; a name wins over an alias."""
        return self.entries.get(name) or self._by_alias.get(name)

    def transcriber(self, name: str | None) -> ModelEntry:
        """The transcriber of that name, or the one that is preferred.

        Raises Invalid, `unknown_model` or `no_model`.
        """
        if name:
            return self._named_transcriber(name)
        for entry in self.offered:
            if entry.kind == "transcribe":
                return entry
        raise Invalid(
            "No speech model is installed. Get one: fanscribe models pull small (or try the tiny "
            "ones that come along: fanscribe up --demo-models)",
            code="no_model",
            field="options.transcribe_model",
        )

    def translator(
        self, source: str, target: str, among: Sequence[str] | None = None
    ) -> ModelEntry | None:
        """The preferred translator of a pair, of all that are offered or the first of those that
        are named; None if nobody serves it. Scripts are converted by models only if such are
        named."""
        named = [self.entry(name) for name in among or []]
        rest = self.offered if among is None else []
        for entry in [*named, SCRIPTS, *rest]:
            if entry is not None and entry.serves(source, target):
                return entry
        return None

    def served(self, source: str) -> list[str]:
        """All targets that a source language can be translated into."""
        return [target for target in LANGUAGES if self.translator(source, target)]

    def _named_transcriber(self, name: str) -> ModelEntry:
        entry = self.entry(name)
        if entry and entry.kind == "transcribe":
            return entry
        known = ", ".join(e.name for e in self.entries.values() if e.kind == "transcribe")
        raise Invalid(
            f"There is no speech model {name[:60]!r}; there are {known or 'none'}.",
            code="unknown_model",
            field="options.transcribe_model",
        )


def memory_of(size_mb: int, compute_type: str = "default") -> int:
    """What a translator of that size on disk takes: its weights, and half a gigabyte to work in.
    That is an estimate. A CPU turns two bytes into four by itself, and where a GPU would not,
    nobody counts its memory anyway."""
    if compute_type.startswith("int8"):
        return size_mb // 2 + _TO_WORK_IN_MB
    if compute_type in _TWO_BYTES:
        return size_mb + _TO_WORK_IN_MB
    return 2 * size_mb + _TO_WORK_IN_MB


def whisper_memory(size_mb: int, compute_type: str = "default") -> int:
    """What a Whisper model with two bytes a parameter takes at its peak. On a CPU that is a line
    over all that `benchmarks.model_memory` measured; what only a GPU computes is an estimate."""
    if compute_type in _ON_A_GPU:
        return memory_of(size_mb, compute_type)
    base, each = _INT8_ON_A_CPU if compute_type.startswith("int8") else _FLOAT32_ON_A_CPU
    return base + math.ceil(each * size_mb)


def whisper_entry(
    name: str,
    location: str,
    megaparameters: int,
    languages: Sequence[str] = (),
    aliases: Sequence[str] = (),
    *,
    translates: bool = True,
) -> ModelEntry:
    """A Whisper model as it lies on the hub: two bytes a parameter. Its memory is that of a CPU
    which computes with all four."""
    size = 2 * megaparameters
    return ModelEntry(
        name=name,
        kind="transcribe",
        engine="faster-whisper",
        location=location,
        aliases=list(aliases),
        languages=list(languages),
        memory_mb=whisper_memory(size),
        size_mb=size,
        licence="MIT",
        translates=translates,
    )


def _own(name: str, megaparameters: int, *aliases: str) -> ModelEntry:
    """One of OpenAI's own sizes; those in `.en` know English only."""
    languages = ["en"] if name.endswith(".en") else []
    return whisper_entry(name, f"Systran/faster-whisper-{name}", megaparameters, languages, aliases)


def _distilled(name: str, megaparameters: int, location: str = "") -> ModelEntry:
    """All of them were distilled on English."""
    location = location or f"Systran/faster-distil-whisper-{name.removeprefix('distil-')}"
    return whisper_entry(name, location, megaparameters, ["en"])


# Those of several languages first, from small to large: what is installed is chosen in this order.
WHISPER = (
    _own("tiny", 39),
    _own("base", 74),
    _own("small", 244),
    _own("medium", 769),
    _own("large-v1", 1550),
    _own("large-v2", 1550),
    _own("large-v3", 1550, "large"),
    whisper_entry(
        "turbo",
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        809,
        aliases=["large-v3-turbo"],
        translates=False,  # it was tuned on transcription alone
    ),
    _own("tiny.en", 39),
    _own("base.en", 74),
    _own("small.en", 244),
    _own("medium.en", 769),
    _distilled("distil-small.en", 166),
    _distilled("distil-medium.en", 394),
    _distilled("distil-large-v2", 756),
    _distilled("distil-large-v3", 756),
    _distilled("distil-large-v3.5", 756, "distil-whisper/distil-large-v3.5-ct2"),
)

# Always there, and needs no model: one script of Chinese becomes the other.
SCRIPTS = ModelEntry(
    name="opencc",
    kind="translate",
    engine="opencc",
    languages=[SIMPLIFIED, TRADITIONAL],
    memory_mb=60,
    size_mb=7,
    licence="Apache-2.0",
)

DEMO = (
    ModelEntry(
        name="whisper-demo",
        kind="transcribe",
        engine="faster-whisper",
        location="whisper-demo",
        languages=["en", "zh"],
        memory_mb=300,
        size_mb=10,
        licence="Apache-2.0",
        translates=False,
        demo=True,
    ),
    ModelEntry(
        name="nmt-demo",
        kind="translate",
        engine="ctranslate2",
        location="nmt-demo",
        languages=["en", "zh", "ja", "de"],
        memory_mb=50,
        size_mb=3,
        licence="Apache-2.0",
        demo=True,
    ),
)

STUBS = (
    ModelEntry(name="stub-whisper", kind="transcribe", engine="stub", memory_mb=50),
    ModelEntry(
        name="stub-nmt",
        kind="translate",
        engine="stub",
        languages=list(LANGUAGES),
        memory_mb=50,
    ),
)
