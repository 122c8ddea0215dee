"""Keys are known by a hash, and a rate is a bucket that fills steadily."""

from __future__ import annotations

import pytest

from services.model.access import ApiKey, Scope, id_in, make_key
from services.model.rates import Bucket, take


def a_key(**fields) -> tuple[str, ApiKey]:
    key, key_id, digest = make_key()
    known = {"id": key_id, "digest": digest, "name": "n", "owner": "o", "created_at": 0.0}
    return key, ApiKey(**known | {"scopes": [Scope.READ]} | fields)


def test_a_key_opens_its_own_document_and_no_other() -> None:
    key, kept = a_key()
    other, _ = a_key()

    assert kept.is_opened_by(key)
    assert not kept.is_opened_by(other)
    assert not kept.is_opened_by(kept.id)
    assert not kept.is_opened_by(kept.digest)
    assert not kept.is_opened_by("")


def test_nothing_that_is_kept_holds_the_key() -> None:
    key, kept = a_key()

    assert key.startswith(f"{kept.id}_")
    assert key.removeprefix(f"{kept.id}_") not in kept.model_dump_json()
    assert len(key.rpartition("_")[2]) == 64  # 256 bits


def test_the_id_of_a_key_is_read_from_its_beginning() -> None:
    key, kept = a_key()

    assert id_in(key) == kept.id


@pytest.mark.parametrize(
    "text", ["", "fs_", "fs__x", "fs_abc", "fs_abc_", "sk-123", "fs_a/b_c", "FS_a_b", "fs_$ne_x"]
)
def test_what_is_no_key_of_ours_has_no_id(text: str) -> None:
    assert id_in(text) is None


def test_a_key_counts_until_it_expires_or_is_revoked() -> None:
    assert a_key()[1].counts(1e12)
    assert a_key(expires_at=10.0)[1].counts(9.9)
    assert not a_key(expires_at=10.0)[1].counts(10.0)
    assert not a_key(revoked_at=5.0)[1].counts(6.0)


# ── rates ────────────────────────────────────────────────────────────────────────────────────


def test_a_full_bucket_gives_as_many_as_it_holds_and_then_says_how_long_to_wait() -> None:
    buckets = [Bucket.full(3, 60.0, 0.0)]
    for _ in range(3):
        buckets, wait = take(buckets, 0.0)
        assert wait == 0

    buckets, wait = take(buckets, 0.0)

    assert wait == pytest.approx(20.0)
    assert take(buckets, 19.9)[1] == pytest.approx(0.1)
    assert take(buckets, 20.001)[1] == 0


def test_a_bucket_never_holds_more_than_its_size() -> None:
    buckets = [Bucket.full(2, 1.0, 0.0)]

    for _ in range(2):
        buckets, wait = take(buckets, 1000.0)
        assert wait == 0
    assert take(buckets, 1000.0)[1] > 0


def test_what_one_bucket_refuses_is_not_taken_from_the_other() -> None:
    buckets = [Bucket.full(1, 1.0, 0.0), Bucket.full(2, 60.0, 0.0)]
    buckets, _ = take(buckets, 0.0)
    for _ in range(9):
        buckets, wait = take(buckets, 0.0)
        assert wait == pytest.approx(1.0)

    buckets, wait = take(buckets, 1.0)

    assert wait == 0
    assert take(buckets, 2.0)[1] == pytest.approx(28.0)


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    buckets, _ = take([Bucket.full(1, 1.0, 100.0)], 100.0)

    assert take(buckets, 50.0)[1] == pytest.approx(1.0)
