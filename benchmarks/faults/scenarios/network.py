"""The network goes wrong: a frozen broker, workers cut from their managers, links cut and mute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import quantiles

from benchmarks.faults.ledger import Entry
from benchmarks.faults.process import wait_for
from benchmarks.faults.proxy import Proxies, TcpProxy
from benchmarks.faults.registry import Bench, scenario
from benchmarks.faults.topology import Topology

_TAKEN_OVER_S = 45.0
_HEARS_AGAIN_S = 15.0
_NOTICED_S = 60.0  # that nothing comes any more over a connection that stands
_RESET_EVERY_S = 2.0


@scenario(
    "T12",
    "the broker frozen under steady POSTs",
    core=True,
    limits={"post_p99": 1.0, "next_task": 15.0},
    quick={"frozen_s": 2.5, "rate": 10.0},
    full={"frozen_s": 60.0, "rate": 20.0},
    full_stack=Topology(rhythm="real", translators=2),
)
def broker_frozen(bench: Bench, *, frozen_s: float, rate: float) -> None:
    """A task is accepted when it is stored; who is rung for it may wait."""
    with bench.traffic.flow(rate, lambda: bench.make.text(targets=1)):
        time.sleep(1.0)
        with _silent(bench):
            time.sleep(frozen_s)
        thawed = bench.ledger.now()
        bench.measure_next_grant("next_task", thawed)
    bench.finish(420)
    bench.measure("drained", _last_end(bench) - thawed, "from the thaw to the last task's end")
    took = [each["seconds"] for each in bench.seen("acked")]
    bench.measure("post_p99", quantiles(took, n=100)[-1], f"of {len(took)}")
    refused = [each["status"] for each in bench.seen("refused") if each["path"] == "/v1/tasks"]
    bench.expect(not refused, f"the API answered {refused}")
    bench.expect_nobody_charged()


@contextmanager
def _silent(bench: Bench) -> Iterator[None]:
    """The broker stands still: by SIGSTOP where it is ours, else nothing comes through to it."""
    if bench.stack.broker.part is not None:
        bench.stack.freeze("redis")
        yield
        bench.stack.thaw("redis")
    else:
        bench.note("not frozen itself, as it is not ours: nothing came through to it")
        bench.stack.fault("half_open", part="broker")
        bench.stack.broker.proxy.half_open()
        yield
        bench.stack.broker.proxy.heal()


def _grants_after(bench: Bench, at: float) -> list[Entry]:
    return [each for each in bench.seen("granted") if each.t > at]


def _last_end(bench: Bench) -> float:
    return max(each.t for each in bench.seen("terminal"))


# ── a worker and its manager ─────────────────────────────────────────────────────────────────

Deed = Callable[[TcpProxy], None]
_DEEDS: dict[str, Deed] = {
    "cut": TcpProxy.cut,
    "mute both ways": TcpProxy.half_open,
    "mute towards the manager": lambda link: link.half_open("up"),
    "mute towards the worker": lambda link: link.half_open("down"),
}
_HEARD_OF = "mute towards the worker"  # its beats arrive, so its lease lives on


@scenario(
    "T13",
    "workers cut from their managers, in four ways, for a short and a long time",
    core=True,
    limits={"taken_over": _TAKEN_OVER_S},
    full={"short_s": 20.0, "long_s": 60.0, "hear": 28},
    full_stack=Topology(rhythm="real", whispers=8),
    alongside=True,
)
def worker_cut_off(bench: Bench, *, short_s: float, long_s: float, hear: int) -> None:
    """After a short time the same attempt goes on. After a long one another worker has taken
    over, and the first one's result gets 409."""
    short = _cut_holders(bench, short_s, hear)
    for name, job in short.items():
        attempts = {each["attempt"] for each in bench.seen("granted") if each["job"] == job}
        bench.expect(attempts == {1}, f"{name} for {short_s:g} s: {job} had attempts {attempts}")
    began = bench.ledger.now()
    long = _cut_holders(bench, long_s, hear)
    lost = {job for name, job in long.items() if name != _HEARD_OF}
    for name, job in long.items():
        again = [e for e in bench.seen("granted") if e["job"] == job and e["attempt"] > 1]
        if name == _HEARD_OF:
            bench.expect(not again, f"{job} was taken from a worker that was heard of")
        elif bench.expect(bool(again), f"{job} was not taken over: {name}"):
            bench.measure("taken_over", again[0].t - _cut_at(bench, began), name)
    _await_refusals(bench, lost)
    bench.finish(120)


