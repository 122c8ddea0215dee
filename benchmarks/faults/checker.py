"""Judges a run by its ledger alone: what was lost, doubled, stuck, wrong or slow."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.faults.client import ENDED
from benchmarks.faults.findings import Finding
from benchmarks.faults.ledger import Entry
from benchmarks.faults.notices import check_notices


def check(entries: Sequence[Entry]) -> list[Finding]:
    """Everything that breaks a promise. `slow` is for the caller to weigh."""
    rules = (
        _tasks_are_final, _tasks_end_as_allowed, _ends_stay, _orders_are_one_task,
        _attempts_rise, _attempts_have_one_holder, _nothing_is_committed_late,
        _jobs_succeed_once, _all_is_acknowledged, check_notices,
        _own_promises_hold, _times_are_inside,
    )  # fmt: skip
    return [finding for rule in rules for finding in rule(entries)]


# ── tasks ────────────────────────────────────────────────────────────────────────────────────


def _tasks_are_final(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every acknowledged task is still there and has ended."""
    finals = {each["task"]: each for each in _of(entries, "final")}
    for acked in _of(entries, "acked"):
        task = acked["task"]
        final = finals.get(task)
        if final is None:
            yield Finding("lost", task, "nobody asked for it at the end")
        elif final["state"] in {"gone", "unreadable"}:
            if final["state"] not in _allowed(entries, acked["order"]):
                yield Finding("lost", task, f"at the end it was {final['state']}")
        elif final["state"] not in ENDED:
            yield Finding("stuck", task, f"{final['state']}, {final.data.get('counts')}")


def _tasks_end_as_allowed(entries: Sequence[Entry]) -> Iterator[Finding]:
    """The final state is one of those allowed, the pack is that of a run without faults, and
    every cell has ended."""
    sent = {each["order"]: each for each in _of(entries, "sent")}
    order_of = {each["task"]: sent.get(each["order"]) for each in _of(entries, "acked")}
    for final in _of(entries, "final"):
        order = order_of.get(final["task"])
        state = final["state"]
        if order is None or state not in ENDED:
            continue
        if state not in order["allowed"]:
            told = f"{state} instead of {'/'.join(order['allowed'])}: {final.data.get('attempts')}"
            yield Finding("wrong", final["task"], told)
            continue
        if state in {"succeeded", "partial"} and final["pack"] != order["expected"]:
            told = f"the pack is {_short(final['pack'])}, not {_short(order['expected'])}"
            yield Finding("wrong", final["task"], told)
        yield from _cells(final, order)


def _cells(final: Entry, order: Entry) -> Iterator[Finding]:
    cells = final["cells"]
    if {"waiting", "running"} & cells.keys():
        yield Finding("wrong", final["task"], f"it has ended, its cells have not: {cells}")
    if final["state"] == "succeeded":
        want = sum(len(ss) for texts in order["expected"].values() for ss in texts.values())
        if cells != {"done": want}:
            yield Finding("wrong", final["task"], f"{cells} instead of {want} cells done")


def _ends_stay(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A task that has ended keeps its state, unless it was retried or deleted."""
    ended: dict[str, str] = {}
    for each in entries:
        if each.kind == "order" and each["verb"] in {"retry", "delete"}:
            ended.pop(each["task"], None)
        elif each.kind in {"terminal", "final"}:
            before = ended.setdefault(each["task"], each["state"])
            if before != each["state"]:
                yield Finding("wrong", each["task"], f"it was {before}, then {each['state']}")


def _orders_are_one_task(entries: Sequence[Entry]) -> Iterator[Finding]:
    """However often an order was sent, it is one task."""
    tasks: dict[str, set[str]] = defaultdict(set)
    for each in _of(entries, "acked"):
        tasks[each["order"]].add(each["task"])
    for order, made in tasks.items():
        if len(made) > 1:
            yield Finding("doubled", order, f"one order became the tasks {sorted(made)}")


# ── attempts ─────────────────────────────────────────────────────────────────────────────────


def _attempts_rise(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A claim that was made after another one was answered gets a higher attempt."""
    for job, grants in _by_job(entries, "granted").items():
        for index, later in enumerate(grants):
            for before in grants[:index]:
                if before["token"] == later["token"] or before.t > later["asked"]:
                    continue
                if later["attempt"] <= before["attempt"]:
                    told = f"attempt {later['attempt']} was granted after {before['attempt']}"
                    yield Finding("wrong", job, told)


def _attempts_have_one_holder(entries: Sequence[Entry]) -> Iterator[Finding]:
    for job, grants in _by_job(entries, "granted").items():
        holders: dict[int, set[str]] = defaultdict(set)
        for each in grants:
            holders[each["attempt"]].add(each["token"])
        for attempt, tokens in holders.items():
            if len(tokens) > 1:
                yield Finding("doubled", job, f"attempt {attempt} was granted to {len(tokens)}")


def _nothing_is_committed_late(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A last word that was first told after a higher attempt had been granted is refused. One
    that was told before, and whose answer got lost, may be acknowledged at any time."""
    grants = _by_job(entries, "granted")
    for (job, attempt), told in _by_attempt(entries).items():
        taken = [each for each in told if each["verdict"] in {200, None}]
        if not any(each["verdict"] == 200 for each in taken):
            continue
        first = min(each["asked"] for each in taken)
        over = [g for g in grants.get(job, []) if g["attempt"] > attempt and g.t < first]
        if over:
            told_of = f"attempt {attempt} was taken after {over[0]['attempt']} had been granted"
            yield Finding("wrong", job, told_of)


def _jobs_succeed_once(entries: Sequence[Entry]) -> Iterator[Finding]:
    for job, reports in _by_job(entries, "finished").items():
        taken = {
            each["attempt"]
            for each in reports
            if each["outcome"] == "succeeded" and each["verdict"] == 200
        }
        if len(taken) > 1:
            yield Finding("doubled", job, f"success was taken from attempts {sorted(taken)}")


def _all_is_acknowledged(entries: Sequence[Entry]) -> Iterator[Finding]:
    for each in _of(entries, "unanswered"):
        yield Finding("wrong", each["order"], f"never acknowledged: {each['why']}")


def _own_promises_hold(entries: Sequence[Entry]) -> Iterator[Finding]:
    """What a scenario itself expected, and a scenario that could not go on."""
    for each in _of(entries, "broken"):
        yield Finding("wrong", "the scenario", each["told"])


def _times_are_inside(entries: Sequence[Entry]) -> Iterator[Finding]:
    for each in _of(entries, "measured"):
        if each["limit"] is not None and not each["seconds"] <= each["limit"]:  # nan is not
            told = f"{each['seconds']:.1f} s, at most {each['limit']:g} s ({each['about']})"
            yield Finding("slow", each["name"], told)


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def _of(entries: Iterable[Entry], kind: str) -> list[Entry]:
    return [each for each in entries if each.kind == kind]


def _by_job(entries: Iterable[Entry], kind: str) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for each in _of(entries, kind):
        found[each["job"]].append(each)
    return found


def _by_attempt(entries: Iterable[Entry]) -> dict[tuple[str, int], list[Entry]]:
    found: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for each in _of(entries, "finished"):
        found[each["job"], each["attempt"]].append(each)
    return found


def _allowed(entries: Iterable[Entry], order: str) -> set[str]:
    return {state for e in _of(entries, "sent") if e["order"] == order for state in e["allowed"]}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}…"
