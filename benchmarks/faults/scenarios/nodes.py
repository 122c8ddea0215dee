"""Worker processes that come, go, drain, are labelled, are to blame, start slowly or go deaf."""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.faults.nodes import order_node, relabel, view
from benchmarks.faults.process import wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.timeline import interrupted
from benchmarks.faults.topology import Topology, free_port
from services.outbound import HttpError, open_client

_LABEL = {"zone": "b"}
_DEAF_S = 20.0
_DEAF_EXIT_CODE = 75
_SLOW_START_S = 8
# What a site's own sitecustomize does to every interpreter; only the pool's children are meant.
_IN_CHILDREN = """
import sys
if any("spawn_main" in word for word in sys.orig_argv):
    {}
"""


@scenario(
    "N01",
    "workers join, drain, resume, are labelled and leave under load",
    limits={"left": 30.0},
    full={"rate": 1.0, "longest_s": 5, "pause_s": 8.0},
    full_stack=Topology(rhythm="real", whispers=3, translators=2),
    alongside=True,
)
def come_and_go(bench: Bench, *, rate: float, longest_s: int, pause_s: float) -> None:
    """Nobody is charged for any of it, and a task that asks for a label waits for it."""
    last, one = bench.stack.whispers[-1], bench.stack.whispers[0]
    bench.stack.term(last, 40)
    labelled = bench.make.clip(targets=1)
    body = {**labelled.body, "options": {"node_label": "zone=b"}}
    with bench.traffic.flow(rate, lambda: bench.make.mixed(0, longest_s)):
        waiting = bench.traffic.submit(replace(labelled, body=body))
        time.sleep(pause_s)
        _joins(bench, last)
        _drains(bench, one, pause_s)
        bench.expect(not bench.traffic.ended(waiting), "it ran where the label is not")
        began = time.monotonic()
        for name in (last, bench.stack.translators[0]):
            relabel(bench, name, _LABEL)
        wait_for("the labelled task", lambda: bench.traffic.ended(waiting), 60)
        bench.measure("labelled", time.monotonic() - began)
        _leaves(bench, one)
    bench.stack.restart(one)
    bench.finish(120)
    for name in (last, bench.stack.translators[0]):
        relabel(bench, name, dict.fromkeys(_LABEL))
    bench.expect_nobody_charged()


def _joins(bench: Bench, worker: str) -> None:
    began = time.monotonic()
    bench.stack.restart(worker)
    node = bench.stack.node(worker)
    wait_for(f"work for {worker}", lambda: _granted_to(bench, node), 60)
    bench.measure("joined", time.monotonic() - began, worker)


def _drains(bench: Bench, worker: str, pause_s: float) -> None:
    """It ends what it has and takes no more, until it is resumed."""
    node = bench.stack.node(worker)
    order_node(bench, worker, "drain")
    time.sleep(1.0)  # a claim that was on its way
    begun = bench.ledger.mark()
    time.sleep(pause_s)
    taken = [g for g in bench.ledger.entries("granted", since=begun) if g["node"] == node]
    bench.expect(not taken, f"{worker} drains and was given {[g['job'] for g in taken]}")
    bench.expect(view(bench, worker).get("state") == "draining", f"{worker} is not shown so")
    order_node(bench, worker, "resume")
    again = bench.ledger.mark()
    wait_for(f"work for {worker} again", lambda: _granted_to(bench, node, again), 60)


def _leaves(bench: Bench, worker: str) -> None:
    """What it could not end it hands back."""
    node = bench.stack.node(worker)
    bench.measure("left", bench.stack.term(worker, 60), worker)
    held = interrupted(bench.seen(), node or "", bench.ledger.now())
    bench.expect(not held, f"{worker} left and kept {held}")
    shown = bench.traffic.rest.get(f"/v1/nodes/{node}") or {}
    bench.expect(shown.get("state") == "gone", f"{worker} left and is {shown.get('state')}")


def _granted_to(bench: Bench, node: str | None, since: int = 0) -> bool:
    return any(g["node"] == node for g in bench.ledger.entries("granted", since=since))


