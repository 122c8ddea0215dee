"""Who may call what: every route states the scope that it needs, and so learns who calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.model.access import Scope
from services.model.errors import Forbidden
from task_manager.callers import Caller, Callers

_bearer = HTTPBearer(auto_error=False, description="A key (`fs_…`), or FANSCRIBE_API_KEY.")


async def enter(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> AsyncIterator[Caller]:
    """Who calls, until the answer is sent. Raises Unauthenticated, TooMany."""
    callers: Callers = request.app.state.callers
    known = await callers.recognise(given.credentials if given else "")
    with callers.inside(known):
        request.state.caller = known
        yield known


class Asks:
    """Lets a caller pass who has one of these scopes; `admin` has them all."""

    def __init__(self, *scopes: Scope) -> None:
        self.scopes = frozenset(scopes)

    async def __call__(self, caller: Annotated[Caller, Depends(enter)]) -> None:
        """Raises Forbidden."""
        if not caller.may(self.scopes):
            named = " or ".join(sorted(self.scopes))
            raise Forbidden(f"This needs a key with the scope {named}.", code="scope_missing")


async def _entered(request: Request) -> Caller:
    """Whoever the route has let pass: what a route states is asked before all it has as arguments.
    Not `enter` itself, which the framework would walk through for every place that names it."""
    caller: Caller = request.state.caller
    return caller


TheCaller = Annotated[Caller, Depends(_entered)]


async def owner(caller: TheCaller) -> str:
    """Whose tasks the caller sees."""
    return caller.owner


def may(*scopes: Scope) -> Any:
    """What a route, or a router, states in its `dependencies`: who may call it."""
    return Depends(Asks(*scopes))


def waive(document: dict[str, Any]) -> None:
    """Says in an OpenAPI document that every route may also be called without a key."""
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        if "security" in operation:
            operation["security"] = [*operation["security"], {}]
