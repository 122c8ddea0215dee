"""What a translation depends on beside its sentence: the model's files, and how they are run.

A hash of it stands in the digest of each sentence that is remembered, so that nothing that was
made otherwise can ever answer: another model, another beam, another release of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.model.catalog import ModelEntry
from services.model_identity import described, hash_of, identity, releases
from translator_worker.engines import Row

_PROGRAMS = ("fanscribe", "ctranslate2", "sentencepiece", "opencc")


def of_folder(folder: Path, entry: ModelEntry, **run: str) -> str:
    """Of a model in a folder, what the catalog says of it, and how it is `run`."""
    return identity(folder, entry, _PROGRAMS, **run)


def of_service(entry: ModelEntry) -> str:
    """Of a chat service: all that decides what it is asked."""
    return hash_of([releases(_PROGRAMS), described(entry)])


def digest(row: Row, on: str, beside: Sequence[Sequence[str]] = ()) -> str:
    """Of a row whose translation depends `on` that, on the terms that stand in it, and on what
    stands `beside` it."""
    terms = [(each.start, each.put) for each in row.terms.spans_in(row.text)] if row.terms else []
    return hash_of([on, row.text, row.source, row.target, terms, beside])
