"""A translated sentence that is kept, so that nobody need translate it again for the same owner."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.model.values import Stored

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A hash over a sentence, or a piece of sound, and all that what is made of it depends on; the
worker's own, and only ever compared with others."""

LONGEST = 4000  # characters of a translation; what is longer hardly comes twice


class Remembered(Stored):
    """`id` is made of owner and digest; `task_id` is the task that it was made for, with which it
    goes. The sentence itself is not here: its digest, which names the model and all that the
    translation depends on as well, is a hash."""

    id: str
    task_id: str
    at: float
    text: str


def remembered_id(owner: str, digest: str) -> str:
    """Each owner has sentences of its own: a hit must not tell that somebody else had it."""
    return f"{digest}/{owner}"
