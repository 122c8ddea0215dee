"""What a fault interrupted, and when it went on: read from the ledger, in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any

from benchmarks.faults.ledger import Entry
from translator_worker.batches import HOLD_S

_KILLS = frozenset({"kill", "kill_child"})
_UNNOTICED_S = 20.0  # no loss of a whole worker is noticed earlier, so no bell rings earlier


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An attempt that was under way on a node when that was killed."""

    job: str
    attempt: int
    at: float


def interrupted(entries: Sequence[Entry], node: str, at: float) -> list[Interrupted]:
    """What the node held at that moment, as far as was told from outside."""
    held: dict[str, int] = {}
    for each in entries:
        if each.t > at:
            break
        if each.kind == "granted" and each["node"] == node:
            held[each["job"]] = each["attempt"]
        elif each.kind == "granted":
            held.pop(each["job"], None)
        elif each.kind == "finished" and held.get(each["job"]) == each["attempt"]:
            del held[each["job"]]
    return [Interrupted(job, attempt, at) for job, attempt in held.items()]


def went_on(entries: Sequence[Entry], broken: Interrupted) -> float | None:
    """Seconds until the job was granted anew, or a report of the broken attempt was taken (its
    child had finished, or it was adopted; what the parent says for a dead child is no such report);
    None if never, or not before its task was retried:
    after the third loss nothing goes on by itself."""
    task = broken.job.partition("/")[0]
    orders = (e for e in entries if e.kind == "order" and e["task"] == task)
    ordered = min((e["asked"] for e in orders if e["asked"] > broken.at), default=inf)
    for each in entries:
        if each.t > ordered:
            return None
        if each.t <= broken.at or each.data.get("job") != broken.job:
            continue
        if each.kind == "granted" and each["attempt"] > broken.attempt:
            return each.t - broken.at
        if each.kind == "finished" and each["verdict"] == 200 and not _by_parent(each):
            return each.t - broken.at
    return None


def granted_again(entries: Sequence[Entry]) -> list[Entry]:
    """The grants of jobs that had been granted before. One that went back untouched does not count:
    it had waited behind others of its claim for as long as a job may."""
    granted: dict[tuple[str, int], float] = {}
    handed_back: set[tuple[str, int]] = set()
    again = []
    for each in entries:
        if each.kind == "granted":
            job, attempt = each["job"], each["attempt"]
            granted.setdefault((job, attempt), each.t)
            if attempt > 1 and (job, attempt - 1) not in handed_back:
                again.append(each)
        elif each.kind == "finished" and each.data.get("outcome") == "released":
            held = (each["job"], each["attempt"])
            if each.t - granted.get(held, each.t) >= HOLD_S:
                handed_back.add(held)
    return again


def _by_parent(told: Entry) -> bool:
    """What a parent reports for its dead child."""
    return told.data.get("failure") == "worker_lost" or told.data.get("outcome") == "released"


def kills(entries: Sequence[Entry]) -> Iterator[tuple[Entry, list[Interrupted]]]:
    """Each kill of a worker, with what it interrupted."""
    for each in entries:
        if each.kind == "fault" and each["name"] in _KILLS and each.data.get("node"):
            yield each, interrupted(entries, each["node"], each.t)


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long an interrupted job waited to run again. `struck_again` if meanwhile another worker
    that could have taken it was killed, maybe with its bell."""

    seconds: float
    struck_again: bool


def recoveries(entries: Sequence[Entry]) -> list[Recovery]:
    """Of all jobs that kills of workers interrupted. What a cancelled or dead job waits for is not
    counted."""
    strikes = [(e.t, _kind(e)) for e in entries if e.kind == "fault" and e["name"] in _KILLS]
    found = []
    for kill, broken in kills(entries):
        for each in broken:
            seconds = went_on(entries, each)
            if seconds is not None:
                unnoticed_s = _UNNOTICED_S if kill["name"] == "kill" else 0.0
                rang, ran = each.at + unnoticed_s, each.at + seconds
                again = any(rang < at < ran and kind == _kind(kill) for at, kind in strikes)
                found.append(Recovery(seconds, again))
    return found


def _kind(kill: Entry) -> str:
    return str(kill["part"]).rpartition("-")[0]


def noticed(entries: Sequence[Entry], opened_at: float) -> list[float]:
    """How long after the kill that interrupted it each lost attempt was noted in the job's
    history, as the API shows it. Where a node was struck more than once, a kill so near that no
    loss can have been noticed yet is not the one."""
    struck: dict[tuple[str, int], list[float]] = {}
    for _, broken in kills(entries):
        for each in broken:
            struck.setdefault((each.job, each.attempt), []).append(each.at)
    seen = []
    for attempt, at in _losses(entries, opened_at):
        before = [kill for kill in struck.get(attempt, []) if kill <= at]
        if before:
            far = [kill for kill in before if at - kill >= _UNNOTICED_S]
            seen.append(at - (far[-1] if far else before[0]))
    return seen


def _losses(entries: Sequence[Entry], opened_at: float) -> Iterator[tuple[tuple[str, int], float]]:
    """Job and attempt, and when it was noted."""
    for final in entries:
        if final.kind != "final":
            continue
        for each in final.data.get("attempts", []):
            if each["failure"] == "worker_lost" and each["node"]:
                attempt = place_of(final["task"], each), each["attempt"]
                yield attempt, datetime.fromisoformat(each["at"]).timestamp() - opened_at


def place_of(task: str, told: Mapping[str, Any]) -> str:
    """The job of an entry in a task's `attempts`; the orders of the bench have one item."""
    language, source = told["language"] or "-", told["source"] or "-"
    return f"{task}/{told['stage']}/0/{language}/{source}/{told['part']}/0"
