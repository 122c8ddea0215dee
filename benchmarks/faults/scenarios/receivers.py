"""Receivers of webhooks fail in every way while managers die."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from benchmarks.faults.deliveries import RETRY_AFTER_S, SCALE, TRIES, after_gone, timings
from benchmarks.faults.ledger import Entry
from benchmarks.faults.orders import Order
from benchmarks.faults.owners import second_owner
from benchmarks.faults.process import wait_for
from benchmarks.faults.proxy import TcpProxy
from benchmarks.faults.receiver import status
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.sinks import (
    ERRORS,
    RESETS,
    Sink,
    Sinks,
    always,
    at_first,
    each_at_first,
    flood,
    well,
)
from benchmarks.faults.topology import Topology
from benchmarks.faults.traffic import Traffic
from services.model.webhook import secret_of

_HEARD_S = 4.0  # until both managers know of a new webhook
_SETTLED_S = 240.0
_OWN_SECRET = secret_of(b"o" * 24)
_LANGUAGE, _DEATH = "language.completed", "job.dead"
_PUNCTUAL = frozenset({"well", "flood", "errors", "never", "moved", "few", "other", "own"})


@scenario(
    "T29",
    "webhook receivers that fail in every way while managers are killed",
    limits={"late": 10.0, "late_after_kill": 75.0},
    full={"kills": 7, "rate": 0.8},
    full_stack=Topology(
        rhythm="real",
        settings={
            "FANSCRIBE_RETRY_SCALE": str(SCALE),
            "FANSCRIBE_PRIVATE_NETWORKS": "127.0.0.0/8",
        },
    ),
    alongside=True,
)
def receivers(bench: Bench, *, kills: int, rate: float) -> None:
    """Each who lives is told everything under one id, in the schedule; 410 ends it, a redirect is
    not followed, nobody is told what is not his, and what was given up can be sent again."""
    with (
        second_owner(bench) as other,
        closing(Sinks(bench.ledger, bench.traffic.rest)) as sinks,
    ):
        _listen(sinks, other)
        time.sleep(_HEARD_S)
        other.pour(other.make.text() for _ in range(2))
        with bench.traffic.flow(rate, lambda: _some(bench, sinks)):
            _kill_managers(bench, sinks, kills)
        bench.finish(120)
        other.wait(60)
        other.collect()
        _who_listens(bench, sinks, other)
        _settle(sinks)
        _given_up(bench, sinks)
        _what_the_log_says(bench, sinks)
    for each in bench.seen("delivery"):
        _kept_the_schedule(bench, each)


def _listen(sinks: Sinks, other: Traffic) -> None:
    elsewhere = sinks.add("well", well)
    made = [
        elsewhere,
        sinks.add("flood", flood),
        sinks.add("errors", each_at_first(*ERRORS)),
        sinks.add("resets", each_at_first(*RESETS)),
        sinks.add("busy", at_first(*[(429, status(429, Retry_After=str(RETRY_AFTER_S)))] * 3)),
        sinks.add("slow", sinks.slowly()),
        sinks.add_behind("cut", TcpProxy.cut),
        sinks.add_behind("half-open", TcpProxy.half_open),
        sinks.add_closed("closed"),
        sinks.add("never", always(500)),
        sinks.add("gone", always(410), lives=False),
        sinks.add("moved", always(302, Location=f"{elsewhere.url}/stolen"), lives=False),
    ]
    for each in made:
        sinks.register(each)
    sinks.register(sinks.add("few", well), _LANGUAGE, _DEATH)
    sinks.register(sinks.add("other", well), rest=other.rest)
    sinks.add("own", well).secret = _OWN_SECRET


def _some(bench: Bench, sinks: Sinks) -> Order:
    """It brings a URL of its own."""
    kind = bench.rng.randrange(3)
    order = bench.make.text() if kind == 0 else bench.make.clip(targets=1)
    if kind == 1:
        order = bench.make.clip(mark="fail-permanent", targets=1).but("failed")
    url = sinks.by_name["own"].url.replace("/hook", f"/{order.name}")
    order.body["webhook"] = {"url": url, "secret": _OWN_SECRET}
    return order


def _kill_managers(bench: Bench, sinks: Sinks, kills: int) -> None:
    """One after the other, and half-way both at once; then who was out of reach comes back."""
    names = bench.stack.managers
    for number in range(kills):
        time.sleep(bench.rng.uniform(2.0, 5.0))
        struck = names if number == kills // 2 else [names[number % len(names)]]
        for name in struck:
            bench.stack.kill(name)
        for name in struck:
            bench.stack.restart(name)
        if number == kills // 2:
            sinks.mend()


def _settle(sinks: Sinks) -> None:
    """Until nothing is pending. Raises TookTooLong."""
    for sink in sinks.webhooks:
        _settled(sink)


def _settled(sink: Sink) -> None:
    def still() -> bool:
        return not list(_log(sink, state="pending"))

    wait_for(f"the end of the webhooks to {sink.name}", still, _SETTLED_S)


def _given_up(bench: Bench, sinks: Sinks) -> None:
    """It is listed, and sent again when the receiver is well."""
    never, gone, moved = (sinks.by_name[name] for name in ("never", "gone", "moved"))
    view = gone.rest.get(f"/v1/webhooks/{gone.webhook}")
    notices = [each for each in bench.seen("notice") if each["name"] == "gone"]
    for wrong in after_gone(view, notices, bench.ledger.opened_at):
        bench.expect(False, wrong)
    for sink, code in ((never, 500), (moved, 302)):
        for each in _log(sink):
            came = [one["status"] for one in each["attempts"]]
            good = each["state"] == "dead" and came == [code] * TRIES
            bench.expect(good, f"{sink.name}: {each['state']} after {came}")
    for sink in (never, gone):
        sink.way = well
        _replay(bench, sink)
    _settle(sinks)
    left = [*_log(never, state="dead"), *_log(gone, state="dead")]
    bench.expect(not left, f"{len(left)} were not sent again")


def _replay(bench: Bench, sink: Sink) -> None:
    path = f"/v1/webhooks/{sink.webhook}"
    sink.rest.patch(path, {"enabled": True})
    more = True
    while more:
        told = sink.rest.ask("POST", f"{path}/replay")
        if not bench.expect(told is not None and told.is_success, f"no replay of {sink.name}"):
            return
        more = told is not None and bool(told.json()["more"])


def _who_listens(bench: Bench, sinks: Sinks, other: Traffic) -> None:
    """Into the ledger, for the checker."""
    for sink in sinks.by_name.values():
        tasks = other.tasks if sink.name == "other" else bench.traffic.tasks
        if sink.name != "own":
            bench.ledger.write(
                "listens", name=sink.name, tasks=tasks, events=sink.events, lives=sink.lives
            )
    own = sinks.by_name["own"]
    for each in bench.seen("acked"):
        if each["task"] in bench.traffic.tasks:
            bench.ledger.write(
                "listens",
                name=f"own/{each['order']}",
                tasks=[each["task"]],
                events=own.events,
                lives=True,
            )


def _what_the_log_says(bench: Bench, sinks: Sinks) -> None:
    """Into the ledger as well."""
    rest = bench.traffic.rest
    found = [(sink.name, each) for sink in sinks.webhooks for each in _log(sink)]
    for task in bench.traffic.tasks:
        page = rest.get(f"/v1/tasks/{task}/deliveries", limit=200)
        found += [("own", each) for each in page["deliveries"] if each["webhook"] is None]
    for name, each in found:
        bench.ledger.write(
            "delivery",
            name=name,
            id=each["id"],
            state=each["state"],
            created=each["created_at"],
            tries=each["attempts"],
        )


def _log(sink: Sink, **query: Any) -> Iterator[dict[str, Any]]:
    """The deliveries of a webhook."""
    while True:
        page = sink.rest.get(f"/v1/webhooks/{sink.webhook}/deliveries", **query)
        yield from page["deliveries"]
        if page["next"] is None:
            return
        query = {**query, "cursor": page["next"]}


def _kept_the_schedule(bench: Bench, delivery: Entry) -> None:
    """No try before its time; none much later, but for what a dying manager had in hand."""
    kills = [
        each.t + bench.ledger.opened_at for each in bench.seen("fault") if each["name"] == "kill"
    ]
    name = delivery["name"]
    for each in timings(delivery):
        told = f"{name}: try {each.number} came {each.early_s:.2f} s too early"
        bench.expect(not each.is_too_early, told)
        if name in _PUNCTUAL and each.number <= TRIES:
            struck = any(each.free <= kill <= each.at for kill in kills)
            bench.measure("late_after_kill" if struck else "late", each.late_s, name)
