"""What the command line says when something is not as it should be: one line, and what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.conftest import clean_environment

NOBODY = "http://127.0.0.1:1"


def fanscribe(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *words],
        env=clean_environment(FANSCRIBE_URL=NOBODY, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_told() -> None:
    assert fanscribe("--version").stdout.startswith("fanscribe 0.")


def test_every_command_of_the_design_is_there() -> None:
    told = fanscribe("--help").stdout
    wanted = "demo up manager worker submit status list result subtitles cancel retry rm nodes"
    assert [
        word for word in [*wanted.split(), "queues", "models", "check"] if word not in told
    ] == []


def test_without_a_server_it_says_how_to_start_one() -> None:
    done = fanscribe("list")
    assert done.returncode == 1
    assert done.stderr.startswith(f"fanscribe: No Fanscribe answers at {NOBODY}")
    assert "`fanscribe up`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_model_it_says_the_one_command_to_run(tmp_path: Path) -> None:
    done = fanscribe("up", "--port", "0", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert "fanscribe models pull small" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_read_is_named() -> None:
    done = fanscribe("up", FANSCRIBE_PORT="http")
    assert done.returncode == 2
    assert done.stderr.startswith("fanscribe: FANSCRIBE_PORT is wrong: ")


@pytest.mark.parametrize(
    "words",
    [
        ["submit", "--to", "zh"],  # nothing to send
        ["submit", "--text", "a=Hello."],  # no target
        ["submit", "--text", "no equals sign", "--to", "zh"],
        ["submit", "--text", "a=1", "--text", "a=2", "--to", "zh"],
        ["submit", "no-such-file.mp3", "--to", "zh"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_ends_with_two(words: list[str]) -> None:
    assert fanscribe(*words).returncode == 2


def test_the_self_test_says_what_to_do_about_each_finding(tmp_path: Path) -> None:
    done = fanscribe(
        "check",
        "--json",
        FANSCRIBE_DATA_DIR=str(tmp_path),
        FANSCRIBE_BROKER_URL="redis://127.0.0.1:1/0",
        FANSCRIBE_HOST="0.0.0.0",
    )
    findings = {each["what"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 1
    assert [name for name, each in findings.items() if each["good"]] == [
        "settings",
        "store",
        "objects",
    ]
    assert all(each["advice"] for each in findings.values() if not each["good"])


def test_a_private_redis_that_is_not_here_is_said_so(tmp_path: Path) -> None:
    done = fanscribe(
        "up", "--port", "0", "--data-dir", str(tmp_path),
        FANSCRIBE_BROKER="path", FANSCRIBE_STUB_MODELS="true", PATH=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 1
    assert "FANSCRIBE_BROKER=path: there is no such redis here" in done.stderr
