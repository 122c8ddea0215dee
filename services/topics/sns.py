"""Events as messages of an SNS topic, with id and type as attributes to filter by."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from services.topics.opening import TopicAway

_WITHIN = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1})


class SnsTopic:
    """Region by the ARN; credentials, and an endpoint of one's own, are looked for where AWS's
    tools look."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        region = arn.split(":")[3]
        self._client = boto3.session.Session().client("sns", region_name=region, config=_WITHIN)

    def publish(self, message_id: str, event: str, body: str) -> None:
        try:
            self._client.publish(
                TopicArn=self._arn,
                Message=body,
                MessageAttributes={"id": _text(message_id), "type": _text(event)},
            )
        except (BotoCoreError, ClientError) as error:
            raise TopicAway(f"SNS did not take it: {type(error).__name__}.") from error

    def close(self) -> None:
        self._client.close()


def _text(value: str) -> dict[str, Any]:
    return {"DataType": "String", "StringValue": value}
