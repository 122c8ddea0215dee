"""Publishes the nodes to Consul or Nacos, for those who look for services there.

It only tells: what a node may do is decided by the store alone (docs/decisions/0010). Every
manager publishes, and publishing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from services import logs
from services.model.node import Node

EVERY_S = 5.0  # Nacos takes an instance for ill after 15 s without a beat

log = logs.get(__name__)


class RegistryAway(Exception):
    """The registry did not answer, or not as it should; it is asked again at the next look."""


class NotPublished(Exception):
    """The registry does not know what we wanted to confirm: it was restarted, perhaps."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What a registry is told of one node. Where it has a health address, host and port are
    those of it; else the port is 0, for nobody calls a worker."""

    id: str
    service: str
    host: str
    port: int = 0
    tags: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    health_url: str = ""


class Registry(Protocol):
    """Each raises RegistryAway."""

    def register(self, instance: Instance) -> None: ...

    def confirm(self, instance: Instance) -> None:
        """Says that it still lives. Raises NotPublished."""
        ...

    def withdraw(self, instance: Instance) -> None:
        """Unknown ones count as withdrawn."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Changes:
    register: list[Instance]
    keep: list[Instance]
    withdraw: list[Instance]


def instance_of(node: Node, now: float) -> Instance:
    address = urlsplit(node.health_url)
    labels = [f"{name}={value}" for name, value in sorted(node.all_labels.items())]
    return Instance(
        id=f"fanscribe-{node.id}",
        service=f"fanscribe-{node.kind}",
        host=address.hostname or node.host,
        port=address.port or 0,
        tags=(*node.queues, *labels),
        meta={
            "node": node.id,
            "version": node.version,
            "slots": str(node.slots),
            "state": str(node.state(now)),
        },
        health_url=node.health_url,
    )


def changes(nodes: Iterable[Node], published: Mapping[str, Instance | None], now: float) -> Changes:
    """What to do so that exactly the live nodes are published, as they are now.

    `published` is what this process last told, by the instance's id; None stands for withdrawn.
    A node that left before this process began is withdrawn as well.
    """
    register, keep, withdraw = [], [], []
    known = set()
    for node in nodes:
        instance = instance_of(node, now)
        known.add(instance.id)
        if not node.live:
            if published.get(instance.id, instance) is not None:
                withdraw.append(instance)
        elif published.get(instance.id) == instance:
            keep.append(instance)
        else:
            register.append(instance)
    forgotten = [one for key, one in published.items() if one is not None and key not in known]
    return Changes(register, keep, withdraw + forgotten)


class Publisher:
    """Remembers what it told. A registry that is away is logged once, and disturbs nothing."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._published: dict[str, Instance | None] = {}
        self._away = False

    def look(self, nodes: Iterable[Node], now: float) -> None:
        try:
            self._tell(changes(nodes, self._published, now))
        except RegistryAway as error:
            if not self._away:
                log.warning("registry_away", reason=str(error))
            self._away = True
            return
        if self._away:
            log.info("registry_back")
        self._away = False

    def close(self) -> None:
        self._registry.close()

    def _tell(self, todo: Changes) -> None:
        for instance in todo.withdraw:
            self._registry.withdraw(instance)
            self._published[instance.id] = None
        for instance in todo.register:
            self._register(instance)
        for instance in todo.keep:
            try:
                self._registry.confirm(instance)
            except NotPublished:
                self._register(instance)

    def _register(self, instance: Instance) -> None:
        self._published.pop(instance.id, None)
        self._registry.register(instance)
        self._published[instance.id] = instance
