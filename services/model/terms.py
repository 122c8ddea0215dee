"""Terms that an owner keeps under a name: how they are heard, and how they are translated."""

from __future__ import annotations

from hashlib import sha256

from services.model.glossary import Entry
from services.model.values import Stored


class TermList(Stored):
    """Terms that an owner keeps under a name. Its id is a function of both, so that there is one
    list of a name; `revision` rises with each change."""

    id: str
    owner: str
    name: str
    description: str = ""
    terms: list[Entry]
    created_at: float
    changed_at: float
    revision: int = 1


def list_id(owner: str, name: str) -> str:
    digest = sha256(f"{owner}\n{name}".encode()).hexdigest()
    return f"tl_{digest[:24]}"
