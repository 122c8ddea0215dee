"""Every method of the client with its words, for the page that tells of it."""  # noqa: INP001

from __future__ import annotations

import inspect
from collections.abc import Iterator

from services.client.client import Fanscribe

GROUPS = ("webhooks", "term_lists", "nodes", "dead_jobs")


def methods() -> list[list[str]]:
    """How it is called, and what it does; required parameters first, then the names of others."""
    with Fanscribe("http://127.0.0.1:1") as client:
        found = list(_of(client, ""))
        for group in GROUPS:
            found += _of(getattr(client, group), f"{group}.")
    return found


def _of(thing: object, prefix: str) -> Iterator[list[str]]:
    for name in vars(type(thing)):
        method = getattr(thing, name)
        if name.startswith("_") or name == "close" or not inspect.ismethod(method):
            continue
        signature = inspect.signature(method)
        called = ", ".join(_written(each) for each in signature.parameters.values())
        words = " ".join((inspect.getdoc(method) or "").split("\n\n")[0].split())
        yield [f"`{prefix}{name}({called})`", words]


def _written(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return f"*{parameter.name}"
    optional = parameter.default is not inspect.Parameter.empty
    return f"{parameter.name}=…" if optional else parameter.name
