"""Writers that wait for the disk together share one commit.

A commit costs a sync of the disk, milliseconds on a busy one. While one is under way other
threads line up; whoever is let in next runs the work of all of them in one transaction. Each
piece of work is whole or not at all by itself, and none returns before its commit is on disk.

Other processes are met at the file. SQLite's own way to wait for one of them sleeps longer and
longer, up to a tenth of a second for a lock that is held for a thousandth: we ask more often.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any, Generic, TypeVar

from services.model.errors import OutOfSpace, RequestRefused
from task_manager.store.protocol import StoreUnavailable

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]

BUSY_S = 10.0  # how long another process's transaction is waited for
_ASK_EVERY_S = 0.0005
_PRIMARY = 0xFF  # the part of an extended error code that says what kind it is


class Turn(Generic[T]):
    """One writer's work and what came of it."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.done = False
        self.results: list[T] = []
        self.error: Exception | None = None

    def take(self, connection: sqlite3.Connection) -> None:
        self.results = [self.work(connection)]

    def take_among_others(self, connection: sqlite3.Connection) -> None:
        """Runs the work in a savepoint. An error is the writer's own, unless SQLite gave up the
        whole transaction over it."""
        connection.execute("SAVEPOINT turn")
        try:
            self.take(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO turn")
            self.error = error
        connection.execute("RELEASE turn")


class Commits:
    """The line of writers of this process."""

    def __init__(self, lend: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._lend = lend
        self._line: deque[Turn[Any]] = deque()
        self._leading = Lock()

    def run(self, work: Work[T]) -> T:
        """What the work returns, once it is on disk."""
        turn = Turn(work)
        self._line.append(turn)
        with self._leading:
            if not turn.done:
                self._lead()
        if turn.error is not None:
            raise turn.error
        return turn.results[0]

    def _lead(self) -> None:
        turns = [self._line.popleft() for _ in range(len(self._line))]
        failure: RequestRefused | None = StoreUnavailable("The write was interrupted.")
        try:
            with self._lend() as connection:
                _commit(connection, turns)
            failure = None
        except (StoreUnavailable, OutOfSpace) as error:
            failure = error
        finally:
            for turn in turns:
                turn.done = True
                if failure is not None:
                    turn.error = type(failure)(failure.message)  # each thread raises its own


def _commit(connection: sqlite3.Connection, turns: list[Turn[Any]]) -> None:
    _begin(connection)
    try:
        if len(turns) == 1:
            turns[0].take(connection)  # its error ends the transaction, and is raised as it is
        else:
            for turn in turns:
                turn.take_among_others(connection)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _begin(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + BUSY_S
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > deadline:
                    raise
                time.sleep(_ASK_EVERY_S)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000:.0f}")
