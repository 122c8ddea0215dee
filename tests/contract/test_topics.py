"""A Redis stream and an SNS topic take events, or say that they are away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from buckets import KEY_ID, KEY_SECRET, s3_server
from redis import Redis

from services.model.errors import Invalid
from services.standalone.redis_child import choose
from services.topics.opening import Topic, TopicAway, open_topic

EVENT = ("msg_1", "task.succeeded", '{"文":"é"}')


@pytest.fixture
def local_redis(tmp_path: Path) -> Iterator[str]:
    """The URL of a redis of the test's own."""
    broker = choose("auto", tmp_path)
    process = subprocess.Popen(broker.command, stdout=subprocess.DEVNULL)
    try:
        broker.wait_until_ready()
        yield broker.url.replace("redis+socket://", "unix://")
    finally:
        process.kill()
        process.wait()
        broker.clean_up()


def test_a_stream_takes_events_in_order(local_redis: str) -> None:
    topic = open_topic(f"{local_redis}#fanscribe.done", "success_topic")

    topic.publish(*EVENT)
    topic.publish("msg_2", "item.transcribed", "{}")

    with Redis.from_url(local_redis, decode_responses=True) as client:
        entries: Any = client.xrange("fanscribe.done")
    assert [entry for _, entry in entries] == [
        {"id": "msg_1", "type": "task.succeeded", "body": '{"文":"é"}'},
        {"id": "msg_2", "type": "item.transcribed", "body": "{}"},
    ]
    topic.close()


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an SNS and SQS on this machine."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": KEY_SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with s3_server() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield address


def test_a_topic_takes_events_that_its_subscribers_can_filter(sns: str) -> None:
    arn = boto3.client("sns").create_topic(Name="done")["TopicArn"]
    queue = boto3.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    queue_arn = boto3.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn)
    topic = open_topic(arn, "success_topic")

    topic.publish(*EVENT)

    (message,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    told = json.loads(message["Body"])
    assert told["Message"] == EVENT[2]
    assert told["MessageAttributes"]["id"]["Value"] == "msg_1"
    assert told["MessageAttributes"]["type"]["Value"] == "task.succeeded"
    topic.close()


def away(topic: Topic) -> str:
    with pytest.raises(TopicAway) as said:
        topic.publish(*EVENT)
    topic.close()
    return str(said.value)


def test_what_is_away_says_so_and_not_where_it_is(sns: str, tmp_path: Path) -> None:
    redis = away(open_topic(f"unix://{tmp_path}/no.sock#s", "error_topic"))
    topic = away(open_topic("arn:aws:sns:us-east-1:123456789012:none", "error_topic"))

    assert redis == "Redis did not take it: ConnectionError."
    assert "SNS did not take it: NotFound" in topic


@pytest.mark.parametrize("address", ["redis://h:1/0", "arn:aws:sqs:a:b:c", "https://h/", "none"])
def test_what_names_no_topic_is_refused(address: str) -> None:
    with pytest.raises(Invalid) as refused:
        open_topic(address, "error_topic")

    assert (refused.value.code, refused.value.field) == ("bad_topic", "error_topic")
