"""Chooses faults at random, by a seed, and ends each before it chooses the next."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from benchmarks.faults.balancer import Deed, Mischief
from benchmarks.faults.proxy import TcpProxy
from benchmarks.faults.stack import Stack

_PATHS: dict[Deed, tuple[str, ...]] = {
    "duplicate": ("finish", "claim", "beat", "progress"),
    "again": ("finish", "claim"),
    "delay": ("finish", "claim", "beat"),
    "drop_answer": ("finish", "claim", "beat"),
    "refuse": ("finish", "claim", "beat"),
    "cut": ("finish", "claim"),
}


class Nemesis:
    """`done` counts its faults by name. What a machine cannot do (a database on SQLite) is never
    chosen."""

    def __init__(self, stack: Stack, rng: random.Random) -> None:
        self.done: Counter[str] = Counter()
        self._stack = stack
        self._rng = rng
        self._faults: list[Callable[[], None]] = [
            self.worker_killed, self.worker_killed, self.child_killed, self.child_killed,
            self.worker_frozen, self.worker_restarted, self.worker_cut_off,
            self.manager_killed, self.manager_restarted, self.manager_frozen,
            self.callbacks_go_wrong, self.callbacks_go_wrong,
            self.broker_slow, self.broker_half_open, self.broker_cut,
        ]  # fmt: skip
        if stack.broker.part is not None:
            self._faults += [self.redis_killed, self.redis_frozen, self.redis_wiped]
        if stack.database.proxy is not None:
            self._faults += [self.database_cut, self.database_slow]
        if stack.database.part is not None:
            self._faults += [self.database_frozen]

    def strike(self) -> str:
        """One fault from its begin to its end; its name."""
        fault = self._rng.choice(self._faults)
        name = fault.__name__
        fault()
        self.done[name] += 1
        return name

    # ── workers ──────────────────────────────────────────────────────────────────────────────

    def worker_killed(self) -> None:
        name = self._worker()
        self._stack.kill(name)
        self._stack.restart(name)

    def child_killed(self) -> None:
        self._stack.kill_child(self._worker())

    def worker_frozen(self) -> None:
        """Now and then for longer than a lease holds."""
        self._frozen(self._worker(), 40)

    def worker_restarted(self) -> None:
        name = self._worker()
        self._stack.term(name, 60)
        self._stack.restart(name)

    def worker_cut_off(self) -> None:
        """From its manager; the broker stays."""
        name = self._worker()
        link = self._stack.links[name]
        self._stack.fault("cut_off", part=name)
        if self._rng.random() < 0.5:
            link.cut()
        else:
            link.half_open()
        self._hold(40)
        link.heal()

    # ── managers ─────────────────────────────────────────────────────────────────────────────

    def manager_killed(self) -> None:
        name = self._rng.choice(self._stack.managers)
        self._stack.kill(name)
        self._hold(5)
        self._stack.restart(name)

    def manager_restarted(self) -> None:
        name = self._rng.choice(self._stack.managers)
        self._stack.term(name, 60)
        self._stack.restart(name)

    def manager_frozen(self) -> None:
        self._frozen(self._rng.choice(self._stack.managers), 20)

    def callbacks_go_wrong(self) -> None:
        deed = self._rng.choice(list(_PATHS))
        path = self._rng.choice(_PATHS[deed])
        seconds = self._rng.uniform(0.5, 5.0)
        mischief = Mischief(deed, path, chance=0.3, seconds=seconds, copies=4)
        self._stack.fault("mischief", deed=deed, path=path)
        self._stack.workers.misbehave(mischief)
        self._hold(20)
        self._stack.workers.behave()

    # ── broker and database ──────────────────────────────────────────────────────────────────

    def broker_slow(self) -> None:
        self._stack.fault("broker_slow")
        self._stack.broker.proxy.slow(0.3)
        self._hold(20)
        self._stack.broker.proxy.heal()

    def broker_half_open(self) -> None:
        self._stack.fault("broker_half_open")
        self._stack.broker.proxy.half_open()
        self._hold(30)
        self._stack.broker.proxy.heal()

    def broker_cut(self) -> None:
        self._stack.fault("broker_cut")
        self._stack.broker.proxy.cut()
        self._hold(20)
        self._stack.broker.proxy.heal()

    def redis_killed(self) -> None:
        self._stack.kill("redis")
        self._hold(5)
        self._stack.restart("redis")

    def redis_frozen(self) -> None:
        self._frozen("redis", 30)

    def redis_wiped(self) -> None:
        self._stack.fault("flushall")
        with self._stack.broker.redis() as client:
            client.flushall()

    def database_cut(self) -> None:
        self._database().cut()
        self._hold(10)
        self._database().heal()

    def database_slow(self) -> None:
        self._database().slow(0.1)
        self._hold(10)
        self._database().heal()

    def database_frozen(self) -> None:
        self._frozen("mongo", 15)

    # ── how ──────────────────────────────────────────────────────────────────────────────────

    def _worker(self) -> str:
        return self._rng.choice(self._stack.worker_names)

    def _database(self) -> TcpProxy:
        assert self._stack.database.proxy is not None
        self._stack.fault("database")
        return self._stack.database.proxy

    def _frozen(self, name: str, longest_s: float) -> None:
        self._stack.freeze(name)
        self._hold(longest_s)
        self._stack.thaw(name)

    def _hold(self, longest_s: float) -> None:
        time.sleep(self._rng.uniform(1.0, longest_s))
