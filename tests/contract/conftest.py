"""The stores that must keep the same promises: SQLite, a MongoDB wire server, and MongoDB itself
when FANSCRIBE_TEST_MONGODB_URL names one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from pymongo import MongoClient
from store_factories import REAL_MONGODB, SERVERS
from wire_server import in_memory

from services.settings import Settings
from task_manager.store.opening import open_store
from task_manager.store.protocol import Store


def _open(address: str) -> Store:
    return open_store(Settings(store_url=address))


@pytest.fixture(scope="session")
def wire_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a wire server that keeps its databases in memory."""
    with in_memory(tmp_path_factory.mktemp("wire")) as url:
        yield url


def _throwaway_database(url: str) -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    parts = urlsplit(url)
    yield parts._replace(path=f"/{name}").geturl()
    with MongoClient[dict[str, object]](url) as client:
        client.drop_database(name)


@pytest.fixture
def sqlite_address(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/store.sqlite"


@pytest.fixture
def wire_address(wire_server: str) -> Iterator[str]:
    yield from _throwaway_database(wire_server)


@pytest.fixture
def mongo_address() -> Iterator[str]:
    yield from _throwaway_database(os.environ[REAL_MONGODB])


@pytest.fixture(params=["sqlite", *SERVERS])
def address(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_address"))


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    opened = _open(address)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_address: str) -> Iterator[Store]:
    opened = _open(sqlite_address)
    yield opened
    opened.close()


@pytest.fixture
def wire_store(wire_address: str) -> Iterator[Store]:
    opened = _open(wire_address)
    yield opened
    opened.close()
