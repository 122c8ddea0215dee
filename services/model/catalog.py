"""What models there are, what each can do and what it costs; a pure table with a choice in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import Field

from services.model.errors import Invalid
from services.model.languages import LANGUAGES, whisper_code
from services.model.values import Stored

Engine = Literal["faster-whisper", "ctranslate2", "stub"]


class ModelEntry(Stored):
    """One model. Sizes are megabytes on disk and in memory; 0 where nobody has said.

    `location` is a folder name in the models folder, a path, or a hub id that became one.
    `languages` empty means every Whisper language. A translator serves `pairs` if it has any,
    else every pair of two of its languages. `demo` models are tiny and know one small grammar.
    """

    name: str
    kind: Literal["transcribe", "translate"]
    engine: Engine
    location: str = ""
    languages: list[str] = Field(default_factory=list)
    pairs: list[tuple[str, str]] = Field(default_factory=list)
    memory_mb: int = 0
    size_mb: int = 0
    licence: str = ""
    demo: bool = False

    def hears(self, language: str) -> bool:
        """Whether this transcriber writes down that language."""
        known = language in self.languages if self.languages else whisper_code(language)
        return self.kind == "transcribe" and bool(known)

    def serves(self, source: str, target: str) -> bool:
        """Whether this translator turns `source` into `target`; never into itself."""
        if self.kind != "translate" or source == target:
            return False
        if self.pairs:
            return (source, target) in self.pairs
        return source in self.languages and target in self.languages


class Catalog:
    """All entries in order of preference; `offered` names those that nobody has to ask for.

    A model that is not offered can still be named: a worker on another machine may have it.
    """

    def __init__(self, entries: Iterable[ModelEntry], offered: Sequence[str] | None = None) -> None:
        self.entries = {entry.name: entry for entry in entries}
        names = list(self.entries) if offered is None else offered
        self.offered = [self.entries[name] for name in names if name in self.entries]

    def entry(self, name: str) -> ModelEntry | None:
        """The model of that name, offered or not."""
        return self.entries.get(name)

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
            "No speech model is installed. Start with the tiny ones that come along: "
            "fanscribe up --demo-models",
            code="no_model",
            field="options.transcribe_model",
        )

    def translator(self, source: str, target: str) -> ModelEntry | None:
        """The preferred translator of a pair; None if nobody serves it."""
        for entry in self.offered:
            if entry.serves(source, target):
                return entry
        return None

    def served(self, source: str) -> list[str]:
        """All targets that a source language can be translated into."""
        return [target for target in LANGUAGES if self.translator(source, target)]

    def _named_transcriber(self, name: str) -> ModelEntry:
        entry = self.entries.get(name)
        if entry and entry.kind == "transcribe":
            return entry
        known = ", ".join(e.name for e in self.entries.values() if e.kind == "transcribe")
        raise Invalid(
            f"There is no speech model {name[:60]!r}; there are {known or 'none'}.",
            code="unknown_model",
            field="options.transcribe_model",
        )


def whisper_entry(
    name: str, location: str, megaparameters: int, languages: Sequence[str] = ()
) -> ModelEntry:
    """A Whisper model as it lies on the hub: two bytes a parameter. Its memory is estimated as
    those weights and half a gigabyte to work in."""
    size = 2 * megaparameters
    return ModelEntry(
        name=name,
        kind="transcribe",
        engine="faster-whisper",
        location=location,
        languages=list(languages),
        memory_mb=size + 500,
        size_mb=size,
        licence="MIT",
    )


WHISPER = (
    whisper_entry("tiny", "Systran/faster-whisper-tiny", 39),
    whisper_entry("base", "Systran/faster-whisper-base", 74),
    whisper_entry("small", "Systran/faster-whisper-small", 244),
    whisper_entry("medium", "Systran/faster-whisper-medium", 769),
    whisper_entry("large-v2", "Systran/faster-whisper-large-v2", 1550),
    whisper_entry("large-v3", "Systran/faster-whisper-large-v3", 1550),
    whisper_entry("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 809),
    whisper_entry("distil-large-v3", "Systran/faster-distil-whisper-large-v3", 756, ["en"]),
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
