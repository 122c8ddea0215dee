"""The named operations that the pipeline and the ticker ask of a store, and what they promise.

Every write is one atomic compare-and-set on one document and is durable when it returns
(MongoDB: majority; SQLite: synchronous FULL). `None` or `False` from a conditional write means
that somebody else was first: read again and decide anew. Inserts are insert-if-absent and never
replace. Vendor errors become `StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.model.errors import Unavailable
from services.model.job import HistoryEntry, Job
from services.model.node import Node
from services.model.pack import Pack
from services.model.states import JobState
from services.model.task import Item, Task, TaskEvent, TaskState, Upload
from services.model.transcript import Output


class StoreUnavailable(Unavailable):
    """The store does not answer: nothing was changed that is not reported; try again."""

    code = "store_unavailable"


@dataclass(frozen=True, slots=True)
class JobChange:
    """What one move writes: top-level fields of `Job`, and at most one new line of history."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    history: HistoryEntry | None = None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How a queue stands. `oldest_due` is the earliest due time of its waiting, due jobs."""

    queue: str
    waiting: int
    due: int
    running: int
    oldest_due: float | None


@dataclass(frozen=True, slots=True)
class RunningJob:
    """What the reaper needs of a running job."""

    id: str
    attempt: int
    beat: int
    node: str


@dataclass(frozen=True, slots=True)
class PendingExpansion:
    """A committed plan whose children may not all be written yet; `job` is None for a task's."""

    task_id: str
    job_id: str | None


