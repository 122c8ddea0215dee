"""Settings from one secret of AWS Secrets Manager; read when a setting names it, and only then."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from services.model.errors import FanscribeError

_PATIENCE = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})


class SecretUnreadable(FanscribeError):
    """The settings cannot be had from where they are said to be. Never shows a value."""

    exit_code = 2


def read(name: str) -> dict[str, str]:
    """The values in the secret of this name or ARN, as its owner called them. Region, endpoint and
    credentials are found where AWS's own tools find them."""
    try:
        client = boto3.session.Session().client("secretsmanager", config=_PATIENCE)
        answer: dict[str, Any] = client.get_secret_value(SecretId=name)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise SecretUnreadable(
            f"FANSCRIBE_AWS_SECRET names {name!r}, and it cannot be read ({_reason(error)}): check "
            "the name, AWS_REGION, and that this machine may call secretsmanager:GetSecretValue."
        ) from None
    try:
        found = json.loads(answer.get("SecretString", ""))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise SecretUnreadable(
            f"The secret {name!r} is no JSON object of texts: write it like "
            '{"api_key": "…", "callback_secret": "…"}.'
        )
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__
