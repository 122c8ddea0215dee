"""What `help()` and editors show of a method that was made of steps: its own words and names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)


def with_self(method: F, make: Callable[..., Any]) -> F:
    """The method, with the parameters of `make` after `self`. What it returns is left out, as
    `make` returns the steps to it."""
    given = inspect.signature(make)
    parameters = [_SELF, *given.parameters.values()]
    shown = given.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    vars(method)["__signature__"] = shown
    return method
