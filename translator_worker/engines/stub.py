"""An engine for tests: it says the sentence again with the target language in front of it.

`fail-<language>` in the text id makes that language fail for good, `say-3s` makes it take three
seconds, `die` kills the process.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Sequence
from threading import Event

from services.model.errors import FailureClass, JobFailed
from translator_worker.engines import Row, Translation

_FAIL = re.compile(r"fail-([a-z]{2,3}(?:-[A-Z][a-z]{3})?)(?![a-z])")
_SAY = re.compile(r"\bsay-(\d+)s\b")
_DIE = re.compile(r"\bdie\b")


class StubEngine:
    """Knows every language and none."""

    def __init__(self, text_id: str) -> None:
        self._failing = frozenset(_FAIL.findall(text_id))
        self._dies = bool(_DIE.search(text_id))
        found = _SAY.search(text_id)
        self._takes_s = float(found.group(1)) if found else 0.0

    def translate(
        self,
        rows: Sequence[Row],
        *,
        beam_size: int | None,  # noqa: ARG002 - the protocol's; a stub searches for nothing
    ) -> list[Translation]:
        if self._dies:
            os.kill(os.getpid(), signal.SIGKILL)
        Event().wait(self._takes_s)  # under libfaketime time.sleep() fails
        failing = next((row.target for row in rows if row.target in self._failing), None)
        if failing is not None:
            raise JobFailed(
                FailureClass.PERMANENT,
                "stub_failure",
                f"The stub engine was asked to fail for {failing}.",
            )
        return [
            Translation(f"[{row.target}] {row.text}" if row.text.strip() else "") for row in rows
        ]
