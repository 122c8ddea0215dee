"""The broker goes wrong: messages lost, doubled and unknown, the server killed and wiped."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.faults.post import Post, open_post
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.stack import Stack
from benchmarks.faults.topology import Topology

_DEEDS = ("dropped", "doubled", "unknown", "handed_on")


@scenario(
    "T05",
    "messages dropped, doubled, and of unknown names",
    core=True,
    quick={"tasks": 8, "drop": 0.3, "double": 0.3, "unknown": 0.1},
    full={"tasks": 150, "drop": 0.1, "double": 0.1, "unknown": 0.02},
    full_stack=Topology(rhythm="real", slots=2),
)
def bad_post(bench: Bench, *, tasks: int, drop: float, double: float, unknown: float) -> None:
    """A postman takes messages before the workers do, and hands on what he likes."""
    with _postman(bench.stack, bench.rng, drop, double, unknown) as done:
        bench.traffic.pour(bench.make.mixed(1, 2) for _ in range(tasks))
        bench.traffic.wait(bench.patience(400))
    bench.stack.fault("post", **done)
    misdeeds = {deed: done[deed] for deed in _DEEDS if deed != "handed_on"}
    enough = any(misdeeds.values()) if bench.fast else all(misdeeds.values())
    bench.expect(enough, f"the postman did too little: {misdeeds}")
    bench.finish(120)
    bench.expect_one_run_each()  # a message that comes twice wins one claim only


@contextmanager
def _postman(
    stack: Stack, rng: random.Random, drop: float, double: float, unknown: float
) -> Iterator[Counter[str]]:
    stop = threading.Event()
    done: Counter[str] = Counter()
    weights = [drop, double, unknown, 1 - drop - double - unknown]

    def work() -> None:
        with open_post(stack.broker) as post:
            while not stop.is_set():
                taken = post.take()
                if taken is not None:
                    deed = rng.choices(_DEEDS, weights)[0]
                    _deliver(post, taken, deed)
                    done[deed] += 1

    thread = threading.Thread(target=work, name="postman")
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def _deliver(post: Post, taken: Any, deed: str) -> None:
    if deed != "dropped":
        post.hand_on(taken, unknown=deed == "unknown")
    if deed == "doubled":
        post.hand_on(taken)
    if deed == "handed_on":
        time.sleep(0.05)  # or it would take the same one again at once


@scenario(
    "T11",
    "the broker killed again and again under load, then wiped",
    core=True,
    limits={"next_task": 5.0, "announced_again": 65.0},
    quick={"kills": 2, "down_s": 1.0, "wiped": 3},
    full={"kills": 10, "down_s": 3.0, "wiped": 12},
    full_stack=Topology(rhythm="real", slots=2),
)
def redis_dies(bench: Bench, *, kills: int, down_s: float, wiped: int) -> None:
    with bench.traffic.flow(1.5, lambda: bench.make.mixed(0, 1)):
        for _ in range(kills):
            time.sleep(2.0)
            _kill_broker(bench, down_s)
            bench.measure_next_grant("next_task", bench.ledger.now())
    bench.traffic.wait(bench.patience(180))
    _wipe(bench, wiped)
    bench.finish(180)
    bench.expect_nobody_charged()


def _kill_broker(bench: Bench, down_s: float) -> None:
    """One that is not ours is cut off instead."""
    if bench.stack.broker.part is not None:
        bench.stack.kill("redis")
        time.sleep(down_s)
        bench.stack.restart("redis")
    else:
        bench.note("cut off instead of killed, and emptied instead of wiped: it is not ours")
        bench.stack.fault("cut", part="broker")
        bench.stack.broker.proxy.cut()
        time.sleep(down_s)
        bench.stack.broker.proxy.heal()


def _wipe(bench: Bench, count: int) -> None:
    """Announcements that lie in redis, while all workers have just died, are wiped."""
    for name in bench.stack.worker_names:
        bench.stack.kill(name)
    tasks = set(bench.traffic.pour(bench.make.text(targets=1) for _ in range(count)))
    time.sleep(1.5)  # a tick or more, for the announcements
    with open_post(bench.stack.broker) as post:
        post.wipe()
    at = bench.stack.fault("wiped")
    for name in bench.stack.worker_names:
        bench.stack.restart(name)
    bench.traffic.wait(bench.patience(120), settled=lambda: not tasks & bench.traffic.open())
    bench.measure_first_grants("announced_again", tasks, at)
