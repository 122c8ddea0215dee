"""Secrets come from files and from AWS Secrets Manager; what is said nearer wins."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from services import settings as configuration
from services.aws_secrets import SecretUnreadable
from services.settings import WrongSettings


@pytest.fixture(autouse=True)
def load(monkeypatch: pytest.MonkeyPatch):
    """Reads the settings anew, of an environment that has none."""
    for name in ("FANSCRIBE_API_KEY", "FANSCRIBE_CALLBACK_SECRET", "FANSCRIBE_STORE_URL"):
        monkeypatch.delenv(name, raising=False)
    configuration.load.cache_clear()
    yield configuration.load
    configuration.load.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FANSCRIBE_SECRETS_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A client of a Secrets Manager on this machine, which AWS's own variables name."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    name = f"prod/{uuid4()}"  # what one server was told the next one in this process knows
    for variable, text in {
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://{host}:{port}",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "FANSCRIBE_AWS_SECRET": name,
    }.items():
        monkeypatch.setenv(variable, text)
    yield boto3.session.Session().client("secretsmanager")
    server.stop()


def write(aws, text: str) -> None:
    aws.create_secret(Name=os.environ["FANSCRIBE_AWS_SECRET"], SecretString=text)


def test_a_setting_is_read_from_the_file_of_its_name(folder: Path, load) -> None:
    (folder / "fanscribe_api_key").write_text("from a file\n")
    (folder / "FANSCRIBE_CALLBACK_SECRET").write_text("new,old")

    assert load().api_key.get_secret_value() == "from a file"
    assert load().callback_secrets == ["new", "old"]


def test_a_variable_wins_over_a_file_unless_it_is_empty(folder: Path, load, monkeypatch) -> None:
    (folder / "fanscribe_api_key").write_text("from a file")
    (folder / "fanscribe_callback_secret").write_text("from a file")
    monkeypatch.setenv("FANSCRIBE_API_KEY", "from the environment")
    monkeypatch.setenv("FANSCRIBE_CALLBACK_SECRET", "")

    assert load().api_key.get_secret_value() == "from the environment"
    assert load().callback_secrets == ["from a file"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, load, monkeypatch) -> None:
    monkeypatch.setenv("FANSCRIBE_SECRETS_DIR", str(tmp_path / "none"))

    with pytest.raises(WrongSettings, match="no such folder"):
        load()


def test_settings_are_read_from_a_secret_of_aws(aws, load) -> None:
    write(aws, json.dumps({"api_key": "from AWS", "FANSCRIBE_CALLBACK_SECRET": "also"}))

    assert load().api_key.get_secret_value() == "from AWS"
    assert load().callback_secrets == ["also"]


def test_the_environment_and_files_win_over_aws(aws, folder: Path, load, monkeypatch) -> None:
    write(aws, json.dumps(dict.fromkeys(("api_key", "callback_secret", "node"), "from AWS")))
    monkeypatch.setenv("FANSCRIBE_API_KEY", "from the environment")
    (folder / "fanscribe_callback_secret").write_text("from a file")

    assert load().api_key.get_secret_value() == "from the environment"
    assert load().callback_secrets == ["from a file"]
    assert load().node == "from AWS"


def test_a_secret_that_is_not_there_is_told_with_what_to_check(aws, load) -> None:
    with pytest.raises(SecretUnreadable, match=r"ResourceNotFoundException.*AWS_REGION"):
        load()


@pytest.mark.parametrize(
    "text", ["a plain hunter2", '["hunter2"]', '{"api_key": {"a": "hunter2"}}']
)
def test_a_secret_of_another_shape_is_told_without_showing_it(aws, load, text: str) -> None:
    write(aws, text)

    with pytest.raises(SecretUnreadable, match="no JSON object") as told:
        load()
    assert "hunter2" not in str(told.value)


def test_a_name_that_is_no_setting_is_told(aws, load) -> None:
    write(aws, '{"api_kye": "hunter2"}')

    with pytest.raises(WrongSettings, match="api_kye") as told:
        load()
    assert "hunter2" not in str(told.value)
