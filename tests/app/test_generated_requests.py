"""Requests made from the OpenAPI description, right and wrong ones and chains along its links, sent
to a manager with a worker at work: no answer is a 5xx, and none is undocumented.

`make contract` sends them by the thousand; SEED=… others than the last time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from key_holder import SECRETS, make_key
from running_manager import Manager

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = Path(sys.executable).with_name("st")
CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = os.environ.get("FANSCRIBE_TEST_SEED", "0")
# Who asks, and which checks do not hold for them: where keys are shown in turn, what is sent
# without one is sent with the next, and that need not see what the one before has made.
CALLERS = {
    "an administrator": (),
    "callers of every kind": (
        "ignored_auth",
        "missing_required_header",
        "ensure_resource_availability",
        "use_after_free",
    ),
}
# A server without keys asks nobody for one.
KEYLESS = "a caller of a server without keys"
CALLERS_OF_ALL = {**CALLERS, KEYLESS: ("ignored_auth",)}


@contextmanager
def at_work(manager: Manager) -> Iterator[None]:
    """The driver works off whatever comes, and takes up work again when it was drained."""
    driver = manager.driver
    driver.broken, driver.unreadable = {"ko"}, {"broken"}
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if driver.announcer.rung.empty():
                over.wait(0.005)
                continue
            token, grants = driver.claim_next()
            for grant in grants:
                driver.finish(token, grant)
            if not grants:
                manager.api.post(f"/v1/nodes/{driver.node}/resume")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def of(caller: str, start) -> Manager:
    """One that rings again soon for what came while its worker was drained."""
    secrets = {} if caller == KEYLESS else SECRETS
    return start(**secrets, announce_again_s=0.5)


def closing_lines(manager: Manager, caller: str, *arguments: str) -> str:
    """What schemathesis says at last, when everything held."""
    environment = {**os.environ, "COLUMNS": "100"}
    excluded = CALLERS_OF_ALL[caller]
    shown = ["--exclude-checks", ",".join(excluded)] if excluded else []
    if caller == "an administrator":
        shown += ["--header", f"Authorization: Bearer {SECRETS['api_key']}"]
    if caller == "callers of every kind":
        made = [make_key(manager, scope)["key"] for scope in ("submit", "read", "worker", "admin")]
        keys = [*map(str, made), "-", "fs_000000000000_x", SECRETS["api_key"]]
        environment["FANSCRIBE_TEST_KEYS"] = ",".join(keys)
    with at_work(manager):
        done = subprocess.run(
            [SCHEMATHESIS, "--config-file", CONFIG, "run", f"{manager.url}/openapi.json",
             "--seed", SEED, "--no-color", *shown, *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    _, _, summary = done.stdout.partition(" SUMMARY ")
    return summary.lstrip("=")


@pytest.mark.parametrize("caller", CALLERS)
def test_hundreds_of_generated_requests_are_answered_as_documented(start, caller: str) -> None:
    phases = ["--phases", "examples,fuzzing,stateful"]
    said = closing_lines(of(caller, start), caller, *phases, "--max-examples", "3")

    assert cases(said) > 200


@pytest.mark.long
@pytest.mark.parametrize("caller", CALLERS_OF_ALL)
def test_thousands_of_generated_requests_are_answered_as_documented(
    start, caller: str, capsys
) -> None:
    said = closing_lines(of(caller, start), caller, "--max-examples", "75")

    with capsys.disabled():
        print(f"\n{caller.capitalize()}:\n{said}")
    assert cases(said) >= 5000


def cases(said: str) -> int:
    """How many requests schemathesis made up."""
    found = re.search(r"(\d+) generated", said)
    assert found, said
    return int(found[1])
