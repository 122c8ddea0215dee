"""What every object store keeps to. One adapter so far; the next joins the fixture."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from services.model.errors import Forbidden, Invalid
from services.settings import Settings
from services.signing import sign_url
from services.storage.local import LocalStore
from services.storage.opening import open_objects
from services.storage.protocol import ObjectInfo, ObjectMissing, ObjectStore

KEY = "tasks/t1/audio/0"


@pytest.fixture
def local_store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects", access="path", base_url="", secret="")


@pytest.fixture(params=["local"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    store: ObjectStore = request.getfixturevalue(f"{request.param}_store")
    return store


def test_what_was_put_is_got(objects: ObjectStore) -> None:
    info = objects.put(KEY, [b"ab", b"", b"cdef"])
    assert info == ObjectInfo(KEY, 6, sha256(b"abcdef").hexdigest())
    assert b"".join(objects.get(KEY)) == b"abcdef"
    assert objects.head(KEY).size == 6


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, None, b"abcdef"), (2, None, b"cdef"), (1, 3, b"bc"), (0, 0, b""), (4, 99, b"ef")],
)
def test_a_range_is_half_open(
    objects: ObjectStore, start: int, end: int | None, expected: bytes
) -> None:
    objects.put(KEY, [b"abcdef"])
    assert b"".join(objects.get(KEY, start, end)) == expected


def test_a_second_put_replaces_the_first(objects: ObjectStore) -> None:
    objects.put(KEY, [b"long and old"])
    objects.put(KEY, [b"new"])
    assert b"".join(objects.get(KEY)) == b"new"


def test_a_put_that_breaks_off_leaves_nothing(objects: ObjectStore) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        objects.put(KEY, broken())
    with pytest.raises(ObjectMissing):
        objects.head(KEY)
    assert objects.delete_prefix("tasks/t1/") == 0


def test_what_is_not_there_is_missing_before_the_first_byte(objects: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        objects.get(KEY)
    with pytest.raises(ObjectMissing):
        objects.head(KEY)
    with pytest.raises(ObjectMissing):
        objects.url_to_get(KEY, 60)
    objects.delete(KEY)


def test_a_prefix_takes_what_is_under_it_and_nothing_beside_it(objects: ObjectStore) -> None:
    for key in ("tasks/t1/audio/0", "tasks/t1/jobs/prepare/0/1/pcm", "tasks/t10/audio/0"):
        objects.put(key, [b"x"])
    assert objects.delete_prefix("tasks/t1/") == 2
    assert objects.delete_prefix("tasks/t1/") == 0
    assert objects.head("tasks/t10/audio/0").size == 1


@pytest.mark.parametrize(
    "key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "a/./b", "a/", "a\0b"]
)
def test_no_key_leads_out_of_the_root(local_store: LocalStore, key: str) -> None:
    with pytest.raises(Forbidden):
        local_store.put(key, [b"x"])
    with pytest.raises(Forbidden):
        local_store.head(key)


def test_no_symlink_is_followed(local_store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (local_store.root / "link").symlink_to(tmp_path / "secret")
    (local_store.root / "folder").symlink_to(tmp_path)
    for key in ("link", "folder/secret"):
        with pytest.raises(Forbidden):
            local_store.get(key)


def test_a_local_object_by_path_is_a_file_url(local_store: LocalStore) -> None:
    local_store.put(KEY, [b"x"])
    assert local_store.url_to_get(KEY, 60) == (local_store.root / KEY).as_uri()
    assert local_store.url_to_put(KEY, 60) == (local_store.root / KEY).as_uri()


def test_a_local_object_by_url_is_signed_for_one_method(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, access="url", base_url="http://manager:8001/", secret="s")
    store.put(KEY, [b"x"])
    address = urlsplit(store.url_to_get(KEY, 60))
    query = parse_qs(address.query)
    assert (address.netloc, address.path) == ("manager:8001", f"/objects/{KEY}")
    expires = int(query["expires"][0])
    assert query["signature"] == [sign_url("s", method="GET", key=KEY, expires=expires)]
    assert query["signature"] != [sign_url("s", method="PUT", key=KEY, expires=expires)]


def test_the_settings_choose_the_store(tmp_path: Path) -> None:
    store = open_objects(Settings(objects_url=(tmp_path / "with space").as_uri()))
    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / "with space"


@pytest.mark.parametrize("address", ["s3://bucket/prefix", "oss://bucket/prefix"])
def test_a_store_without_an_adapter_is_refused_with_what_to_do(address: str) -> None:
    with pytest.raises(Invalid, match="file:///a/folder") as refused:
        open_objects(Settings(objects_url=address))
    assert refused.value.code == "objects_unsupported"
