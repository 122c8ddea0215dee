"""One fast stack for all quick scenarios: starting processes costs more than breaking them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.faults.registry import FAST
from benchmarks.faults.runner import Plan, stage
from benchmarks.faults.traffic import Traffic

SEED_VARIABLE = "FANSCRIBE_TEST_SEED"


@pytest.fixture(scope="session")
def plan() -> Plan:
    """With a seed that a failing run names; give it back by FANSCRIBE_TEST_SEED."""
    return Plan(seed=int(os.environ.get(SEED_VARIABLE) or secrets.randbelow(10**6) + 1), quick=True)


@pytest.fixture(scope="session")
def fast_traffic(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    folder: Path = tmp_path_factory.mktemp("faults")
    with stage(FAST, folder, plan.seed) as traffic:
        yield traffic