@scenario(
    "N02",
    "a node on which three jobs were lost is set aside, a silent one is missed",
    limits={"missed": 35.0},
    full={"tasks": 6},
    full_stack=Topology(rhythm="real", slots=3),
    alongside=True,
)
def to_blame(bench: Bench, *, tasks: int) -> None:
    """It works only where nobody else can, until somebody resumes it."""
    bad, good = bench.stack.whispers
    order_node(bench, good, "drain")
    bench.traffic.pour(bench.make.clip(hear=30, targets=1) for _ in range(3))
    wait_for("three at work", lambda: view(bench, bad).get("running", 0) >= 3, 60)
    began = time.monotonic()
    bench.stack.freeze(bad)
    order_node(bench, good, "resume")
    wait_for("it is missed", lambda: view(bench, bad).get("state") == "lost", 60)
    bench.measure("missed", time.monotonic() - began)
    bench.traffic.wait(120)
    bench.stack.thaw(bad)
    wait_for("it is set aside", lambda: view(bench, bad).get("state") == "set_aside", 60)
    since = bench.ledger.mark()
    bench.traffic.pour(bench.make.clip(targets=1) for _ in range(tasks))
    bench.finish(120)
    bench.expect(not _granted_to(bench, bench.stack.node(bad), since), "it was given work")
    order_node(bench, bad, "resume")
    order_node(bench, good, "drain")
    since = bench.ledger.mark()
    bench.traffic.pour(bench.make.clip(targets=1) for _ in range(tasks))
    bench.finish(120)
    bench.expect(_granted_to(bench, bench.stack.node(bad), since), "it was given no work")
    order_node(bench, good, "resume")


@scenario(
    "T10",
    "children that start slowly are killed again and again, others cannot start at all",
    limits={"red": 35.0, "again": 45.0},
    full={"kills": 20},
    full_stack=Topology(rhythm="real", whispers=1),
    alongside=True,
)
def slow_children(bench: Bench, *, kills: int) -> None:
    """The worker is never left without a child, and says so when it is."""
    [name] = bench.stack.whispers
    _start_with(bench, name, f"import time; time.sleep({_SLOW_START_S})")
    for _ in range(kills):
        task = bench.traffic.submit(bench.make.clip(targets=1))
        began = time.monotonic()
        _wait_for_task(bench, task)
        bench.measure("again", time.monotonic() - began)
        bench.stack.kill_child(name)
    log = bench.stack.parts[name].log.read_text(errors="replace")
    bench.expect("UP message" not in log, "a child was killed because it started slowly")
    bench.measure("red", _until_red(bench, name))
    bench.traffic.submit(bench.make.clip(targets=1))
    _start_with(bench, name, "pass")
    bench.finish(120)


def _wait_for_task(bench: Bench, task: str) -> None:
    wait_for("a child that works", lambda: bench.traffic.ended(task), 120)


def _start_with(bench: Bench, name: str, code: str) -> int:
    """Starts the worker anew with children that run this first; the port of its health."""
    folder = bench.stack.folder / "site"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_IN_CHILDREN.format(code))
    port = free_port()
    bench.stack.term(name, 60)
    bench.stack.parts[name].environment.update(
        PYTHONPATH=str(folder), FANSCRIBE_HEALTH_PORT=str(port)
    )
    bench.stack.restart(name)
    return port


def _until_red(bench: Bench, name: str) -> float:
    """Children that end as they start: how long until the health says that none can work, or the
    worker has ended for it, as celery does when a child is gone before it listens."""
    began = time.monotonic()
    port = _start_with(bench, name, "raise SystemExit(1)")

    def red() -> bool:
        if not bench.stack.parts[name].alive:
            return True
        with open_client(f"http://127.0.0.1:{port}", read_s=2.0) as client:
            try:
                got = client.get("/healthz")
            except HttpError:
                return False
            return got.status_code == 503 and "no child" in got.text

    wait_for("a red health", red, 90)
    return time.monotonic() - began


@scenario(
    "N03",
    "a worker that hears no bell ends, and works when it is started anew",
    limits={"ended": _DEAF_S + 15.0},
    full={"tasks": 4},
    full_stack=Topology(
        rhythm="real", whispers=1, settings={"FANSCRIBE_DEAF_AFTER_S": str(_DEAF_S)}
    ),
    alongside=True,
)
def deaf(bench: Bench, *, tasks: int) -> None:
    """Its connections to the broker stand, and nothing comes through them any more."""
    [name] = bench.stack.whispers
    part = bench.stack.parts[name]
    bench.stack.broker.worker_proxy.half_open()
    bench.stack.fault("half_open", part="broker")
    bench.traffic.pour(bench.make.clip(targets=1) for _ in range(tasks))
    began = time.monotonic()
    wait_for("the end of the deaf worker", lambda: not part.alive, 90)
    bench.measure("ended", time.monotonic() - began)
    bench.stack.broker.worker_proxy.heal()
    code = part.process.returncode if part.process else None
    bench.expect(code == _DEAF_EXIT_CODE, f"it ended with {code}")
    bench.stack.restart(name)
    bench.finish(150)
    bench.expect_nobody_charged()
