"""What the processes of a stack use over a long run: memory, open files, stored documents."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from statistics import median

from benchmarks.faults.findings import Finding
from benchmarks.faults.process import usage
from benchmarks.faults.stack import Stack

_SLACK = {"rss_mb": 20.0, "fds": 16.0, "documents": 300.0}  # what a run may differ by anyway
_GROWTH = 1.10


@dataclass
class Vitals:
    """Samples by (part, what), in order."""

    stack: Stack
    samples: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def sample(self) -> None:
        for name, part in self.stack.parts.items():
            if part.alive:
                used = [usage(pid) for pid in [part.pid, *part.family()]]
                self._add(name, "rss_mb", sum(kb for kb, _ in used) / 1024)
                self._add(name, "fds", sum(fds for _, fds in used))
        documents = self._documents()
        if documents is not None:
            self._add("store", "documents", documents)

    def grown(self) -> list[Finding]:
        """What the last quarter of the run used clearly more of than the first."""
        return list(self._grown())

    def _grown(self) -> Iterator[Finding]:
        for (name, what), values in self.samples.items():
            first, last = quarters(values)
            if last > first * _GROWTH + _SLACK[what]:
                yield Finding("wrong", name, f"{what} grew from {first:.0f} to {last:.0f}")

    def told(self) -> dict[str, str]:
        """First and last quarter of everything, for people."""
        pairs = {key: quarters(values) for key, values in self.samples.items()}
        return {f"{n} {what}": f"{a:.0f} → {b:.0f}" for (n, what), (a, b) in pairs.items()}

    def _add(self, name: str, what: str, value: float) -> None:
        self.samples.setdefault((name, what), []).append(value)

    def _documents(self) -> int | None:
        """All documents of the store but those that stay for a time by design: the tombstones of
        deleted tasks, so that late words about them get a 410, and the lines of the audit log, of
        which every order leaves one. None where it is not a file of ours."""
        url = self.stack.database.url
        if not url.startswith("sqlite:///"):
            return None
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as store:
            names = store.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'audit'"
            )
            counts = [store.execute(f'SELECT count(*) FROM "{name}"') for (name,) in names]  # noqa: S608
            tombstones = store.execute("SELECT count(*) FROM tasks WHERE deleted_at IS NOT NULL")
            return sum(int(row.fetchone()[0]) for row in counts) - int(tombstones.fetchone()[0])


def quarters(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the first and of the last quarter."""
    size = max(1, len(values) // 4)
    return median(values[:size]), median(values[-size:])
