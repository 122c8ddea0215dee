"""An engine for tests: it says the sentence again with the target language in front of it.

`fail-<language>` in the text id makes that language fail for good.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.model.errors import FailureClass, JobFailed
from translator_worker.engines import Translation

_FAIL = re.compile(r"fail-([a-z]{2,3}(?:-[A-Z][a-z]{3})?)(?![a-z])")


class StubEngine:
    """Knows every language and none."""

    def __init__(self, text_id: str) -> None:
        self._failing = frozenset(_FAIL.findall(text_id))

    def translate(
        self,
        texts: Sequence[str],
        source: str,  # noqa: ARG002 - the protocol's; a stub translates from anything
        target: str,
        *,
        beam_size: int | None,  # noqa: ARG002
    ) -> list[Translation]:
        if target in self._failing:
            raise JobFailed(
                FailureClass.PERMANENT,
                "stub_failure",
                f"The stub engine was asked to fail for {target}.",
            )
        return [Translation(f"[{target}] {text}" if text.strip() else "") for text in texts]
