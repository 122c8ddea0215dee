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
    """What is told of a bundle, as it is told; `turns` gets the shares of each turn. Each attempt
    knows what is in its own `memory`, and notes in `asked` what is asked for."""

    @contextmanager
    def turn(shares: Mapping[Work, float]) -> Iterator[None]:
        if turns is not None:
            turns.append(dict(shares))
        yield

    def recall(wanted: Mapping[Work, Sequence[str]]) -> dict[Work, dict[str, str]]:
        for work, digests in wanted.items():
            work.asked.append(list(digests))
        return {
            work: {name: work.memory[name] for name in digests if name in work.memory}
            for work, digests in wanted.items()
        }

    return BUNDLES["translate"](Bundle(works, turn, recall))


def translate(spec: TranslateSpec, work: Work) -> Result:
    """One job by itself. Raises what ended it."""
    work.grant = work.grant.model_copy(update={"spec": spec})
    [[outcome]] = run([work])
    if isinstance(outcome.ended, Exception):
        raise outcome.ended
    return outcome.ended
