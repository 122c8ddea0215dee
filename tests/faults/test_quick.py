"""The quick selection of the fault bench: nothing lost, doubled, stuck or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults.registry import Scenario, all_scenarios
from benchmarks.faults.runner import Outcome, Plan, perform, run_alone
from tests.faults.conftest import SEED_VARIABLE

QUICK = [
    each
    for each in all_scenarios().values()
    if each.quick is not None and each.fits("sqlite", "redis")
]


@pytest.mark.parametrize("scenario", QUICK, ids=lambda each: each.id)
def test_nothing_is_lost_doubled_stuck_or_wrong(
    scenario: Scenario, plan: Plan, request: pytest.FixtureRequest
) -> None:
    if scenario.quick_stack is not None:
        judge(run_alone(scenario, scenario.quick_stack, plan, print), plan)
    else:
        judge(perform(scenario, request.getfixturevalue("fast_traffic"), plan), plan)


def judge(outcome: Outcome, plan: Plan) -> None:
    """Times are shown and not judged."""
    print(outcome.id, outcome.times)
    told = "\n".join(f"{each.kind} {each.about}: {each.told}" for each in outcome.bad)
    where = f"ledger and logs: {Path(outcome.ledger).parent}"
    assert not outcome.bad, f"{SEED_VARIABLE}={plan.seed}\n{told}\n{where}"
