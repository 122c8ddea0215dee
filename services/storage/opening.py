"""The object store that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.model.errors import Invalid
from services.settings import Settings
from services.storage.local import LocalStore
from services.storage.protocol import ObjectStore


def open_objects(settings: Settings) -> ObjectStore:
    """Raises Invalid for an address that names no store, and says what is missing."""
    address = urlsplit(settings.objects_address)
    if address.scheme == "file" and not address.netloc:
        return LocalStore(
            Path(unquote(address.path)),
            access=settings.objects_access,
            base_url=settings.manager_url,
            secret=settings.callback_secrets[0],
        )
    if address.scheme in {"s3", "oss"} and address.netloc:
        return open_bucket(address.scheme, address.netloc, unquote(address.path), settings)
    raise Invalid(
        f"Objects cannot be kept at {settings.objects_address!r}: set FANSCRIBE_OBJECTS_URL to "
        "file:///a/folder, s3://bucket/prefix or oss://bucket/prefix.",
        code="objects_unsupported",
        field="objects_url",
    )


def open_bucket(scheme: str, bucket: str, prefix: str, settings: Settings) -> ObjectStore:
    """A bucket by the settings' endpoint and key. Raises Invalid."""
    if scheme == "oss" and not settings.objects_endpoint:
        raise Invalid(
            "OSS has an endpoint for each region: set FANSCRIBE_OBJECTS_ENDPOINT to the bucket's, "
            "such as https://oss-cn-hangzhou.aliyuncs.com.",
            code="objects_endpoint_missing",
            field="objects_endpoint",
        )
    kind = _s3_store() if scheme == "s3" else _oss_store()
    return kind(
        bucket,
        prefix,
        endpoint=settings.objects_endpoint,
        region=settings.objects_region,
        key_id=settings.objects_key_id,
        key_secret=settings.objects_key_secret.get_secret_value(),
    )


# The clients of the buckets are imported when one is wanted: they take a while.


def _s3_store() -> Callable[..., ObjectStore]:
    from services.storage.s3 import S3Store  # noqa: PLC0415

    return S3Store


def _oss_store() -> Callable[..., ObjectStore]:
    from services.storage.oss import OssStore  # noqa: PLC0415

    return OssStore
