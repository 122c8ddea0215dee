"""A hub with one small model, a folder for models, and the command that pulls."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_server import COMMIT, HubServer, Revision
from typer.testing import CliRunner

from services import settings as configuration
from services.cli import make_app
from services.installing.hub import Hub

MODEL = "org/tiny-model"


@pytest.fixture
def files() -> dict[str, bytes]:
    """What such a model has on the hub; only `model.bin` is large."""
    return {
        "README.md": b"# A model",
        "model.bin": random.Random(5).randbytes(50_000),
        "config.json": b"{}",
        "tokenizer.json": b'{"version": "1.0"}',
        "vocabulary.json": b'["a", "b"]',
        "preprocessor_config.json": b'{"feature_size": 80}',
    }


@pytest.fixture
def hub_server(files: dict[str, bytes]) -> Iterator[HubServer]:
    server = HubServer()
    server.revisions[MODEL, "main"] = Revision(files)
    server.revisions[MODEL, COMMIT] = Revision(files)
    yield server
    server.close()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were waited for, without their being waited."""
    return []


@pytest.fixture
def hub(hub_server: HubServer, waits: list[float]) -> Iterator[Hub]:
    hub = Hub(hub_server.endpoint, "hf_secret", wait=waits.append)
    yield hub
    hub.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def pull(
    hub_server: HubServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., str]]:
    """Runs `fanscribe models pull` against the hub of the test; what it printed."""
    monkeypatch.setenv("HF_ENDPOINT", hub_server.endpoint)
    monkeypatch.setenv("FANSCRIBE_MODELS_DIR", str(root))
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "FANSCRIBE_CATALOG_FILE"):
        monkeypatch.delenv(name, raising=False)
    configuration.load.cache_clear()

    def run(*words: str) -> str:
        result = CliRunner().invoke(make_app(), ["models", "pull", *words])
        if result.exception is not None:
            raise result.exception
        return result.stdout

    yield run
    configuration.load.cache_clear()
