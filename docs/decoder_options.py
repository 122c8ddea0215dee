"""The options of the decoder as rows of tables, for `docs/generate.py`, from the code that holds a
request to them."""  # noqa: INP001  a script beside its pages, not a package

from __future__ import annotations

import re
from typing import Any

from services.model.decoding import Decoding
from task_manager.decode_options import IMPOSSIBLE, ONE_BY_ONE
from task_manager.schemas.new_task import OtherNames


def options() -> list[list[str]]:
    """Name, range, default, meaning."""
    schema = Decoding.model_json_schema()
    return [
        [f"`{name}`", _range(about), _written(about.get("default")), about["description"]]
        for name, about in schema["properties"].items()
    ]


def other_names() -> list[list[str]]:
    """Those that can be used."""
    fields = OtherNames.model_fields.items()
    return [[f"`{n}`", str(about.description)] for n, about in fields if n not in IMPOSSIBLE]


def impossible() -> list[list[str]]:
    """Options, where they are refused, and why."""
    never = [[f"`{name}`", "always", reason] for name, reason in IMPOSSIBLE.items()]
    batched = [[f"`{name}`", "batched", reason] for name, reason in ONE_BY_ONE.items()]
    return never + batched


def _range(about: dict[str, Any]) -> str:
    """Of one value, of the values of a list, or of what may be null."""
    kinds = about.get("anyOf", [about])
    words = [_of_kind(kind) for kind in kinds]
    return " or ".join(words)


def _of_kind(kind: dict[str, Any]) -> str:
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    match kind["type"]:
        case "null":
            return "`null`"
        case "boolean":
            return "`true`, `false`"
        case "string":
            return f"text, up to {kind['maxLength']} characters"
        case "array":
            return f"list of {_of_kind(kind['items'])}"
        case _:
            least = kind.get("minimum", kind.get("exclusiveMinimum"))
            above = "above " if "exclusiveMinimum" in kind else ""
            most = kind.get("maximum", kind.get("exclusiveMaximum"))
            below = " (not included)" if "exclusiveMaximum" in kind else ""
            return f"{above}{least:g} to {most:g}{below}"


def _written(default: Any) -> str:
    text = "null" if default is None else str(default).replace("'", "")
    text = {"True": "true", "False": "false", "": "empty"}.get(text, text)
    return re.sub(r"\.0\b", "", f"`{text}`")