class Store(Protocol):
    """Everything the task manager keeps. All methods block; any thread may call any of them."""

    def now(self) -> float:
        """The one clock of due times: seconds since 1970.

        SQLite: the host's. MongoDB: `hello.localTime`, carried on by the monotonic clock and
        measured anew every 30 s.
        """
        ...

    def ping(self) -> None:
        """Raises StoreUnavailable if the store cannot be read."""
        ...

    def close(self) -> None: ...

    # ── tasks ────────────────────────────────────────────────────────────────────────────────

    def insert_task(self, task: Task) -> tuple[Task, bool]:
        """The stored task, and whether it is this one. (owner, idempotency_key) is unique where
        the key is set: a second insert answers with the first task and False."""
        ...

    def task(self, task_id: str) -> Task | None: ...

    def tasks(
        self,
        owner: str | None,
        *,
        states: Sequence[TaskState] = (),
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Task]:
        """Newest first by (created_at, id), older than `before`, without deleted ones."""
        ...

    def task_by_key(self, owner: str, idempotency_key: str) -> Task | None: ...

    def move_task(self, task_id: str, revision: int, fields: Mapping[str, Any]) -> Task | None:
        """Writes `fields` and revision + 1 if the revision is still `revision`."""
        ...

    def note_task(self, task_id: str, fields: Mapping[str, Any]) -> None:
        """Writes fields that no decision rests on (expand, revive, look_at, counts, counts_at,
        progress, started_at, purged_at) without touching the revision."""
        ...

    def start_task(self, task_id: str, at: float) -> bool:
        """queued → running with started_at, if it is still queued; whether this call did it. The
        revision stays."""
        ...

    def tasks_to_look_at(self, now: float, limit: int) -> list[Task]:
        """look_at ≤ now, earliest first."""
        ...

    def purge_task(self, task_id: str) -> None:
        """Removes the task's items, jobs, outputs, packs and events. The task document stays as
        a tombstone without its manifest's texts."""
        ...

    # ── items ────────────────────────────────────────────────────────────────────────────────

    def insert_items(self, items: Iterable[Item]) -> None: ...

    def items(self, task_id: str, *, after: int = -1, limit: int) -> list[Item]:
        """By ordinal, those above `after`."""
        ...

    def item_by_text_id(self, task_id: str, text_id: str) -> Item | None: ...

    # ── jobs ─────────────────────────────────────────────────────────────────────────────────

    def insert_jobs(self, jobs: Iterable[Job]) -> None: ...

    def job(self, job_id: str) -> Job | None: ...

    def jobs_of_items(self, task_id: str, first: int, last: int) -> list[Job]:
        """All jobs of the items with first ≤ ordinal ≤ last, by item, stage order free."""
        ...

    def claim(
        self,
        *,
        queue: str,
        models: Sequence[str],
        node: str,
        token: str,
        limit: int,
        announced: str | None = None,
        may_avoid: bool = True,
    ) -> list[Job]:
        """Up to `limit` due waiting jobs of the queue, now running under this token.

        If any job is running under this very token, exactly those are answered and nothing new
        is won. Order: priority, rank, due. Only jobs whose `model` is "" or in `models`. Each
        won job: state running, attempt + 1, lease {node, token, beat 0}, claimed_at now, open,
        progress and progress_number 0.
        Jobs that list `node` in `avoid` are skipped when `may_avoid`. A job with a history is won
        alone: it ends the list, and is skipped when the list is not empty. `announced` is
        preferred among equals only.
        """
        ...

    def beat(self, job_id: str, attempt: int, token: str) -> Job | None:
        """beat + 1 on the running job with this attempt and token; None if there is none."""
        ...

    def move_job(
        self,
        job_id: str,
        *,
        state: JobState,
        attempt: int,
        beat: int | None = None,
        reported: int | None = None,
        change: JobChange,
    ) -> Job | None:
        """Writes the change if state, attempt (and beat, and reported, where given) are these."""
        ...

    def note_progress(
        self, job_id: str, attempt: int, token: str, number: int, fraction: float
    ) -> bool:
        """beat + 1 and the progress, if running under this token and the number is new."""
        ...

    def set_expanded(self, job_id: str, attempt: int) -> None:
        """expand: pending → done, and open false, for the attempt that succeeded or died."""
        ...

    def announce_due(self, now: float, queue: str, limit: int, again_after_s: float) -> list[Job]:
        """Stamps and returns up to `limit` due waiting jobs of the queue, in claim order, that
        are unstamped since they became due or were stamped more than `again_after_s` ago."""
        ...

    def unannounce(self, job_id: str, stamped_at: float) -> None:
        """Clears a stamp whose message could not be sent."""
        ...

    def running_jobs(self) -> list[RunningJob]: ...

    def has_open_jobs(self, task_id: str) -> bool:
        """By the one indexed field `open`, looking at one document."""
        ...

    def open_jobs(self, task_id: str, limit: int) -> list[Job]: ...

    def dead_jobs(self, task_id: str, *, after: str = "", limit: int) -> list[Job]:
        """By id, those above `after`."""
        ...

    def count_jobs(self, task_id: str) -> dict[JobState, int]: ...

    def count_open(self, owner: str, queue: str, cap: int) -> int:
        """How many open jobs the owner has in the queue, counted up to `cap`."""
        ...

    def queue_depths(self, now: float) -> list[QueueDepth]:
        """Of queues that hold waiting or running jobs."""
        ...

    def pending_expansions(self, limit: int) -> list[PendingExpansion]:
        """Tasks and jobs with expand = pending, oldest first where that is cheap."""
        ...

    # ── outputs and packs ────────────────────────────────────────────────────────────────────

    def put_output(self, output: Output) -> bool:
        """Inserts, or replaces one with a lower (version, attempt); False if neither."""
        ...

    def output(self, output_id: str) -> Output | None: ...

    def outputs(
        self,
        task_id: str,
        *,
        first: int = 0,
        last: int | None = None,
        language: str | None = None,
    ) -> list[Output]:
        """By item, then source, then language."""
        ...

    def count_outputs(self, task_id: str) -> int:
        """How many outputs are cells: those of kind `translation` or `identity`."""
        ...

    def put_pack(self, pack: Pack) -> bool:
        """Inserts, or replaces one with a lower revision; False if neither."""
        ...

    def pack(self, task_id: str, language: str) -> Pack | None: ...

    # ── events, nodes, uploads ───────────────────────────────────────────────────────────────

    def append_event(self, task_id: str, at: float, kind: str, data: Mapping[str, Any]) -> int:
        """Appends under the next number (last + 1; tried again when somebody took it)."""
        ...

    def events(self, task_id: str, *, after: int = 0, limit: int) -> list[TaskEvent]: ...

    def last_event(self, task_id: str) -> int: ...

    def put_node(self, node: Node) -> None:
        """Inserts or replaces; a stored `draining` is kept."""
        ...

    def beat_node(self, node_id: str, at: float, running: int, *, gone: bool) -> Node | None: ...

    def node(self, node_id: str) -> Node | None: ...

    def nodes(self) -> list[Node]: ...

    def drop_nodes(self, unseen_since: float) -> int:
        """Forgets nodes not seen since then; how many."""
        ...

    def insert_upload(self, upload: Upload) -> None: ...

    def upload(self, key: str) -> Upload | None: ...
