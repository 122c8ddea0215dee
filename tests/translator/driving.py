"""Runs jobs through the stage as a worker does, without a manager around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from services.model.stages import Result, TranslateSpec
from services.worker.bundle import Bundle, Outcome
from services.worker.work import Work
from translator_worker.tasks import BUNDLES

Turns = list[dict[Work, float]]


def run(works: Sequence[Work], turns: Turns | None = None) -> Iterator[list[Outcome]]:
    """What is told of a bundle, as it is told; `turns` gets the shares of each turn."""

    @contextmanager
    def turn(shares: Mapping[Work, float]) -> Iterator[None]:
        if turns is not None:
            turns.append(dict(shares))
        yield

    return BUNDLES["translate"](Bundle(works, turn))


def translate(spec: TranslateSpec, work: Work) -> Result:
    """One job by itself. Raises what ended it."""
    work.grant = work.grant.model_copy(update={"spec": spec})
    [[outcome]] = run([work])
    if isinstance(outcome.ended, Exception):
        raise outcome.ended
    return outcome.ended
