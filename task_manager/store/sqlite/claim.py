"""The claim in SQLite: one transaction that answers a token, or gives it the best due jobs."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from typing import NamedTuple

from services.model.job import Job, Lease
from services.model.states import JobState
from task_manager.store.sqlite.database import Database, change, document_of
from task_manager.store.sqlite.schema import JOBS

_CANDIDATE = "SELECT id, priority, rank, due, alone, avoid, size FROM jobs"
_ORDER = "ORDER BY priority, rank, due, id"


class Candidate(NamedTuple):
    """A due job of the queue, with what decides whether this node gets it."""

    id: str
    priority: int
    rank: int
    due: float
    alone: int
    avoid: str
    size: float

    @property
    def place(self) -> tuple[int, int, float]:
        return self.priority, self.rank, self.due


class ClaimTables(Database):
    def claim(
        self,
        *,
        queue: str,
        models: Sequence[str],
        node: str,
        token: str,
        limit: int,
        most_size: float | None = None,
        announced: str | None = None,
        others: Sequence[str] = (),
    ) -> list[Job]:
        def work(connection: sqlite3.Connection) -> list[Job]:
            held = _held(connection, token)
            if held:
                return held
            now = self._now(connection)
            due = _due(connection, queue, models, now, announced)
            chosen = choose(due, limit=limit, most_size=most_size, node=node, others=others)
            due.close()  # no statement may stay open over the writes
            lease = Lease(node=node, token=token)
            return [_win(connection, job_id, lease, now) for job_id in chosen]

        return self._write(work)


def choose(
    due: Iterable[Candidate],
    *,
    limit: int,
    most_size: float | None,
    node: str,
    others: Sequence[str],
) -> list[str]:
    """The best that go together: a job with a history goes alone, and none is passed over for
    its size, for a small one behind it is not its better."""
    chosen: list[str] = []
    left = math.inf if most_size is None else most_size
    for candidate in due:
        if len(chosen) >= limit:
            break
        avoid = json.loads(candidate.avoid)
        if node in avoid and not set(others) <= set(avoid):
            continue
        if candidate.alone:
            if not chosen:
                return [candidate.id]
            continue
        if chosen and candidate.size > left:
            break
        chosen.append(candidate.id)
        left -= candidate.size
    return chosen


def _due(
    connection: sqlite3.Connection,
    queue: str,
    models: Sequence[str],
    now: float,
    announced: str | None,
) -> Generator[Candidate]:
    """Due jobs in claim order, read as far as they are asked for; the announced one stands
    before its equals."""
    served = list(dict.fromkeys(["", *models]))
    where = (
        "WHERE state = 'waiting' AND queue = ? AND due <= ?"
        f" AND model IN ({', '.join('?' * len(served))})"
    )
    values = (queue, now, *served)
    early = connection.execute(f"{_CANDIDATE} {where} AND id = ?", (*values, announced)).fetchone()
    first = None if early is None else Candidate(*early)
    for row in connection.execute(f"{_CANDIDATE} {where} {_ORDER}", values):
        candidate = Candidate(*row)
        if first is not None and candidate.place == first.place:
            yield first
            first = None
        if candidate.id != announced:
            yield candidate


def _held(connection: sqlite3.Connection, token: str) -> list[Job]:
    sql = f"SELECT doc FROM jobs WHERE state = 'running' AND lease_token = ? {_ORDER}"
    return [JOBS.read(doc) for (doc,) in connection.execute(sql, (token,)).fetchall()]


def _win(connection: sqlite3.Connection, job_id: str, lease: Lease, now: float) -> Job:
    document = document_of(connection, JOBS, job_id)
    assert document is not None
    fields = {
        "state": JobState.RUNNING,
        "open": True,
        "attempt": document["attempt"] + 1,
        "lease": lease,
        "claimed_at": now,
        "progress": 0.0,
        "progress_number": 0,  # a new attempt counts its progress from 1 again
    }
    return Job.model_validate(change(connection, JOBS, document, fields))
