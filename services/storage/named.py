"""Buckets that the operator names, from which tasks may take their audio by `s3://` and `oss://`."""

from __future__ import annotations

from functools import cache
from urllib.parse import unquote, urlsplit

from services.model.errors import Invalid
from services.settings import Settings
from services.storage.opening import open_bucket
from services.storage.protocol import ObjectInfo, ObjectStore

SCHEMES = frozenset({"s3", "oss"})
MAX_URL = 2048  # characters


class NamedBuckets:
    """Objects by URL, as far as one of the settings' `input_prefixes` goes. They are reached with
    the endpoint and the key of our own objects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        named = (each.strip() for each in settings.input_prefixes.split(","))
        self._prefixes = [_folder(*_read(each)) for each in named if each]
        self._open = cache(self._opened)

    def check(self, url: str) -> None:
        """Raises Invalid unless a prefix covers it, whole steps of its path only."""
        scheme, bucket, key = _read(url)
        plain = not {"", ".", ".."} & set(key.split("/")) and len(url) <= MAX_URL
        named = any(
            (scheme, bucket) == prefix[:2] and key.startswith(prefix[2])
            for prefix in self._prefixes
        )
        if not plain or not named:
            raise Invalid(
                f"Audio may not be taken from {url[:200]!r}: the operator names the places in "
                "FANSCRIBE_INPUT_PREFIXES.",
                code="url_not_allowed",
            )

    def head(self, url: str) -> ObjectInfo:
        """Raises ObjectMissing and StorageUnavailable."""
        scheme, bucket, key = _read(url)
        return self._open(scheme, bucket).head(key)

    def url_to_get(self, url: str, expires_s: int) -> str:
        scheme, bucket, key = _read(url)
        return self._open(scheme, bucket).url_to_get(key, expires_s)

    def _opened(self, scheme: str, bucket: str) -> ObjectStore:
        return open_bucket(scheme, bucket, "", self._settings)


def _folder(scheme: str, bucket: str, key: str) -> tuple[str, str, str]:
    return scheme, bucket, f"{key.rstrip('/')}/" if key else ""


def _read(url: str) -> tuple[str, str, str]:
    """Scheme, bucket and key. Raises Invalid."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.netloc or parts.query or parts.fragment:
        raise Invalid(
            f"{url[:200]!r} names no object: write s3://bucket/key or oss://bucket/key.",
            code="url_not_allowed",
        )
    return parts.scheme, parts.netloc, unquote(parts.path).lstrip("/")
