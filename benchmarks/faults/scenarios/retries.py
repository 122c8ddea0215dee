"""Jobs that fail: every tier to its end, one language of many, memory that runs out."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import redis

from benchmarks.faults.ledger import Entry
from benchmarks.faults.orders import TARGETS
from benchmarks.faults.process import lives, wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology
from services.model.errors import FailureClass
from services.model.retry import JITTER, TIERS

_SCALE = 0.01  # 30 s, 5 min and 30 min become 0.3 s, 3 s and 18 s
_SLACK_S = 0.2  # between the report, the clock of the store and the ledger
_END_S = 10.0
_ETA = re.compile(r'"eta": ?([^,]+),')
_STATE = re.compile(r'"state": ?"(\w+)"')
_FATAL = "fail-cuda"
# What the stub is told, and the class that it then fails with; the whole road takes one minute.
_CAUSES = {
    "fail-network": "network_timeout",
    "fail-internal": "internal",
    "fail-time": "time_limit",
    "fail-permanent": "permanent",
    "fail-service": "service_unavailable",
    "fail-memory": "resource_exhausted",
    _FATAL: "worker_lost",
}


@scenario(
    "T04",
    "every retry tier to its end, with scaled waits",
    limits={"late": 5.0, "late_after_death": 65.0},
    quick={"causes": tuple(_CAUSES)[:4], "each": 1},
    full={"causes": tuple(_CAUSES), "each": 3},
    full_stack=Topology(
        rhythm="real",
        slots=2,
        settings={"FANSCRIBE_RETRY_SCALE": str(_SCALE), "FANSCRIBE_SET_ASIDE_S": "0.01"},
    ),
    alongside=True,
)
def tiers(bench: Bench, *, causes: tuple[str, ...], each: int) -> None:
    """So many retries and no more, none before its time, each in its turn; and nothing that the
    broker carries knows of a time. Those that end their process come last: a child that dies may
    take another job's bell with it, which rings again after a minute."""
    tasks: dict[str, str] = {}
    with _overheard(bench) as etas:
        for cause in [cause for cause in causes for _ in range(each)]:
            if cause == _FATAL:
                bench.traffic.wait(bench.patience(120))
            order = bench.make.clip(mark=cause, targets=1).but("failed", without=())
            tasks[bench.traffic.submit(order)] = _CAUSES[cause]
            time.sleep(0.1)
        bench.finish(180)
    overheard = bool(etas) or bench.stack.broker.part is None
    bench.expect(overheard, "no message was overheard")
    bench.expect(set(etas) <= {"null"}, f"messages with an ETA: {set(etas)}")
    for task, failure in tasks.items():
        _went_its_way(bench, task, failure)


def _went_its_way(bench: Bench, task: str, failure: str) -> None:
    tier = TIERS[FailureClass(failure)]
    runs = [g for g in bench.seen("granted") if g["task"] == task and _hears(g)]
    bench.expect(
        [run["attempt"] for run in runs] == list(range(1, tier.retries + 2)),
        f"{failure}: {tier.retries} retries expected, attempts {[r['attempt'] for r in runs]}",
    )
    ends = [f for f in bench.seen("finished") if f["job"] == runs[0]["job"] and f["verdict"] == 200]
    wait = tier.delay_s * _SCALE
    for ended, again in zip(ends, runs[1:], strict=False):
        waited = again.t - ended.t
        bench.expect(waited >= wait - _SLACK_S, f"{failure}: again after {waited:.2f} s")
        name = "late_after_death" if failure == _CAUSES[_FATAL] else "late"
        bench.measure(name, waited - wait * (1 + JITTER), failure)
    [final] = [each for each in bench.seen("final") if each["task"] == task]
    tried = [(a["attempt"], a["failure"]) for a in final["attempts"]]
    want = [(number + 1, failure) for number in range(tier.retries + 1)]
    bench.expect(tried == want, f"{failure}: its history is {tried}")
    bench.expect([a["dead"] for a in final["attempts"]][-1:] == [True], f"{failure}: not dead")


def _hears(granted: Entry) -> bool:
    return "/transcribe/" in granted["job"]


@contextmanager
def _overheard(bench: Bench) -> Iterator[list[str]]:
    """The `eta` of all messages that are pushed to redis; on another broker nothing is heard."""
    heard: list[str] = []
    if bench.stack.broker.part is None:
        yield heard
        return

    def listen(commands: Iterator[dict[str, Any]]) -> None:
        with suppress(redis.exceptions.RedisError, OSError, ValueError, AttributeError):
            for each in commands:  # until it is hung up
                heard.extend(_ETA.findall(each["command"]))

    with redis.Redis(port=bench.stack.broker.own_port) as client, client.monitor() as monitor:
        thread = threading.Thread(target=listen, args=(monitor.listen(),), daemon=True)
        thread.start()
        yield heard


