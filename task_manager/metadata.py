"""What a caller wants given back with a task: JSON that stays small and shallow."""

from __future__ import annotations

from collections.abc import Mapping

from services.model.errors import Invalid
from services.model.pack import dumps

MAX_METADATA = 16 * 1024  # bytes of JSON
MAX_DEPTH = 20  # levels of objects and lists in it


def check_metadata(metadata: Mapping[str, object]) -> None:
    """Raises Invalid for what is too deep, too large or no text."""
    if not _is_shallow(metadata, MAX_DEPTH):
        raise Invalid(
            f"Metadata is nested up to {MAX_DEPTH} deep.",
            code="metadata_too_deep",
            field="metadata",
        )
    try:
        size = len(dumps(metadata).encode())
    except UnicodeEncodeError as error:
        raise Invalid(
            "The metadata holds half a surrogate pair, which is no text.",
            code="bad_unicode",
            field="metadata",
        ) from error
    if size > MAX_METADATA:
        raise Invalid(
            f"The metadata is {size} bytes of JSON; up to {MAX_METADATA} are kept.",
            code="metadata_too_large",
            field="metadata",
        )


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, Mapping | list):
        return True
    inside = value.values() if isinstance(value, Mapping) else value
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inside)
