"""Reads what a claim won: a grant of a newer release than this worker goes back whole.

To read over what it asks for would give another result than was asked for, and in silence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import ValidationError

from services.model.messages import Grant, Granted, Report

_MOST_NAMED = 8
_LONGEST_NAME = 200


def read(answer: bytes) -> tuple[Granted, list[Report]]:
    """The grants that are understood, and the words by which the others are released; raises
    ValidationError or ValueError where it is no answer to a claim."""
    try:
        return Granted.model_validate_json(answer, extra="forbid"), []
    except ValidationError:
        whole = json.loads(answer)
    understood: list[Grant] = []
    strange: list[Report] = []
    for each in whole.pop("grants", []):
        try:
            understood.append(Grant.model_validate(each, extra="forbid"))
        except ValidationError as error:
            report = {"job": each.get("job"), "attempt": each.get("attempt"), "released": True}
            strange.append(Report.model_validate({**report, "unknown": _places(error)}))
    granted = Granted.model_validate({**whole, "grants": understood}, extra="ignore")
    return granted, strange


def _places(error: ValidationError) -> Sequence[str]:
    """Where it is not understood, as dotted paths."""
    found = dict.fromkeys(".".join(map(str, each["loc"])) for each in error.errors())
    return [place[:_LONGEST_NAME] for place in found][:_MOST_NAMED]
