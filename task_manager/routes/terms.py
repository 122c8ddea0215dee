"""Term lists: names and phrases that an owner keeps, to be named by tasks."""

# ruff: noqa: FAST003  the path's list_id is read by a dependency

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from services.model.access import Scope
from services.model.errors import Conflict, NotFound
from services.model.terms import TermList, list_id
from task_manager.auth import may
from task_manager.characters import check_characters
from task_manager.dependencies import Owner, TheClerk, TheStore
from task_manager.problems import responses
from task_manager.routes.bodies import require_json
from task_manager.schemas.terms import (
    MAX_LISTS,
    ChangedTermList,
    NewTermList,
    TermLists,
    TermListView,
)
from task_manager.terms import summary, to_terms, view

router = APIRouter(tags=["term lists"])

_READ, _SUBMIT = may(Scope.READ), may(Scope.SUBMIT)

_READS = responses(401, 403, 404, 422, 503)
_MAKES = responses(400, 401, 403, 409, 415, 422, 503, 507)
_CHANGES = responses(400, 401, 403, 404, 409, 415, 422, 503, 507)
_REMOVES = responses(401, 403, 404, 422, 503, 507)


def _kept(list_id: str, store: TheStore, owner: Owner) -> TermList:
    kept = store.term_list(list_id)
    if kept is None or kept.owner != owner:
        raise NotFound(f"There is no term list {list_id!r}.")
    return kept


OwnedList = Annotated[TermList, Depends(_kept)]


@router.post(
    "/v1/term-lists",
    status_code=201,
    responses=_MAKES,
    dependencies=[_SUBMIT, Depends(require_json)],
)
def create_term_list(
    new: NewTermList, store: TheStore, owner: Owner, clerk: TheClerk
) -> TermListView:
    """Keeps terms under a name, of which there is one list."""
    check_characters(new.name, "name")
    check_characters(new.description, "description")
    terms = to_terms(new.terms, "terms")
    if len(store.term_lists(owner, MAX_LISTS)) >= MAX_LISTS:
        raise Conflict(
            f"There are {MAX_LISTS} term lists, and no more are kept: delete one.",
            code="too_many_term_lists",
        )
    now = store.now()
    kept = TermList(
        id=list_id(owner, new.name),
        owner=owner,
        name=new.name,
        description=new.description,
        terms=terms,
        created_at=now,
        changed_at=now,
    )
    with clerk.noting("term_list.create", kept.id):
        if not store.insert_term_list(kept):
            raise Conflict(
                f"There is a list of that name, {kept.id}: change it, or use another name.",
                code="term_list_exists",
                field="name",
            )
    return view(kept)


@router.get("/v1/term-lists", responses=responses(401, 403, 503), dependencies=[_READ])
def list_term_lists(store: TheStore, owner: Owner) -> TermLists:
    """All of the caller's, of which there are up to 100."""
    return TermLists(term_lists=[summary(each) for each in store.term_lists(owner, MAX_LISTS)])


@router.get("/v1/term-lists/{list_id}", responses=_READS, dependencies=[_READ])
def get_term_list(kept: OwnedList) -> TermListView:
    """A list with its terms."""
    return view(kept)


@router.put(
    "/v1/term-lists/{list_id}",
    responses=_CHANGES,
    dependencies=[_SUBMIT, Depends(require_json)],
)
def change_term_list(
    kept: OwnedList, wanted: ChangedTermList, store: TheStore, clerk: TheClerk
) -> TermListView:
    """Other terms from now on. Tasks that were taken before keep those that they were taken
    with."""
    check_characters(wanted.description, "description")
    terms = to_terms(wanted.terms, "terms")
    fields = {
        "terms": terms,
        "description": wanted.description,
        "changed_at": store.now(),
    }
    with clerk.noting("term_list.change", kept.id):
        revision = kept.revision if wanted.revision is None else wanted.revision
        changed = store.change_term_list(kept.id, revision, fields)
        if changed is None:
            raise Conflict(
                "Somebody else has changed the list: read it, and change what it is now.",
                code="term_list_changed",
                field="revision",
            )
    return view(changed)


@router.delete(
    "/v1/term-lists/{list_id}", status_code=204, responses=_REMOVES, dependencies=[_SUBMIT]
)
def delete_term_list(kept: OwnedList, store: TheStore, clerk: TheClerk) -> None:
    """Tasks that were taken with it keep its terms."""
    with clerk.noting("term_list.delete", kept.id):
        store.delete_term_list(kept.id)