def _cut_holders(bench: Bench, for_s: float, hear: int) -> dict[str, str]:
    """Each deed is done to another worker that holds a job, all at once; job by deed. Returns
    when the tasks have ended."""
    begin = bench.ledger.mark()
    tasks = bench.traffic.pour(bench.make.clip(hear=hear, targets=1) for _ in _DEEDS)
    wait_for("all to be heard", lambda: len(_heard(bench, begin)) == len(_DEEDS), 60)
    jobs: dict[str, str] = {}
    links = []
    for (name, deed), grant in zip(_DEEDS.items(), _heard(bench, begin), strict=True):
        worker = next(w for w in bench.stack.whispers if bench.stack.node(w) == grant["node"])
        links.append(bench.stack.links[worker])
        jobs[name] = grant["job"]
        bench.stack.fault("link", deed=name, part=worker)
        deed(links[-1])
    time.sleep(for_s)
    for link in links:
        link.heal()
    bench.stack.fault("healed")
    bench.traffic.wait(120, settled=lambda: not set(tasks) & bench.traffic.open())
    return jobs


def _heard(bench: Bench, begin: int) -> list[Entry]:
    """The transcribe jobs granted since, the first grant of each."""
    grants: dict[str, Entry] = {}
    for each in bench.ledger.entries("granted", since=begin):
        if "/transcribe/" in each["job"]:
            grants.setdefault(each["job"], each)
    return list(grants.values())


def _cut_at(bench: Bench, after: float) -> float:
    return min(e.t for e in bench.seen("fault") if e["name"] == "link" and e.t > after)


def _await_refusals(bench: Bench, jobs: set[str]) -> None:
    """Those that were taken over are offered once more by their first holders, in vain."""

    def refused() -> set[str]:
        return {
            each["job"]
            for each in bench.seen("finished")
            if each["attempt"] == 1 and each["verdict"] == 409
        }

    end = time.monotonic() + 60
    while not jobs <= refused() and time.monotonic() < end:
        time.sleep(0.2)
    bench.expect(jobs <= refused(), f"no 409 for the late results of {jobs - refused()}")


# ── the broker and its clients ───────────────────────────────────────────────────────────────


@scenario(
    "T13b",
    "the broker's link cut, mute and reset, for workers, managers and both",
    limits={"next_task": _HEARS_AGAIN_S, "all_hear": _HEARS_AGAIN_S, "all_notice": _NOTICED_S},
    full={"long_s": 45.0, "short_s": 20.0, "whom": ("workers", "managers", "both")},
    alongside=True,
)
def broker_link(bench: Bench, *, long_s: float, short_s: float, whom: Sequence[str]) -> None:
    """`all_hear` is how long after the link is up every worker has got a job again, `all_notice`
    how long after all connections stand and say nothing any more."""
    broker = bench.stack.broker
    links: dict[str, TcpProxy | Proxies] = {
        "workers": broker.worker_proxy,
        "managers": broker.manager_proxy,
        "both": broker.proxy,
    }
    with bench.traffic.flow(1.0, lambda: bench.make.mixed(0, 1)):
        for who in whom:
            for name, seconds in (("cut", short_s), ("mute", long_s), ("reset", 5.0)):
                time.sleep(1.0)
                bench.stack.fault("broker_link", who=who, deed=name)
                _break(links[who], name, seconds)
                _measure_ears(bench, "all_hear", f"{who}, {name} for {seconds:g} s")
        bench.stack.fault("broker_link", who="both", deed="forgotten")
        _break(broker.proxy, "forgotten", 0.0)
        _measure_ears(bench, "all_notice", "both, all connections forgotten")
    bench.finish(180)
    bench.expect_nobody_charged()


def _break(link: TcpProxy | Proxies, name: str, seconds: float) -> None:
    if name == "reset":
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            link.reset()
            time.sleep(_RESET_EVERY_S)
        return
    {"cut": link.cut, "mute": link.half_open, "forgotten": link.forget}[name]()
    if name == "forgotten":
        return  # the link is fine, only what went over it stays mute
    time.sleep(seconds)
    link.heal()


def _measure_ears(bench: Bench, name: str, about: str) -> None:
    """The first grant at all, and the first of each worker; for these there is enough to do."""
    at = bench.stack.fault("healed")
    nodes = {bench.stack.node(worker) for worker in bench.stack.worker_names}
    bench.traffic.pour(bench.make.clip(hear=1, targets=1) for _ in range(4))
    end = time.monotonic() + bench.patience(90)
    while nodes - {each["node"] for each in _grants_after(bench, at)} and time.monotonic() < end:
        time.sleep(0.05)
    grants = _grants_after(bench, at)
    deaf = nodes - {each["node"] for each in grants}
    bench.expect(not deaf, f"{deaf} got nothing any more after {about}")
    if grants and name == "all_hear":
        bench.measure("next_task", grants[0].t - at, about)
    firsts = {each["node"]: each.t for each in reversed(grants)}
    if not deaf:
        bench.measure(name, max(firsts.values()) - at, about)
