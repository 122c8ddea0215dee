"""What was seen from outside, in order: an append-only file of lines that a run is judged by.

| kind | data |
| --- | --- |
| `opened` | `at` (seconds since 1970), `seed` |
| `scenario` | `id`, `title`: what follows belongs to it |
| `sent` | `order`, `allowed` (final states), `expected` (expanded pack): before the first try |
| `acked` | `order`, `task`, `seconds` (of the answer), `tries` |
| `unanswered` | `order`, `why`: no 2xx within the client's patience |
| `granted` | `job`, `task`, `attempt`, `token`, `node`, `asked` (t of the claim), `delivered` |
| `finished` | `job`, `attempt`, `token`, `node`, `asked`, `delivered`, `failure`, `outcome` \
(succeeded, failed, released), `verdict` (None: no answer was seen) |
| `unheld` | `job`, `state`: a beat was told that the lease is stale or cancelled |
| `registered` | `node`, `kind`, `pid` |
| `order` | `task`, `verb` (cancel, retry, delete), `status`, `asked` (when) |
| `terminal` | `task`, `state`: the first time it was seen |
| `final` | `task`, `state` (`gone`: 404), `pack`, `cells` (state → count), `counts`, `attempts` |
| `fault` | `name` and what it hit |
| `measured` | `name`, `seconds`, `limit` (None: no figure), `about` |
| `refused` | `path`, `status`, `seconds`: an answer of 429 or 5xx to a client |
| `notice` | `name` (of the receiver), `id`, `event`, `task`, `subject`, `signed`, `answer` (0: \
none): a webhook came; before it is answered |
| `listens` | `name`, `tasks`, `events`, `lives`: who is to be told of what; at the end |
| `delivery` | `name`, `id`, `state`, `created`, `tries`: what the API's log says; at the end |
| `noted` | `told`: what a scenario did otherwise on this store or broker |
| `broken` | `told`: what a scenario by itself found wrong |

`t` is in seconds since the file was opened, by the monotonic clock.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One line."""

    t: float
    kind: str
    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]


class Ledger:
    """Written by every thread of the bench; each line is in the file before `write` returns."""

    def __init__(self, path: Path, seed: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.seed = seed
        self.opened_at = time.time()
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._file = path.open("a", encoding="utf-8")
        self.write("opened", at=self.opened_at, seed=seed)

    def now(self) -> float:
        """Seconds since it was opened."""
        return time.monotonic() - self._began

    def write(self, kind: str, /, **data: Any) -> Entry:
        with self._lock:
            entry = Entry(round(self.now(), 4), kind, data)
            self._entries.append(entry)
            self._file.write(_line(entry))
            self._file.flush()
        return entry

    def mark(self) -> int:
        """Where the next line will be; give it to `entries`."""
        with self._lock:
            return len(self._entries)

    def entries(self, kind: str | None = None, *, since: int = 0) -> list[Entry]:
        with self._lock:
            seen = self._entries[since:]
        return seen if kind is None else [entry for entry in seen if entry.kind == kind]

    def close(self) -> None:
        with self._lock:
            self._file.close()


def read(path: Path) -> list[Entry]:
    """The lines of a ledger that was kept."""
    return list(_parsed(path.read_text(encoding="utf-8").splitlines()))


def _parsed(lines: Iterable[str]) -> Iterable[Entry]:
    for line in lines:
        raw = json.loads(line)
        yield Entry(raw["t"], raw["kind"], raw["data"])


def _line(entry: Entry) -> str:
    raw = {"t": entry.t, "kind": entry.kind, "data": entry.data}
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":")) + "\n"
