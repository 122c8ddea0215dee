"""What the client reads of term lists."""

from __future__ import annotations

from datetime import datetime

from services.model.glossary import Entry
from services.model.values import Stored


class TermListSummary(Stored):
    """A list without its terms, of which there are `count`."""

    id: str
    name: str
    description: str
    count: int
    revision: int
    created_at: datetime
    changed_at: datetime


class TermListView(TermListSummary):
    """A list with its terms."""

    terms: list[Entry]
