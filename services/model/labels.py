"""Labels of nodes: short plain names and values, for they become parts of queue names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from services.model.errors import Invalid

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}")
_RULE = "1 to 63 letters, digits, dots, dashes or underscores, and begins with a letter or digit"


def check_labels(labels: Mapping[str, str | None], field: str) -> None:
    """Raises Invalid, `bad_label`; a value may be None where it is to be taken away."""
    for name, value in labels.items():
        for word in (name,) if value is None else (name, value):
            if not _WORD.fullmatch(word):
                raise Invalid(
                    f"{word[:80]!r} is no part of a label: it has {_RULE}.",
                    code="bad_label",
                    field=f"{field}.{name[:80]}",
                )


def check_label(label: str, field: str) -> str:
    """The label as it was given, `name=value`. Raises Invalid, `bad_label`."""
    name, equals, value = label.partition("=")
    if not (equals and _WORD.fullmatch(name) and _WORD.fullmatch(value)):
        raise Invalid(
            f"A label is written name=value, such as zone=b; each side has {_RULE}.",
            code="bad_label",
            field=field,
        )
    return label


def check_node_id(node: str, field: str) -> None:
    """A node's id stands in addresses. Raises Invalid, `bad_node_id`."""
    if not _NODE_ID.fullmatch(node):
        raise Invalid(
            f"{node[:80]!r} is no name for a node: FANSCRIBE_NODE has 1 to 127 letters, digits, "
            "dots, dashes or underscores, and begins with a letter or digit.",
            code="bad_node_id",
            field=field,
        )
