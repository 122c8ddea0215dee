"""The attempts of one claim as a stage sees them, which may work on several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from services.model.stages import Result
from services.worker.work import Work

Stage = Callable[[Any, Work], Result]  # each takes the spec of its own name


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: with a result, or with what was raised."""

    work: Work
    ended: Result | Exception


@dataclass(frozen=True, slots=True)
class Bundle:
    """Attempts of one stage and one claim, each of which succeeds or fails by itself.

    `turn` goes around all that is done for some of them, and maps each to its share of that:
    only their limits count meanwhile, the share of the time is written down as theirs, and if
    the process dies in it they are lost and the others go back uncharged.
    """

    works: Sequence[Work]
    turn: Callable[[Mapping[Work, float]], AbstractContextManager[None]]
    recall: Callable[[Mapping[Work, Sequence[str]]], Mapping[Work, Mapping[str, str]]]


BundleStage = Callable[[Bundle], Iterator[list[Outcome]]]  # those that ended are told at once


def one_by_one(stage: Stage) -> BundleStage:
    """For work that gains nothing from company."""

    def run(bundle: Bundle) -> Iterator[list[Outcome]]:
        for work in bundle.works:
            yield [_alone(stage, bundle, work)]

    return run


def _alone(stage: Stage, bundle: Bundle, work: Work) -> Outcome:
    try:
        work.check()
        with bundle.turn({work: 1.0}):
            return Outcome(work, stage(work.grant.spec, work))
    except Exception as error:  # noqa: BLE001 - whatever it is becomes a report
        return Outcome(work, error)
