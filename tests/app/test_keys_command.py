"""`fanscribe keys`: works on the store itself, so that the first key needs no other one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from key_holder import SECRETS, holder_of
from running_manager import Manager, error_of


def keys(folder: Path, *arguments: str, status: int = 0) -> str:
    """What the command says; on stderr where it fails."""
    outside = {name: text for name, text in os.environ.items() if not name.startswith("FANSCRIBE")}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "keys", *arguments],
        cwd=Path(__file__).parents[2], text=True, capture_output=True, check=False, timeout=60,
        env={**outside, "FANSCRIBE_DATA_DIR": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr if status else done.stdout


def test_a_key_made_on_the_machine_opens_the_server_that_runs(start) -> None:
    manager: Manager = start(**SECRETS)
    folder = manager.application.settings.data_dir

    made = keys(folder, "create", "build server", "--owner", "acme", "--expires", "90d")

    key = made.strip()
    with holder_of(manager, key) as holder:
        assert holder.get("/v1/tasks").status_code == 200
        assert error_of(holder.get("/v1/keys"))[:2] == (403, "scope_missing")
    (shown,) = json.loads(keys(folder, "list", "--json"))
    assert (shown["name"], shown["owner"]) == ("build server", "acme")
    assert shown["scopes"] == ["submit", "read"]
    assert key not in keys(folder, "list")

    keys(folder, "revoke", key)  # who pastes the whole of it means the same
    manager.application.public.state.callers.forget(shown["id"])
    with holder_of(manager, key) as holder:
        assert error_of(holder.get("/v1/tasks"))[:2] == (401, "key_revoked")


def test_a_key_can_be_made_before_there_is_a_server(tmp_path: Path) -> None:
    arguments = ["--scope", "worker", "--per-minute", "9", "--storage", "50GB", "--json"]

    made = json.loads(keys(tmp_path, "create", "n", "--owner", "o", *arguments))

    assert made["key"].startswith(f"{made['id']}_")
    assert made["limits"]["per_minute"] == 9
    assert made["limits"]["stored_bytes"] == 50 * 10**9
    assert made["expires_at"] is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--owner", "o", "--scope", "root"], "scopes.0"),
        (["--owner", "a b"], "owner"),
        (["--owner", "o", "--expires", "soon"], "such as 90d"),
        (["--owner", "o", "--storage", "50 GiB"], "such as 50GB"),
        (["--owner", "o", "--at-once", "0"], "at_once"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(tmp_path: Path, wrong, said: str) -> None:
    assert said in keys(tmp_path, "create", "n", *wrong, status=2)
    assert json.loads(keys(tmp_path, "list", "--json")) == []


def test_a_key_that_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    assert "no key" in keys(tmp_path, "revoke", "fs_none", status=1)
