"""Who may call what: every route asks for a caller, and states the scope that it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.model.access import Scope
from services.model.errors import Forbidden
from task_manager.callers import Caller, Callers

_bearer = HTTPBearer(auto_error=False, description="A key (`fs_…`), or FANSCRIBE_API_KEY.")


async def caller(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> AsyncIterator[Caller]:
    """Who calls, until the answer is sent. Raises Unauthenticated, TooMany."""
    callers: Callers = request.app.state.callers
    known = await callers.recognise(given.credentials if given else "")
    with callers.inside(known):
        yield known


TheCaller = Annotated[Caller, Depends(caller)]


async def owner(known: TheCaller) -> str:
    """Whose tasks the caller sees."""
    return known.owner


class Asks:
    """Lets a caller pass who has one of these scopes; `admin` has them all."""

    def __init__(self, *scopes: Scope) -> None:
        self.scopes = frozenset(scopes)

    async def __call__(self, known: TheCaller) -> None:
        """Raises Forbidden."""
        if not known.may(self.scopes):
            named = " or ".join(sorted(self.scopes))
            raise Forbidden(f"This needs a key with the scope {named}.", code="scope_missing")


def may(*scopes: Scope) -> Any:
    """What a route, or a router, states in its `dependencies`: who may call it."""
    return Depends(Asks(*scopes))


def waive(document: dict[str, Any]) -> None:
    """Says in an OpenAPI document that every route may also be called without a key."""
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        if "security" in operation:
            operation["security"] = [*operation["security"], {}]
