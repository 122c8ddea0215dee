"""A hub with one small model, and a folder for models."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import COMMIT, HubServer, Revision

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
