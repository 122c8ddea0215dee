"""The audit log: who did what, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.model.access import Scope
from task_manager import cursors
from task_manager.auth import may
from task_manager.clock import moment
from task_manager.dependencies import ThePipeline, TheStore
from task_manager.problems import responses
from task_manager.schemas.audit import AuditEntry, AuditPage
from task_manager.schemas.request import WHOLE

router = APIRouter(prefix="/v1/audit", tags=["keys"], dependencies=[may(Scope.ADMIN)])


@router.get("", responses=responses(401, 403, 422, 503))
def list_audit(
    store: TheStore,
    pipeline: ThePipeline,
    key: Annotated[str | None, Query(max_length=64, description="Only what this key did.")] = None,
    limit: Annotated[int, Query(ge=1, le=200), WHOLE] = 50,
    cursor: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
) -> AuditPage:
    """Every order that changed something, or was refused, newest first."""
    before = cursors.read(cursor) if cursor is not None else None
    pipeline.ports.audit.flush(store)
    found = store.audit_page(key=key, before=before, limit=limit + 1)
    page = found[:limit]
    more = cursors.write(page[-1].at, page[-1].id) if len(found) > limit else None
    entries = [AuditEntry(**line.model_dump(exclude={"at"}), at=moment(line.at)) for line in page]
    return AuditPage(entries=entries, next=more)
