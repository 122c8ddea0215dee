"""One file, many threads and processes: connections, transactions, and the errors they raise."""

# ruff: noqa: S608 -- statements are made of this package's own names; values are always bound

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from services.model.errors import OutOfSpace
from task_manager.store.documents import Document, jsonable
from task_manager.store.protocol import StoreUnavailable
from task_manager.store.sqlite import clock
from task_manager.store.sqlite.commits import BUSY_S, Commits
from task_manager.store.sqlite.migrations import create
from task_manager.store.sqlite.schema import M, Table

T = TypeVar("T")

Decide = Callable[[Document], Mapping[str, Any] | None]
"""Looks at a document and says which fields to write, or None to leave it."""


class Database:
    """The file. A connection serves one thread at a time and is lent out anew, since the threads
    of a web server come and go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._commits = Commits(self._lent)
        self._closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lent() as connection:
            create(connection)

    def now(self) -> float:
        with self._lent() as connection:
            return self._now(connection)

    def ping(self) -> None:
        self._rows("SELECT id FROM tasks LIMIT 1")

    def try_write(self) -> None:
        """The version is written as it is; SQLite writes its page all the same."""

        def rewrite(connection: sqlite3.Connection) -> None:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version:d}")

        self._write(rewrite)

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _now(self, connection: sqlite3.Connection) -> float:
        return clock.now(connection)

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lent() as connection:
            return connection.execute(sql, values).fetchall()

    def _find(self, table: Table[M], rest: str, *values: Any) -> list[M]:
        """The documents of a table; `rest` is the statement from WHERE on."""
        rows = self._rows(f"SELECT doc FROM {table.name} {rest}", *values)
        return [table.read(doc) for (doc,) in rows]

    def _get(self, table: Table[M], key: str) -> M | None:
        return next(iter(self._find(table, f"WHERE {table.key} = ?", key)), None)

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs the work in a transaction that is on disk when this returns."""

        def translated(connection: sqlite3.Connection) -> T:
            try:
                clock.keep(connection)
                return work(connection)
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

        return self._commits.run(translated)

    def _insert(self, table: Table[M], documents: Iterable[M]) -> int:
        """Inserts those that are absent, in one transaction; how many there were."""
        rows = rows_of(table, documents)
        return self._write(lambda connection: insert(connection, table, rows)) if rows else 0

    def _change(self, table: Table[M], key: str, decide: Decide) -> M | None:
        """One compare-and-set: the document as changed, or None if `decide` left it alone."""
        changed = self._write(lambda connection: change_if(connection, table, key, decide))
        return None if changed is None else table.kind.model_validate(changed)

    def _put(self, table: Table[M], new: M, decide: Decide) -> bool:
        """Inserts, or does with the stored document what `decide` says; False if nothing."""
        document = new.model_dump(mode="json")
        return self._write(lambda connection: put(connection, table, document, decide))

    def _delete(self, sql: str, value: Any) -> int:
        return self._write(lambda connection: connection.execute(sql, (value,)).rowcount)

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable | OutOfSpace:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return OutOfSpace("The server's disk is full: nothing was changed. Try again later.")
        return StoreUnavailable(f"The store at {self._path} does not answer: {error}.")

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            if self._closed:
                raise sqlite3.ProgrammingError("it was closed") from None
            return connect(self._path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        _enter_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    """The mode lasts in the file, but the busy timeout does not hold for switching to it."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            if mode != "wal":
                raise sqlite3.OperationalError(f"no write-ahead log here, only {mode}")
            return


def rows_of(table: Table[M], documents: Iterable[M]) -> list[tuple[Any, ...]]:
    dumped = (document.model_dump(mode="json") for document in documents)
    return [tuple(table.written(document).values()) for document in dumped]


def insert(connection: sqlite3.Connection, table: Table[M], rows: list[tuple[Any, ...]]) -> int:
    """Inserts those that are absent; how many there were."""
    return connection.executemany(table.insert, rows).rowcount if rows else 0


def put(
    connection: sqlite3.Connection, table: Table[M], document: Document, decide: Decide
) -> bool:
    """Inserts, or does with the stored document what `decide` says; False if nothing."""
    if insert(connection, table, [tuple(table.written(document).values())]):
        return True
    stored = document_of(connection, table, document[table.key])
    fields = None if stored is None else decide(stored)
    if stored is None or fields is None:
        return False
    change(connection, table, stored, fields)
    return True


def document_of(connection: sqlite3.Connection, table: Table[M], key: str) -> Document | None:
    sql = f"SELECT doc FROM {table.name} WHERE {table.key} = ?"
    row = connection.execute(sql, (key,)).fetchone()
    return None if row is None else json.loads(row[0])


def change_if(
    connection: sqlite3.Connection, table: Table[M], key: str, decide: Decide
) -> Document | None:
    """The document as changed, or None if `decide` left it alone."""
    document = document_of(connection, table, key)
    fields = None if document is None else decide(document)
    if document is None or fields is None:
        return None
    return change(connection, table, document, fields)


def change(
    connection: sqlite3.Connection,
    table: Table[M],
    document: Document,
    fields: Mapping[str, Any],
) -> Document:
    """Writes the fields into the row of the document, and its columns only where they differ:
    an index whose columns are not named in the statement is not touched."""
    changed = {**document, **jsonable(table.kind, fields)}
    if changed != document:
        before, after = table.values(document), table.written(changed)
        differing = {name: value for name, value in after.items() if value != before.get(name)}
        names = ", ".join(f"{name} = ?" for name in differing)
        sql = f"UPDATE {table.name} SET {names} WHERE {table.key} = ?"
        connection.execute(sql, (*differing.values(), document[table.key]))
    return changed
