"""`fanscribe models list` against a running manager, and without one."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from services import settings as configuration
from services.cli import make_app
from services.model_lock import lock_of, write_lock


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """Runs a command on a machine without a server."""
    monkeypatch.setenv("FANSCRIBE_MODELS_DIR", str(tmp_path / "models"))
    configuration.load.cache_clear()
    yield lambda *words: CliRunner().invoke(make_app(), ["models", "list", *words])
    configuration.load.cache_clear()


def test_models_are_listed_with_what_they_are_and_where(fanscribe) -> None:
    lines = {line.split()[0]: line for line in fanscribe("models", "list").splitlines()}
    assert lines["model"].split() == [
        "model", "does", "languages", "disk", "memory", "licence", "state", "digest",
    ]  # fmt: skip
    assert lines["stub-nmt"].rstrip().endswith("served by 1")
    assert lines["tiny.en"].split()[:3] == ["tiny.en", "transcribe", "en"]
    assert "488 MB" in lines["small"]
    assert lines["small"].split()[-3:] == ["MIT", "not", "installed"]


def test_programs_get_all_of_it(fanscribe) -> None:
    models = {each["name"]: each for each in json.loads(fanscribe("models", "list", "--json"))}
    small = models["small"]
    assert (small["installed"], small["digest"], small["commercial"]) == (False, "", True)
    assert small["hub_id"] == "Systran/faster-whisper-small"


def test_the_models_of_this_machine_need_no_server(alone, monkeypatch, tmp_path) -> None:
    folder = tmp_path / "models" / "small"
    folder.mkdir(parents=True)
    (folder / "model.bin").touch()
    monkeypatch.setenv("FANSCRIBE_URL", "http://127.0.0.1:9")
    listed = alone("--here", "--json")
    assert listed.exit_code == 0, listed.output
    installed = [each["name"] for each in json.loads(listed.stdout) if each["installed"]]
    assert installed == ["small", "opencc"]


def test_a_model_that_was_put_there_by_hand_is_listed_as_unverified(alone, tmp_path) -> None:
    folder = tmp_path / "models" / "small"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")

    def state() -> str:
        listed = alone("--here")
        assert listed.exit_code == 0, listed.output
        (line,) = (line for line in listed.stdout.splitlines() if line.startswith("small "))
        return line

    assert "installed, unverified" in state()
    write_lock(folder, lock_of(folder))
    assert "installed, unverified" in state()
    write_lock(folder, lock_of(folder).model_copy(update={"verified": True}))
    assert "installed" in state()
    assert "unverified" not in state()


def test_where_no_server_was_named_and_none_answers_this_machine_is_asked(
    alone, monkeypatch
) -> None:
    monkeypatch.delenv("FANSCRIBE_URL", raising=False)
    monkeypatch.setattr("services.client.server.DEFAULT_URL", "http://127.0.0.1:9")
    listed = alone()
    assert listed.exit_code == 0, listed.output
    assert "these are the models of this machine" in listed.stderr
    assert "large-v3" in listed.stdout


def test_a_server_that_was_named_must_answer(alone, monkeypatch) -> None:
    monkeypatch.setenv("FANSCRIBE_URL", "http://127.0.0.1:9")
    assert alone().exit_code == 1
