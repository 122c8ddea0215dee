"""Where a page of tasks or of jobs ended, as an opaque word."""

from __future__ import annotations

import base64
import json
import math
import re

from services.model.errors import Invalid

_NAME = re.compile(r"[\w/@.=-]{1,200}", re.ASCII)  # the id of a task or of a job


def write(at: float, name: str) -> str:
    raw = json.dumps([at, name]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read(cursor: str) -> tuple[float, str]:
    """Raises Invalid `bad_cursor` for a word that we did not write."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, name = json.loads(raw)
        if isinstance(at, float) and math.isfinite(at) and _NAME.fullmatch(name):
            return at, name
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise Invalid(
        "Use the `next` of an earlier page as it is, or none.", code="bad_cursor", field="cursor"
    )
