"""A whole stack of real processes in a throw-away folder, with a fault tool for each of its parts.

with Stack(Topology(whispers=3), folder, ledger) as stack:
    stack.kill("whisper-1")           # any part by name, see `parts`
    stack.broker.proxy.half_open()
    stack.workers.misbehave(Mischief("duplicate", "finish", copies=4))
    stack.heal()
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from benchmarks.faults.balancer import Balancer
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.loop import Loop
from benchmarks.faults.process import MARK, Part, end, inherited, leftovers, wait_for
from benchmarks.faults.proxy import Proxies, TcpProxy
from benchmarks.faults.servers import Broker, Database
from benchmarks.faults.small_disk import SmallDisks
from benchmarks.faults.topology import Topology, free_port
from benchmarks.faults.witness import Witness
from services.outbound import HttpError, open_client

_START_S = 90.0


class Stack:
    """`parts` by name: `manager-1`…, `whisper-1`…, `translator-1`…, and `redis` and `mongo` where
    they are ours. `workers` is the balancer that the workers call, `clients` the one of the
    public API; `links` are the proxies from each worker to `workers`, by the worker's name.
    """

    def __init__(self, topology: Topology, folder: Path, ledger: Ledger) -> None:
        self.topology = topology
        self.folder = folder
        self.ledger = ledger
        self.rng = random.Random(ledger.seed)
        self.mark = uuid4().hex
        self.witness = Witness(ledger)
        (folder / "tmp").mkdir(parents=True)
        self._loop = Loop()
        base = self._base()
        self.disks = self._small_disks(base)
        self.broker = Broker(topology, folder, self._loop, base)
        self.database = Database(topology, folder, self._loop, base)
        servers = [each for each in (self.broker.part, self.database.part) if each is not None]
        self.parts: dict[str, Part] = {part.name: part for part in servers}
        self.links: dict[str, TcpProxy] = {}
        self._ports = [(free_port(), free_port()) for _ in range(topology.managers)]
        self.clients = self._balancer([public for public, _ in self._ports])
        self.workers = self._balancer([inner for _, inner in self._ports], watch=True)
        self._add_managers(base)
        self._add_workers(base)
        if self.disks is not None:
            for part in self.parts.values():
                part.command = self.disks.inside(part.command)

    # ── its life ─────────────────────────────────────────────────────────────────────────────

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts all and returns when every worker has registered."""
        self.broker.start()
        self.database.start()
        for group in (self.managers, self.worker_names):
            for name in group:
                self.parts[name].start()
        self.wait_ready()

    def stop(self) -> None:
        """kill -9 for all, and nothing is left; called twice it does nothing."""
        for part in self.parts.values():
            part.kill()
        if self.disks is not None:
            self.disks.part.kill()
        end(leftovers(self.mark))
        wait_for("the end of the stack", lambda: not leftovers(self.mark))
        with suppress(Exception):  # a database that is away keeps what we wrote
            self.database.drop()
        with suppress(Exception):  # closed already
            for proxy in self._proxies():
                proxy.close()
            self.clients.close()
            self.workers.close()
            self._loop.close()

    def wait_ready(self, patience_s: float = _START_S) -> None:
        """Every manager answers, and every worker that runs has registered."""
        for name in self.managers:
            self._wait_for_manager(name, patience_s)
        for name in self.worker_names:
            self._wait_for_worker(name, patience_s)

    def heal(self) -> None:
        """Ends every fault: proxies let through, all parts run and are ready."""
        self.workers.behave()
        self.clients.behave()
        for proxy in self._proxies():
            proxy.heal()
        for part in self.parts.values():
            part.thaw()
        self.broker.start()
        self.database.start()
        for name in (*self.managers, *self.worker_names):
            self.parts[name].start()
        self.wait_ready()

    def _wait_for_manager(self, name: str, patience_s: float = _START_S) -> None:
        log = self.parts[name].log
        wait_for(f"{name} to be ready ({log})", lambda: self.is_ready(name), patience_s)

    def _wait_for_worker(self, name: str, patience_s: float = _START_S) -> None:
        log = self.parts[name].log
        wait_for(f"{name} to register ({log})", lambda: self.node(name), patience_s)

    # ── its parts ────────────────────────────────────────────────────────────────────────────

    @property
    def managers(self) -> list[str]:
        return [f"manager-{number + 1}" for number in range(self.topology.managers)]

    @property
    def whispers(self) -> list[str]:
        return [f"whisper-{number + 1}" for number in range(self.topology.whispers)]

    @property
    def translators(self) -> list[str]:
        return [f"translator-{number + 1}" for number in range(self.topology.translators)]

    @property
    def worker_names(self) -> list[str]:
        return [*self.whispers, *self.translators]

    @property
    def url(self) -> str:
        """The public API over all managers."""
        return self.clients.url

    def url_of(self, manager: str) -> str:
        """The public API of one manager."""
        return f"http://127.0.0.1:{self._ports[self.managers.index(manager)][0]}"

    def is_ready(self, manager: str) -> bool:
        with open_client(self.url_of(manager), read_s=2.0) as client:
            try:
                return client.get("/readyz").status_code == 200
            except HttpError:
                return False

    def node(self, worker: str) -> str | None:
        """The name under which the running process of this worker has registered."""
        pid = self.parts[worker].pid
        seen = [each for each in self.ledger.entries("registered") if each["pid"] == pid]
        return str(seen[-1]["node"]) if seen else None

    # ── faults, written into the ledger ──────────────────────────────────────────────────────

    def fault(self, name: str, **about: Any) -> float:
        """Notes a fault; its time in the ledger. The methods below do so themselves."""
        return self.ledger.write("fault", name=name, **about).t

    def kill(self, name: str) -> float:
        """kill -9 for a part with its children; when, by the ledger."""
        part = self.parts[name]
        at = self.fault("kill", part=name, node=self.node(name) if self._works(name) else None)
        part.kill()
        return at

    def behead(self, name: str) -> list[int]:
        """kill -9 for a worker without its children; their pids."""
        self.fault("kill", part=name, node=self.node(name))
        return self.parts[name].behead()

    def kill_child(self, name: str) -> float | None:
        """kill -9 for one child of a worker; None where it has none at the moment. The node is
        noted where the child is its only one, so that what it held is known."""
        pid = self.parts[name].kill_child(self.rng)
        node = self.node(name) if self.topology.slots == 1 else None
        return None if pid is None else self.fault("kill_child", part=name, pid=pid, node=node)

    def freeze(self, name: str) -> float:
        self.parts[name].freeze()
        return self.fault("freeze", part=name)

    def thaw(self, name: str) -> float:
        self.parts[name].thaw()
        return self.fault("thaw", part=name)

    def term(self, name: str, grace_s: float = 30.0) -> float:
        """TERM, and waits for the end; how many seconds it took."""
        self.fault("term", part=name)
        return self.parts[name].term(grace_s)

    def restart(self, name: str) -> None:
        """Starts a part that ended, and waits until it is ready."""
        self.parts[name].start()
        self.fault("started", part=name)
        if name in self.managers:
            self._wait_for_manager(name)
        elif self._works(name):
            self._wait_for_worker(name)
        elif name == "redis":
            self.broker.start()
        else:
            self.database.start()

    def _works(self, name: str) -> bool:
        return name in self.worker_names

    # ── how it is put together ───────────────────────────────────────────────────────────────

    def _base(self) -> dict[str, str]:
        return {
            **inherited(),
            MARK: self.mark,
            "PYTHONUNBUFFERED": "1",
            "PYTHONSAFEPATH": "1",
            "NO_COLOR": "1",
            "TMPDIR": str(self.folder / "tmp"),
            "FANSCRIBE_DATA_DIR": str(self.folder / "data"),
            **self._hooked(),
            **self.topology.environment(),
        }

    def _hooked(self) -> dict[str, str]:
        if not self.topology.hook:
            return {}
        home = self.folder / "hook"
        home.mkdir()
        script = f"from {self.topology.hook} import install\n\ninstall()\n"
        (home / "sitecustomize.py").write_text(script)
        before = os.environ.get("PYTHONPATH", "")
        return {"PYTHONPATH": os.pathsep.join(filter(None, [str(home), before]))}

    def _small_disks(self, base: dict[str, str]) -> SmallDisks | None:
        sizes = {self.place(name): size for name, size in self.topology.small.items()}
        return SmallDisks(sizes, self.folder / "disks.log", base) if sizes else None

    def place(self, name: str) -> Path:
        """Where the stack keeps its `store` (SQLite's), its `objects` and its `redis`."""
        return self.folder / ("data/objects" if name == "objects" else name)

    def _balancer(self, ports: list[int], *, watch: bool = False) -> Balancer:
        return Balancer(
            self._loop,
            free_port(),
            ports,
            clock=self.ledger.now,
            rng=random.Random(self.ledger.seed + watch),
            watch=self.witness.watch if watch else None,
        )

    def _add_managers(self, base: dict[str, str]) -> None:
        shared = {
            **base,
            "FANSCRIBE_STORE_URL": self.database.url,
            "FANSCRIBE_BROKER_URL": self.broker.url,
            "FANSCRIBE_MANAGER_URL": self.workers.url,
        }
        for name, (public, inner) in zip(self.managers, self._ports, strict=True):
            own = {"FANSCRIBE_PORT": str(public), "FANSCRIBE_WORKER_PORT": str(inner)}
            self._add(name, ["manager"], {**shared, **own})

    def _add_workers(self, base: dict[str, str]) -> None:
        for name in self.worker_names:
            link = TcpProxy(self._loop, free_port(), ("127.0.0.1", self.workers.port))
            self.links[name] = link
            own = {
                "FANSCRIBE_BROKER_URL": self.broker.worker_url,
                "FANSCRIBE_MANAGER_URL": f"http://127.0.0.1:{link.port}",
                "FANSCRIBE_SPOOL_DIR": str(self.folder / "spool" / name),
            }
            self._add(name, ["worker", name.partition("-")[0]], {**base, **own})

    def _add(self, name: str, words: list[str], environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "services.cli", *words]
        self.parts[name] = Part(name, command, environment, self.folder / f"{name}.log")

    def _proxies(self) -> Iterator[TcpProxy | Proxies]:
        yield self.broker.proxy
        if self.database.proxy is not None:
            yield self.database.proxy
        yield from self.links.values()
