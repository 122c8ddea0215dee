"""A worker process that registered: what it can do, how it is, when it was last heard of."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import combinations

from pydantic import Field

from services.model.speed import Speed
from services.model.values import Stored

OUTCOME = ">"  # ends the name of a line that is no speed
TROUBLES = 3  # so many different jobs in trouble set a node aside: one poison file does not


class NodeState(StrEnum):
    """How a node is, in one word; the first that is true of it, from below."""

    LIVE = "live"
    SET_ASIDE = "set_aside"
    DRAINING = "draining"
    LOST = "lost"
    GONE = "gone"


class Trouble(Stored):
    """A job was lost on the node, or ran out of memory there. `token` is that of its lease, which
    all jobs of one claim have in common."""

    at: float
    job: str
    token: str = ""


class Node(Stored):
    """The document of a node. Times are the store's clock; `seen_at` is when it last beat.

    `queues` are those it serves by its models; `listens` are those it is told to consume.
    `slots` is how many jobs it runs at once, `children` how many of its processes live (None:
    it does not say). `draining` nodes are given nothing new; nor are those that are `set_aside`
    for a while, as long as another one can do the work. `operator_labels` were given by an
    operator and win over the node's own; None takes one of its own away.
    """

    id: str
    kind: str  # whisper | translator
    host: str
    pid: int
    queues: list[str]
    models: list[str]
    languages: list[str] = Field(default_factory=list)
    slots: int
    version: str
    memory_mb: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    registered_at: float
    seen_at: float
    running: int = 0
    children: int | None = None
    free_mb: int | None = None
    health_url: str = ""
    draining: bool = False
    gone: bool = False
    lost_at: float | None = None
    troubles: list[Trouble] = Field(default_factory=list)
    set_aside_until: float | None = None
    operator_labels: dict[str, str | None] = Field(default_factory=dict)
    speeds: dict[str, Speed] = Field(default_factory=dict)  # by line, see pipeline/speeds.py

    @property
    def all_labels(self) -> dict[str, str]:
        """Its own labels with the operator's over them."""
        merged = {**self.labels, **self.operator_labels}
        return {name: value for name, value in merged.items() if value is not None}

    @property
    def listens(self) -> list[str]:
        """Its queues, and for each of its labels the queue of jobs that ask for that label."""
        tails = ["", *(f"@{name}={value}" for name, value in sorted(self.all_labels.items()))]
        return [queue + tail for queue in self.queues for tail in tails]

    @property
    def factors(self) -> dict[str, float]:
        """Seconds of work for one of size, by queue; not the lines that say how much work comes
        of a size (pipeline/speeds.py)."""
        found = {line: speed.each for line, speed in sorted(self.speeds.items())}
        return {
            line: each
            for line, each in found.items()
            if each is not None and not line.endswith(OUTCOME)
        }

    @property
    def live(self) -> bool:
        """It did not say goodbye, and nobody has missed it."""
        return not self.gone and self.lost_at is None

    @property
    def may_work(self) -> bool:
        """It may be given work, unless it is set aside and somebody else can do it."""
        return self.live and not self.draining and self.children != 0

    @property
    def capacity(self) -> int:
        """How many jobs it can run at once with the processes that it has."""
        return self.slots if self.children is None else min(self.slots, self.children)

    @property
    def free(self) -> int:
        """How many more it could take now, set aside or not."""
        return max(0, self.capacity - self.running) if self.may_work else 0

    def is_set_aside(self, now: float) -> bool:
        return self.set_aside_until is not None and self.set_aside_until > now

    def state(self, now: float) -> NodeState:
        """For people; `now` by the store's clock."""
        if self.gone:
            return NodeState.GONE
        if self.lost_at is not None:
            return NodeState.LOST
        if self.draining:
            return NodeState.DRAINING
        return NodeState.SET_ASIDE if self.is_set_aside(now) else NodeState.LIVE

    def is_troubled(self, now: float, within_s: float) -> bool:
        """So many different jobs were in trouble here lately that the node may be to blame: fewer
        jobs and fewer claims, in which one took the others with it, do not explain it."""
        lately = [trouble for trouble in self.troubles if trouble.at > now - within_s]
        causes = {cause for trouble in lately for cause in (trouble.job, trouble.token) if cause}
        return len(causes) >= TROUBLES and not any(
            all(trouble.job in few or trouble.token in few for trouble in lately)
            for few in combinations(causes, TROUBLES - 1)
        )


def takers(nodes: Iterable[Node], queue: str, now: float) -> list[Node]:
    """Who may be given work of the queue: the healthy ones, or where there is none of them those
    that are set aside."""
    able = [node for node in nodes if node.may_work and queue in node.listens]
    return [node for node in able if not node.is_set_aside(now)] or able


def others_for(me: str, nodes: Iterable[Node], queue: str, now: float) -> list[Node]:
    """Healthy nodes that can do the work of the queue in this one's place."""
    found = takers((node for node in nodes if node.id != me), queue, now)
    return [node for node in found if not node.is_set_aside(now)]
