"""Audio that lies in a bucket of the operator's: named by URL, signed when it is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boto3
import httpx
import pytest
from running_manager import Manager

from services.model.errors import Invalid
from services.settings import Settings
from services.storage.named import NamedBuckets
from tests.contract.buckets import BUCKET, KEY_ID, KEY_SECRET, s3_server, settings_of


@pytest.fixture
def archive() -> Iterator[str]:
    """The address of a bucket with one file of ours and one that is not."""
    with s3_server() as address:
        client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=KEY_SECRET,
        )
        for key in ("talks/一 1.mp3", "secret/2.mp3"):
            client.put_object(Bucket=BUCKET, Key=key, Body=b"abcdef")
        yield address


@pytest.fixture
def manager(start: Callable[..., Manager], archive: str) -> Manager:
    return start(
        input_prefixes=f"s3://{BUCKET}/talks",
        **settings_of(archive),
        max_upload_bytes=10,
    )


def test_a_worker_gets_a_signed_url_of_the_object(manager: Manager) -> None:
    url = f"s3://{BUCKET}/talks/%E4%B8%80%201.mp3"
    task = manager.create(items=[{"audio": url}], targets=["zh"])
    _, grant = manager.driver.claim_stage("prepare")
    assert (grant.text_id, grant.spec.audio.size) == ("一 1", 6)
    assert httpx.get(grant.spec.audio.url).content == b"abcdef"
    item = manager.api.get(f"/v1/tasks/{task['id']}/items").json()["items"][0]
    assert item["audio"]["url"] == url


def test_an_object_that_is_not_there_fails_the_item_for_good(manager: Manager) -> None:
    task = manager.finished(items=[{"audio": f"s3://{BUCKET}/talks/nothing.mp3"}], targets=["zh"])
    assert task["state"] == "failed"
    assert [each["code"] for each in task["attempts"]] == ["input_gone"]


@pytest.mark.parametrize(
    "url",
    [
        f"s3://{BUCKET}/secret/2.mp3",
        f"s3://{BUCKET}/talks/../secret/2.mp3",
        f"s3://{BUCKET}/talks/%2e%2e/secret/2.mp3",
        f"s3://{BUCKET}/talks2/2.mp3",
        f"s3://{BUCKET}/talks//2.mp3",
        f"s3://{BUCKET}/talks/",
        f"s3://{BUCKET}/talks/2.mp3?versionId=1",
        f"oss://{BUCKET}/talks/2.mp3",
        "s3://elsewhere/talks/2.mp3",
        "s3:///talks/2.mp3",
        f"s3://{BUCKET}/talks/" + "a" * 2048,
    ],
)
def test_only_what_the_operator_named_may_be_taken(manager: Manager, url: str) -> None:
    refused = manager.refused(items=[{"audio": url}], targets=["zh"])
    assert refused == (422, "url_not_allowed", "items.0.audio")


def test_without_a_named_prefix_no_bucket_is_read(shared: Manager) -> None:
    refused = shared.refused(items=[{"audio": f"s3://{BUCKET}/talks/1.mp3"}], targets=["zh"])
    assert refused == (422, "url_not_allowed", "items.0.audio")


@pytest.mark.parametrize("prefixes", ["archive/talks", "https://archive/talks", "s3://"])
def test_a_prefix_that_names_no_bucket_is_told_at_start(prefixes: str) -> None:
    with pytest.raises(Invalid):
        NamedBuckets(Settings(input_prefixes=prefixes))
