"""The operator's own file of models: read, checked, and laid over what is known without it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.model.catalog import ModelEntry
from services.model.errors import Invalid
from services.model.languages import parse_language
from services.model.pivots import chained

Complete = Callable[[ModelEntry], ModelEntry]  # with what only the disk knows


def read_catalog_file(
    path: Path, known: Mapping[str, ModelEntry], complete: Complete
) -> list[ModelEntry]:
    """The `[[model]]` tables of a file, each laid over the known entry of its name. Hops are known
    models, or others of the file, wherever they stand in it.

    Raises Invalid `bad_catalog_file`, which says what to mend.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("model", [])
        single = [complete(entry_of(table, known)) for table in tables if "hops" not in table]
        hops = {**known, **{entry.name: entry for entry in single}}
        chains = [_chain(table, hops) for table in tables if "hops" in table]
        made = {entry.name: entry for entry in (*single, *chains)}
        return [made[table["name"]] for table in tables]
    except (OSError, ValueError, AttributeError, TypeError, Invalid) as error:
        reason = _first_line(error)
        raise Invalid(
            f"The catalog file {path} cannot be used: {reason}",
            code="bad_catalog_file",
            field="catalog_file",
        ) from error


def _chain(table: Mapping[str, Any], known: Mapping[str, ModelEntry]) -> ModelEntry:
    if missing := [name for name in table["hops"] if name not in known]:
        raise ValueError(f"hops: there is no model {missing[0]!r}")
    entry = entry_of({**table, "hops": [known[name] for name in table["hops"]]})
    return chained(entry)


def entry_of(table: Mapping[str, Any], known: Mapping[str, ModelEntry] | None = None) -> ModelEntry:
    """One table, laid over the known entry of its name. Raises ValueError or Invalid."""
    unknown = set(table) - set(ModelEntry.model_fields)
    if unknown:
        raise ValueError(f"a model has no {', '.join(sorted(unknown))}")
    beneath = (known or {}).get(table.get("name", ""))
    before = beneath.model_dump() if beneath else {}
    entry = ModelEntry.model_validate({**before, **table})
    return entry.model_copy(
        update={
            "pivot": parse_language(entry.pivot, field="pivot") if entry.pivot else "",
            "languages": [parse_language(tag, field="languages") for tag in entry.languages],
            "pairs": [
                (parse_language(a, field="pairs"), parse_language(b, field="pairs"))
                for a, b in entry.pairs
            ],
        }
    )


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
