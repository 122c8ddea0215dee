"""How values become documents: the little that both adapters must do alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from services.model.values import Stored

Document = dict[str, Any]


def jsonable(kind: type[Stored], fields: Mapping[str, Any]) -> Document:
    """Fields as plain JSON values; a name that the document does not have is a ValueError."""
    unknown = fields.keys() - kind.model_fields.keys()
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    plain: Document = to_jsonable_python(dict(fields))
    return plain


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def without_texts(manifest: Document) -> Document:
    """The manifest of a purged task: what was asked for, but not in whose words."""
    items = [{**item, "text": None} for item in manifest["items"]]
    return {**manifest, "items": items}
