"""The store's operations on the term lists of owners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from services.model.terms import TermList


class TermStore(Protocol):
    """Part of the `Store`; its promises hold here as well."""

    def insert_term_list(self, terms: TermList) -> bool:
        """False, and nothing is written, if there is one with its id."""
        ...

    def term_list(self, list_id: str) -> TermList | None: ...

    def term_lists(self, owner: str, limit: int) -> list[TermList]:
        """By id."""
        ...

    def change_term_list(
        self, list_id: str, revision: int, fields: Mapping[str, Any]
    ) -> TermList | None:
        """Writes `fields` and revision + 1 if the revision is still `revision`."""
        ...

    def delete_term_list(self, list_id: str) -> None: ...
