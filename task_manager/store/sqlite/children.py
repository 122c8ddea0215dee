"""All that an expansion writes, in SQLite: one commit, where one at a time it would be many."""

from __future__ import annotations

import sqlite3

from task_manager.store.children import Children, Expanded
from task_manager.store.sqlite.database import Database, change_if, insert, put, rows_of
from task_manager.store.sqlite.events import append
from task_manager.store.sqlite.jobs import if_ended
from task_manager.store.sqlite.results import older_than
from task_manager.store.sqlite.schema import DELIVERIES, ITEMS, JOBS, OUTPUTS, TASKS, VERSIONS
from task_manager.store.sqlite.tasks import at_revision


class ChildTables(Database):
    def write_children(self, children: Children, expanded: Expanded | None = None) -> bool:
        items, jobs = rows_of(ITEMS, children.items), rows_of(JOBS, children.jobs)
        versions = rows_of(VERSIONS, children.versions)
        deliveries = rows_of(DELIVERIES, children.deliveries)
        outputs = [(each.model_dump(mode="json"), older_than(each)) for each in children.outputs]

        def work(connection: sqlite3.Connection) -> bool:
            insert(connection, ITEMS, items)
            insert(connection, VERSIONS, versions)
            for output, decide in outputs:
                put(connection, OUTPUTS, output, decide)
            insert(connection, JOBS, jobs)
            append(connection, *children.events)
            insert(connection, DELIVERIES, deliveries)
            return expanded is None or _noted(connection, expanded)

        return self._write(work)


def _noted(connection: sqlite3.Connection, expanded: Expanded) -> bool:
    if expanded.job is not None:
        change_if(connection, JOBS, expanded.job, if_ended(expanded.attempt))
    noted = at_revision(expanded.revision, expanded.fields)
    return change_if(connection, TASKS, expanded.task_id, noted) is not None
