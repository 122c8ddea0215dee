"""Messages go wrong at the worst moment: taken and lost, or delivered again while work runs."""

from __future__ import annotations

import time

from benchmarks.faults import dies_with_message
from benchmarks.faults.ledger import Entry
from benchmarks.faults.process import wait_for
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology
from services.queue import Announcer

_RECOVERED_S = 65.0
_MOST_ROUNDS = 5
_QUEUE = "transcribe.stub-whisper"


@scenario(
    "T02",
    "workers killed with a message that redis has given and nobody knows of",
    limits={"recovered": _RECOVERED_S},
    full={"deaths": 20, "at_once": 10},
    full_stack=Topology(rhythm="real", translators=3, hook=dies_with_message.__name__),
    brokers=("redis",),
    alongside=True,
)
def dies_with_the_message(bench: Bench, *, deaths: int, at_once: int) -> None:
    """Neither redis nor a worker knows of it any more; the store does.

    The deaths of a round are over, and the workers back, before the first of its jobs is announced
    again: a later death would take that message, and all workers could be starting when it comes.
    A job that another worker's claim brought along before the death lost nothing: one more dies.
    """
    recovered: list[float] = []
    for _ in range(_MOST_ROUNDS):
        killed = [_die_with_one(bench) for _ in range(min(at_once, deaths - len(recovered)))]
        if not bench.traffic.wait(bench.patience(180)):
            break
        recovered += [
            granted - at for task, at in killed if (granted := _granted(bench, task)) > at
        ]
        if len(recovered) == deaths:
            break
    bench.finish(180)
    bench.expect(len(recovered) == deaths, f"only {len(recovered)} messages were lost and made up")
    for seconds in recovered:
        bench.measure("recovered", seconds)
    bench.expect_nobody_charged()


def _granted(bench: Bench, task: str) -> float:
    """When the only job of the task was granted first; it has ended."""
    return next(each.t for each in bench.seen("granted") if each["task"] == task)


def _die_with_one(bench: Bench) -> tuple[str, float]:
    """A task whose only message dies with its worker, and when. The worker is started again."""
    parts = bench.stack.parts
    (bench.stack.folder / "data" / dies_with_message.FILE).touch()
    task = bench.traffic.submit(bench.make.text(targets=1))
    wait_for("a death", lambda: _dead(bench), 75)
    name = _dead(bench)[0]
    at = bench.stack.fault("kill", part=name, node=bench.stack.node(name))
    parts[name].start()
    return task, at


def _dead(bench: Bench) -> list[str]:
    return [name for name in bench.stack.worker_names if not bench.stack.parts[name].alive]


@scenario(
    "T03",
    "every announcement delivered again and again while its job runs",
    quick={"tasks": 3, "hear": 2, "every_s": 0.5, "times": 3},
    full={"tasks": 50, "hear": 12, "every_s": 4.0, "times": 3},
    full_stack=Topology(rhythm="real", slots=8),
    alongside=True,
)
def delivered_again(bench: Bench, *, tasks: int, hear: int, every_s: float, times: int) -> None:
    """As a broker does that thinks a message forgotten: one execution each, and the copies win
    nothing."""
    open_tasks = set(bench.traffic.pour(bench.make.clip(hear=hear) for _ in range(tasks)))
    announcer = Announcer(bench.stack.broker.direct_url)
    rung = 0
    try:
        while open_tasks & bench.traffic.open():
            time.sleep(every_s)
            for each in _running(bench):
                for _ in range(times):
                    announcer.announce(_QUEUE, each["job"])
                    rung += 1
    finally:
        announcer.close()
    bench.stack.fault("delivered_again", messages=rung)
    bench.finish(60)
    bench.expect(rung > tasks, "hardly anything was delivered again")
    bench.expect_one_run_each()


def _running(bench: Bench) -> list[Entry]:
    """What was granted and has not been finished, of the long jobs."""
    ended = {each["job"] for each in bench.seen("finished")}
    granted = {each["job"]: each for each in bench.seen("granted") if each["job"] not in ended}
    return [each for each in granted.values() if "/transcribe/" in each["job"]]
