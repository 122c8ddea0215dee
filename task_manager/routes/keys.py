"""Keys: made, listed and revoked by administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from services.model.access import Scope
from task_manager import cursors, keys
from task_manager.auth import may
from task_manager.callers import Callers
from task_manager.dependencies import TheClerk, TheStore
from task_manager.problems import responses
from task_manager.routes.bodies import require_json
from task_manager.schemas.key import KeyPage, KeyView, MadeKey, NewKey
from task_manager.schemas.request import WHOLE

router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[may(Scope.ADMIN)])


@router.post(
    "",
    status_code=201,
    responses=responses(400, 401, 403, 415, 422, 503, 507),
    dependencies=[Depends(require_json)],
)
def create_key(wanted: NewKey, store: TheStore, clerk: TheClerk) -> MadeKey:
    """Makes a key. This answer alone holds it: only a hash of it is kept."""
    with clerk.noting("key.create") as note:
        made = keys.create(store, wanted)
        note.subject = made.id
        return made


@router.get("", responses=responses(401, 403, 422, 503))
def list_keys(
    store: TheStore,
    limit: Annotated[int, Query(ge=1, le=200), WHOLE] = 50,
    cursor: Annotated[str | None, Query(description="The `next` of the page before.")] = None,
) -> KeyPage:
    """All keys, newest first, also those that were revoked or have expired."""
    before = cursors.read(cursor) if cursor is not None else None
    found = store.keys(before=before, limit=limit + 1)
    page = found[:limit]
    more = cursors.write(page[-1].created_at, page[-1].id) if len(found) > limit else None
    return KeyPage(keys=[keys.view(key) for key in page], next=more)


@router.get("/{key_id}", responses=responses(401, 403, 404, 422, 503))
def get_key(key_id: str, store: TheStore) -> KeyView:
    """One key, without the key."""
    return keys.view(keys.find(store, key_id))


@router.delete("/{key_id}", responses=responses(401, 403, 404, 422, 503, 507))
def revoke_key(key_id: str, request: Request, store: TheStore, clerk: TheClerk) -> KeyView:
    """It opens nothing any more: here at once, at other managers within five seconds."""
    callers: Callers = request.app.state.callers
    with clerk.noting("key.revoke", key_id[:15]):
        revoked = keys.revoke(store, key_id)
        callers.forget(key_id)
        return keys.view(revoked)
