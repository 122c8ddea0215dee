"""Who did what: a log line at once, and a stored line within a second.

The ticker stores what was noted since its last look in one write, so that taking a task costs no
write more. A manager that is killed loses at most the stored lines of that second; the log lines
are out.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from services import logs
from services.model.access import AuditLine
from services.model.errors import RequestRefused
from task_manager.callers import Caller
from task_manager.store.protocol import Store

log = logs.get(__name__)

_LONGEST_SUBJECT = 200  # characters; a caller may name what is not there
_MOST_WAITING = 10_000  # lines, while the store is away; then the oldest go


class AuditLog:
    """Lines on their way to the store. Any thread may add and flush."""

    def __init__(self) -> None:
        self._waiting: list[dict[str, Any]] = []  # lines, `at` by our monotonic clock
        self._changing = threading.Lock()

    def add(self, caller: Caller, address: str, *, action: str, subject: str, outcome: str) -> None:
        said = {
            "key": caller.key,
            "owner": caller.owner,
            "subject": subject[:_LONGEST_SUBJECT],
            "outcome": outcome,
        }
        log.info("audit", done=action, **said, address=address)
        line = {"at": time.monotonic(), "action": action, "address": address, **said}
        with self._changing:
            self._waiting.append({"id": secrets.token_hex(12), **line})
            del self._waiting[:-_MOST_WAITING]

    def flush(self, store: Store) -> None:
        """Stores what waits; when that fails it goes on waiting."""
        with self._changing:
            lines, self._waiting = self._waiting, []
        if not lines:
            return
        try:
            offset = store.now() - time.monotonic()
            store.add_audit([AuditLine(**{**line, "at": line["at"] + offset}) for line in lines])
        except BaseException:
            with self._changing:
                self._waiting = [*lines, *self._waiting][-_MOST_WAITING:]
            raise


@dataclass(slots=True)
class Note:
    """One order, while it is carried out; whoever carries it out says on what."""

    subject: str


@dataclass(frozen=True, slots=True)
class Clerk:
    """Writes down what one caller orders. Subjects are ids: no text, file name or key goes in."""

    log: AuditLog
    caller: Caller
    address: str

    @contextmanager
    def noting(self, action: str, subject: str = "") -> Iterator[Note]:
        """`with clerk.noting("task.cancel", task.id):`; how it ends is noted as well."""
        note = Note(subject)
        try:
            yield note
        except RequestRefused as refused:
            self._add(action, note, refused.code)
            raise
        except BaseException:
            self._add(action, note, "failed")
            raise
        self._add(action, note, "ok")

    def _add(self, action: str, note: Note, outcome: str) -> None:
        self.log.add(
            self.caller, self.address, action=action, subject=note.subject, outcome=outcome
        )
