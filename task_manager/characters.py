"""Which characters a name and a text may have: no half of a pair, and nothing that steers
a screen."""

from __future__ import annotations

import re
import unicodedata

from services.model.errors import Invalid

NOT_IN_NAMES = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
NOT_IN_TEXTS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def check_characters(text: str, field: str, forbidden: re.Pattern[str] = NOT_IN_NAMES) -> None:
    """Raises Invalid for half a surrogate pair and for control characters."""
    found = forbidden.search(text)
    if found is None:
        return
    character = found.group()
    if unicodedata.category(character) == "Cs":
        raise Invalid(
            f"Character {found.start()} is half a surrogate pair, which is no text.",
            code="bad_unicode",
            field=field,
        )
    raise Invalid(
        f"Character {found.start()} is the control character U+{ord(character):04X}.",
        code="control_character",
        field=field,
    )