@scenario(
    "T06",
    "one clip into twelve languages, translators killed, one language fails",
    limits={"orphan_gone": _END_S},
    quick={"tasks": 1, "waves": 1, "say_s": 1, "languages": 4},
    full={"tasks": 4, "waves": 2, "say_s": 2, "languages": 12},
    full_stack=Topology(rhythm="real", translators=2, slots=2),
    alongside=True,
)
def one_language_fails(bench: Bench, *, tasks: int, waves: int, say_s: int, languages: int) -> None:
    """Eleven languages done and one dead, told once; no child outlives its worker. Two waves of
    kills at most: the third loss of a job would be its last."""
    for _ in range(tasks):
        bad = bench.rng.choice(TARGETS)
        order = bench.make.clip(say=say_s, mark=f"fail-{bad}", targets=languages)
        while bad not in order.expected:
            order = bench.make.clip(say=say_s, mark=f"fail-{bad}", targets=languages)
        [text_id] = order.expected[bad]
        bench.traffic.submit(order.but("partial", without=[(bad, text_id)]))
    for _ in range(waves):
        _until_translating(bench)
        for name in bench.stack.translators:
            time.sleep(bench.rng.uniform(0.0, 2.0))
            if bench.rng.random() < 0.5:
                _behead(bench, name)
            else:
                bench.stack.kill(name)
            bench.stack.restart(name)
    bench.finish(240)
    for final in bench.seen("final"):
        _told_once(bench, final, languages)


def _until_translating(bench: Bench) -> None:
    since = bench.ledger.mark()
    wait_for("a translation", lambda: any(
        "/translate/" in each["job"] for each in bench.ledger.entries("granted", since=since)
    ), 60)  # fmt: skip


def _behead(bench: Bench, name: str) -> None:
    """Its children are left without a worker, and must not work on for nobody."""
    began = time.monotonic()
    orphans = bench.stack.behead(name)
    bench.expect(bool(orphans), f"{name} had no children")
    wait_for("the end of the orphans", lambda: not any(lives(pid) for pid in orphans), 60)
    bench.measure("orphan_gone", time.monotonic() - began, name)


def _told_once(bench: Bench, final: Entry, languages: int) -> None:
    bench.expect(
        final["cells"] == {"done": languages - 1, "failed": 1}, f"its cells are {final['cells']}"
    )
    events = bench.traffic.rest.ask("GET", f"/v1/tasks/{final['task']}/events")
    told = [] if events is None else _STATE.findall(events.text)
    bench.expect(told.count("partial") == 1, f"its states were told as {told}")


@scenario(
    "T08",
    "memory runs out in children, in every spelling",
    limits={"again": 10.0},
    full={"rounds": 3},
    full_stack=Topology(
        rhythm="real",
        settings={"FANSCRIBE_RETRY_SCALE": "0.001", "FANSCRIBE_SET_ASIDE_S": "0.01"},
    ),
    alongside=True,
)
def no_memory(bench: Bench, *, rounds: int) -> None:
    """No worker ends of it; the next try is on another node, the fourth the last. Healthy clips
    between them are not touched."""
    workers = bench.stack.worker_names
    pids = {name: bench.stack.parts[name].pid for name in workers}
    for _ in range(rounds):
        for spelling in ("fail-memory", "fail-numpy-memory", "fail-cuda-memory"):
            bench.traffic.submit(bench.make.clip(mark=spelling, targets=1).but("failed"))
            bench.traffic.submit(bench.make.clip(hear=1, targets=1))
            time.sleep(1.0)
    bench.finish(180)
    for name, pid in pids.items():
        part = bench.stack.parts[name]
        bench.expect(part.alive and part.pid == pid, f"{name} itself ended")
    for final in bench.seen("final"):
        if final["state"] == "failed":
            _went_elsewhere(bench, final)


def _went_elsewhere(bench: Bench, final: Entry) -> None:
    tried = final["attempts"]
    classes = [each["failure"] for each in tried]
    bench.expect(classes == ["resource_exhausted"] * 4, f"it failed by {classes}")
    nodes = [each["node"] for each in tried]
    bench.expect(nodes[:2] == list(dict.fromkeys(nodes[:2])), f"tried on {nodes}")
    runs = [g for g in bench.seen("granted") if g["task"] == final["task"] and _hears(g)]
    for before, after in pairwise(runs):
        bench.measure("again", after.t - before.t)
