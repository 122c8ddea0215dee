"""Which models this machine offers, and where each lies on its disk."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.catalog_file import entry_of, read_catalog_file
from services.model.catalog import (
    DEMO,
    SCRIPTS,
    STUBS,
    WHISPER,
    Catalog,
    ModelEntry,
    memory_of,
    whisper_memory,
)
from services.model.errors import Invalid
from services.model_description import DESCRIPTION_FILE, read_description
from services.model_lock import read_lock
from services.settings import Settings, load

_WITHOUT_FILES = frozenset({"opencc", "stub"})
_DEMO_FOLDER = Path(__file__).resolve().parents[1] / "demo" / "models"


def load_catalog(settings: Settings) -> Catalog:
    """What is built in and what the catalog file says, in order of preference.

    Offered without being named are, in this order: the model of the settings, the demo models
    if they are wanted, the catalog file's, what lies in the models folder, the conversion of
    scripts, the stubs if they are wanted. What lies there and describes itself, as a converted
    translator does, is known without the catalog file. One whose licence forbids commercial use
    is offered only where the settings allow it.

    Raises Invalid, `bad_catalog_file` or `noncommercial_default`.
    """
    demo = DEMO if settings.demo_models else ()
    stubs = STUBS if settings.stub_models else ()
    whisper = [_as_computed(entry, settings.compute_type) for entry in WHISPER]
    known = {entry.name: entry for entry in (*demo, *whisper, SCRIPTS, *stubs)}
    described = _described(settings, known)
    known = {e.name: _with_licence(e, settings) for e in (*known.values(), *described)}
    written = _written(settings, known)
    elsewhere = {entry.location for entry in written} & {entry.name for entry in described}
    for name in elsewhere:  # the file describes them under a name of its own
        del known[name]
    known |= {entry.name: entry for entry in written}
    entries = list(known.values())
    located = [entry.name for entry in entries if locate(entry, settings)]
    order = [*_names(demo), *_names(written), *located, SCRIPTS.name, *_names(stubs)]
    allowed = {e.name for e in entries if e.commercial or settings.allow_noncommercial}
    preferred = _preferred(Catalog(entries), settings)
    names = dict.fromkeys([*preferred, *(name for name in order if name in allowed)])
    return Catalog(entries, offered=list(names))


@dataclass(slots=True)
class _Own:
    settings: Settings | None = None
    catalog: Catalog = field(default_factory=lambda: Catalog([]))


_own = _Own()


def own_catalog() -> Catalog:
    """The catalog of this process and its settings, read once: it asks the disk of every model,
    which takes as long as a short job. What is pulled later counts from the next start on."""
    settings = load()
    if _own.settings is not settings:
        _own.catalog = load_catalog(settings)
        _own.settings = settings
    return _own.catalog


def _names(entries: Iterable[ModelEntry]) -> list[str]:
    return [entry.name for entry in entries]


def locate(entry: ModelEntry, settings: Settings) -> Path | None:
    """The folder of a model, known by its `model.bin`; None if it is not on this machine."""
    if entry.engine in _WITHOUT_FILES or entry.chat is not None or entry.hops:
        return None
    root = _DEMO_FOLDER if entry.demo else settings.models_folder
    for name in (entry.location, entry.name):
        folder = root / name
        if name and (folder / "model.bin").is_file():
            return folder
    return None


def is_here(entry: ModelEntry, settings: Settings) -> bool:
    """Whether this machine can run it: it lies here, or its service can be asked from here."""
    if entry.hops:
        return all(is_here(hop, settings) for hop in entry.hops)
    if entry.chat is not None:
        return not entry.chat.key or entry.chat.key in settings.chat_keys
    return entry.engine in _WITHOUT_FILES or locate(entry, settings) is not None


@dataclass(frozen=True, slots=True)
class About:
    """What this machine's disk knows of a model. It is `verified` where its files are held to
    hashes that came with it, or it came with us, or has none."""

    installed: bool = False
    verified: bool = False
    revision: str = ""
    digest: str = ""


def about_installed(entry: ModelEntry, settings: Settings) -> About:
    """Looked up anew each time, so that a model that was just pulled shows. A stub
    needs no files."""
    folder = locate(entry, settings)
    if folder is None:
        installed = entry.chat is None and is_here(entry, settings)
        return About(installed, installed, entry.revision)
    lock = read_lock(folder)
    if lock is None:
        return About(installed=True, verified=entry.demo)
    return About(True, lock.verified, lock.revision, lock.digest)


def facts(entry: ModelEntry, settings: Settings) -> dict[str, Any]:
    """All that this machine can tell of a model, as its views have it."""
    return {
        **entry.model_dump(exclude={"location", "revision", "family", "hops", "chat"}),
        "hops": [hop.name for hop in entry.hops],
        **asdict(about_installed(entry, settings)),
        "commercial": entry.commercial,
        "hub_id": entry.hub_id,
    }


def _as_computed(entry: ModelEntry, compute_type: str) -> ModelEntry:
    return entry.model_copy(update={"memory_mb": whisper_memory(entry.size_mb, compute_type)})


def _with_licence(entry: ModelEntry, settings: Settings) -> ModelEntry:
    """Where the catalog names no licence, that of the hub holds, which the lock has."""
    folder = None if entry.licence else locate(entry, settings)
    lock = read_lock(folder) if folder else None
    return entry.model_copy(update={"licence": lock.licence}) if lock else entry


def _written(settings: Settings, known: Mapping[str, ModelEntry]) -> list[ModelEntry]:
    if not settings.catalog_file:
        return []
    return read_catalog_file(settings.catalog_file, known, lambda e: _with_licence(e, settings))


def _described(settings: Settings, known: Container[str]) -> list[ModelEntry]:
    """The translators in the models folder that say what they translate."""
    found = []
    for path in sorted(settings.models_folder.glob(f"*/{DESCRIPTION_FILE}")):
        name = path.parent.name
        about = read_description(path.parent)
        if name in known or not (path.parent / "model.bin").is_file():
            continue
        size = (path.parent / "model.bin").stat().st_size // 1_000_000
        table = about.model_dump(include={"family", "languages", "pairs", "licence"})
        table |= {"name": name, "kind": "translate", "engine": "ctranslate2", "location": name}
        table |= {"size_mb": size, "memory_mb": memory_of(size, settings.compute_type)}
        with suppress(ValidationError, Invalid):
            found.append(entry_of(table))
    return found


def _preferred(catalog: Catalog, settings: Settings) -> list[str]:
    entry = catalog.entry(settings.transcribe_model)
    if entry is None:
        return []
    if not entry.commercial and not settings.allow_noncommercial:
        raise Invalid(
            f"The licence of {entry.name} ({entry.licence}) forbids commercial use, so it is no "
            "default. If that suits you, set FANSCRIBE_ALLOW_NONCOMMERCIAL=true.",
            code="noncommercial_default",
            field="transcribe_model",
        )
    return [entry.name]
