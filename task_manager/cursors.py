"""Where a page of the task list ended, as an opaque word."""

from __future__ import annotations

import base64
import json
import math

from services.model.errors import Invalid


def write(created_at: float, task_id: str) -> str:
    raw = json.dumps([created_at, task_id]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read(cursor: str) -> tuple[float, str]:
    """Raises Invalid `bad_cursor` for a word that we did not write."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        created_at, task_id = json.loads(raw)
        if isinstance(created_at, float) and math.isfinite(created_at) and task_id.isalnum():
            return created_at, task_id
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise Invalid(
        "Use the `next` of an earlier page as it is, or none.", code="bad_cursor", field="cursor"
    )
