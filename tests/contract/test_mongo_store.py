"""What only the MongoDB store promises: the server's clock, and packs that anybody can read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from pymongo import MongoClient
from store_factories import SERVERS, a_job, a_pack, a_task

from services.settings import Settings
from task_manager.store.mongo import MongoStore
from task_manager.store.opening import open_store
from task_manager.store.protocol import StoreUnavailable


@pytest.fixture(params=SERVERS)
def mongo_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_address"))


@pytest.fixture
def mongo_store(mongo_url: str) -> Iterator[MongoStore]:
    store = MongoStore(mongo_url)
    yield store
    store.close()


def test_a_pack_is_read_with_plain_pymongo(mongo_store: MongoStore, mongo_url: str) -> None:
    pack = a_pack()
    mongo_store.put_pack(pack)

    with MongoClient[dict[str, object]](mongo_url) as client:
        found = client.get_default_database().packs.find_one({"task_id": "t", "language": "zh"})

    assert found is not None
    assert found["body"] == pack.body
    assert json.loads(str(found["body"]))["data"] == {"1": {"文.1": {"A": "你好"}}}
    assert {**pack.model_dump(), "_id": pack.id} == found


def test_the_clock_is_the_servers_and_goes_on(mongo_store: MongoStore) -> None:
    first = mongo_store.now()
    second = mongo_store.now()

    assert abs(time.time() - first) < 60  # both run on this machine
    assert first <= second


def test_writes_ask_for_the_majority_and_its_journal(mongo_store: MongoStore) -> None:
    options = mongo_store._client.options

    assert options.write_concern.document == {"w": "majority", "j": True, "wtimeout": 5000}
    assert options.read_concern.document == {"level": "majority"}


def test_the_address_may_say_how_long_to_wait_but_not_what_is_safe(mongo_url: str) -> None:
    store = MongoStore(f"{mongo_url}?socketTimeoutMS=1234&w=1&journal=false")

    options = store._client.options

    assert options.pool_options.socket_timeout == 1.234
    assert options.pool_options.connect_timeout == 5.0
    assert options.write_concern.document == {"w": "majority", "j": True, "wtimeout": 5000}
    store.close()


def test_opening_a_database_again_finds_its_documents(
    mongo_store: MongoStore, mongo_url: str
) -> None:
    mongo_store.insert_jobs([a_job()])

    again = open_store(Settings(store_url=mongo_url))

    assert again.job(a_job().id) == a_job()
    again.close()


def test_a_closed_store_is_unavailable(mongo_url: str) -> None:
    store = MongoStore(mongo_url)
    store.ping()
    store.close()

    with pytest.raises(StoreUnavailable):
        store.ping()
    with pytest.raises(StoreUnavailable):
        store.insert_task(a_task())


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        MongoStore("mongodb://127.0.0.1:1/nothing?serverSelectionTimeoutMS=100")


def test_an_address_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="postgresql"):
        open_store(Settings(store_url="postgresql://host/database"))
