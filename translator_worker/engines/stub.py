"""An engine for tests: it says the sentence again with the target language in front of it.

`fail-<language>` in the text id makes that language fail for good, `say-3s` makes it take three
seconds, `die` kills the process. `stub-fail` in a sentence makes the whole batch fail, as a fault
of a real engine does, and `stub-die` kills the process in it.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from services.model.errors import FailureClass, JobFailed
from translator_worker.engines import Row, Translation

_FAIL = re.compile(r"fail-([a-z]{2,3}(?:-[A-Z][a-z]{3})?)(?![a-z])")
_SAY = re.compile(r"\bsay-(\d+)s\b")
_DIE = re.compile(r"\bdie\b")


@dataclass(frozen=True, slots=True)
class StubEngine:
    """Knows every language and none. Two for texts that ask for nothing odd are equal."""

    failing: frozenset[str] = frozenset()
    dies: bool = False
    takes_s: float = 0.0

    @classmethod
    def of(cls, text_id: str) -> StubEngine:
        found = _SAY.search(text_id)
        return cls(
            failing=frozenset(_FAIL.findall(text_id)),
            dies=bool(_DIE.search(text_id)),
            takes_s=float(found.group(1)) if found else 0.0,
        )

    def translate(
        self,
        rows: Sequence[Row],
        *,
        beam_size: int | None,  # noqa: ARG002 - the protocol's; a stub searches for nothing
    ) -> list[Translation]:
        if self.dies or any("stub-die" in row.text for row in rows):
            os.kill(os.getpid(), signal.SIGKILL)
        Event().wait(self.takes_s)  # under libfaketime time.sleep() fails
        if any("stub-fail" in row.text for row in rows):
            raise RuntimeError("The stub engine was asked to fail.")
        failing = next((row.target for row in rows if row.target in self.failing), None)
        if failing is not None:
            raise JobFailed(
                FailureClass.PERMANENT,
                "stub_failure",
                f"The stub engine was asked to fail for {failing}.",
            )
        return [
            Translation(f"[{row.target}] {row.text}" if row.text.strip() else "") for row in rows
        ]
