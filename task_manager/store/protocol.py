"""The named operations that the pipeline and the ticker ask of a store, and what they promise.

Every write is one atomic compare-and-set on one document and is durable when it returns
(MongoDB: majority; SQLite: synchronous FULL). `None` or `False` from a conditional write means
that somebody else was first: read again and decide anew. `write_children`, `look_later` and
inserts of many are rows of them. Inserts are insert-if-absent and never replace. Vendor errors
become `StoreUnavailable`, or `OutOfSpace` where the disk is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from services.model.chat import Usage
from services.model.job import Job
from services.model.pack import Pack
from services.model.states import JobState
from services.model.task import Item, Task, TaskState
from services.model.transcript import Output
from task_manager.store.access import AccessStore
from task_manager.store.children import Children, Expanded
from task_manager.store.events import EventStore
from task_manager.store.expiry import ExpiryStore
from task_manager.store.nodes import NodeStore
from task_manager.store.outbox import Outbox
from task_manager.store.previews import PreviewStore
from task_manager.store.terms import TermStore
from task_manager.store.translations import TranslationStore
from task_manager.store.uploads import UploadStore
from task_manager.store.values import (
    DOCUMENT_LIMIT,
    JobChange,
    OutputLine,
    PendingExpansion,
    QueueDepth,
    RunningJob,
    StoreUnavailable,
)
from task_manager.store.versions import VersionStore

__all__ = [
    "DOCUMENT_LIMIT",
    "JobChange",
    "OutputLine",
    "PendingExpansion",
    "QueueDepth",
    "RunningJob",
    "Store",
    "StoreUnavailable",
]


class Store(
    AccessStore,
    EventStore,
    ExpiryStore,
    NodeStore,
    Outbox,
    PreviewStore,
    TermStore,
    TranslationStore,
    UploadStore,
    VersionStore,
    Protocol,
):
    """All that the task manager keeps. All methods block; any thread may call any of them."""

    def now(self) -> float:
        """The one clock of due times: seconds since 1970.

        SQLite: the host's, never set back while it is up. MongoDB: `hello.localTime`, carried
        on by the monotonic clock and measured anew every 30 s.
        """
        ...

    def ping(self) -> None: ...  # raises StoreUnavailable if the store cannot be read

    def try_write(self) -> None:
        """Changes nothing, but raises what a beat would: StoreUnavailable or OutOfSpace where the
        store cannot be written, which may be while it can be read."""
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

    def note_task(
        self, task_id: str, fields: Mapping[str, Any], *, revision: int | None = None
    ) -> bool:
        """Writes fields that no decision rests on (expand, revive, added, correction, look_at,
        counts, counts_at, progress, started_at, purged_at, expire_at, export) without touching the
        revision; where one is given, only while the task's is that. Whether it was written."""
        ...

    def start_task(self, task_id: str, at: float) -> bool:
        """queued → running with started_at, if still queued; whether it did. Revision as before."""
        ...

    def tasks_to_look_at(self, now: float, limit: int) -> list[Task]:
        """look_at ≤ now, earliest first."""
        ...

    def look_later(self, seen: Mapping[str, int], at: float) -> None:
        """Sets look_at of many tasks, by id and revision, in one write; each only while its
        revision is that."""
        ...

    def purge_task(self, task_id: str) -> None:
        """Removes all but the task document: a tombstone without its manifest's texts."""
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

    def earlier_job(self, owner: str, digest: str) -> Job | None:
        """The latest of the owner's whose result has that digest."""
        ...

    def jobs_of_items(self, task_id: str, first: int, last: int) -> list[Job]:
        """All jobs of the items with first ≤ ordinal ≤ last, by item, stage order free."""
        ...

    def lean_jobs(self, task_id: str, first: int, last: int) -> list[Job]:
        """The same without texts: those of a wordy stage have neither `inputs` nor `result`, and
        such as succeeded at once may also lack lease, limits and progress."""
        ...

    def claim(
        self,
        *,
        queue: str,
        models: Sequence[str],
        node: str,
        token: str,
        limit: int,
        most_size: float | None = None,
        announced: str | None = None,
        others: Sequence[str] = (),
    ) -> list[Job]:
        """Up to `limit` due waiting jobs of the queue, now running under this token.

        If any job is running under this very token, exactly those are answered and nothing new
        is won. Order: priority, rank, due. Only jobs whose `model` is "" or in `models`. Each
        won job: state running, attempt + 1, lease {node, token, beat 0}, claimed_at now, open,
        progress and progress_number 0.
        `others` are nodes that could do the work in this one's place: jobs that list `node` in
        `avoid`, but not each of them, are left to them. A job with a history is won alone: it
        ends the list, and is skipped when the list is not empty. The list also ends before the
        job with which its sizes would be more than `most_size`; its first may have any size.
        `announced` is preferred among equals only. With limit 0 only the leases of the token are
        answered.
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

    def usage(self, task_id: str) -> Usage:
        """What chat services took for the task, over all its jobs."""
        ...

    def count_waiting(self, owner: str, queue: str, cap: int) -> int:
        """How many jobs of the owner wait in the queue, counted up to `cap`."""
        ...

    def front_rank(self, queue: str, priority: int) -> int:
        """The rank of the first due waiting job of this priority in the queue; 0 if there is
        none. This is how far the queue has come: who joins it now starts from here."""
        ...

    def queue_depths(self, now: float) -> list[QueueDepth]:
        """Of queues that hold waiting or running jobs. Costs more the more wait."""
        ...

    def waiting_queues(self) -> list[str]:
        """The queues that hold waiting jobs, due or not, by name. Costs the same however many."""
        ...

    def jobs_ahead(self, job: Job, cap: int) -> tuple[int, float]:
        """How many waiting jobs of its queue stand before this one by (priority, rank, due, id),
        and the sum of their sizes; only the first `cap` are looked at."""
        ...

    def running_in(self, queue: str, limit: int) -> list[Job]:
        """Running jobs of the queue."""
        ...

    def dead_page(
        self,
        owner: str | None,
        *,
        queue: str | None = None,
        code: str | None = None,
        before: tuple[float, str] | None = None,
        limit: int,
    ) -> list[Job]:
        """Dead jobs, newest first by (finished_at, id), older than `before`. `code` is that of
        the last line of their history."""
        ...

    def count_open_tasks(self, owner: str, cap: int) -> int:
        """How many tasks of the owner have not ended, counted up to `cap`."""
        ...

    def pending_expansions(self, limit: int) -> list[PendingExpansion]:
        """Tasks and jobs with expand = pending, oldest first where that is cheap."""
        ...

    def write_children(self, children: Children, expanded: Expanded | None = None) -> bool:
        """`children.write_one_by_one`. SQLite: all of it or nothing, by one commit. MongoDB: it
        may break off anywhere; done again it adds what is missing."""
        ...

    # ── outputs and packs ────────────────────────────────────────────────────────────────────

    def put_output(self, output: Output) -> bool:
        """Inserts, or replaces one with a lower (version, attempt), or a transcript with the
        same by an identity; False if neither."""
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

    def output_lines(self, task_id: str, first: int, last: int) -> list[OutputLine]:
        """The same of the items with first ≤ ordinal ≤ last, without their texts."""
        ...

    def count_outputs(self, task_id: str) -> int:
        """How many outputs are cells: those of kind `translation` or `identity`."""
        ...

    def put_pack(self, pack: Pack) -> bool:
        """Inserts, or replaces one with a lower revision; False if neither."""
        ...

    def pack(self, task_id: str, language: str) -> Pack | None: ...
