"""Places in buckets that the operator names by `s3://` and `oss://`: tasks may take their audio
from some, and have their results written to others."""

from __future__ import annotations

from functools import cache
from urllib.parse import unquote, urlsplit

from services.model.errors import Invalid
from services.settings import Settings
from services.storage import keys
from services.storage.opening import open_bucket
from services.storage.protocol import ObjectInfo, ObjectStore

SCHEMES = frozenset({"s3", "oss"})
MAX_URL = 2048  # characters
MAX_PREFIX = 500  # bytes of an output prefix; our own names need the rest of a key's 1023

Place = tuple[str, str, str]  # scheme, bucket, and a key, or a folder, which ends in `/` or is ""


class NamedBuckets:
    """Objects by URL, as far as one of the settings' prefixes goes. They are reached with the
    endpoint and the key of our own objects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._inputs = _folders(settings.input_prefixes)
        self._outputs = _folders(settings.output_prefixes)
        self._ours = _ours(settings.objects_address)
        self._open = cache(self._opened)

    # ── audio ────────────────────────────────────────────────────────────────────────────────

    def check(self, url: str) -> None:
        """Raises Invalid unless an input prefix covers it, whole steps of its path only."""
        place = _read(url)
        if not _is_plain(url, place[2]) or not _covered(place, self._inputs):
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

    # ── results ──────────────────────────────────────────────────────────────────────────────

    def output_folder(self, prefix: str) -> tuple[ObjectStore, str]:
        """The bucket of an output prefix, and the folder in it. Raises Invalid unless one that the
        operator names covers it; the folders in which we keep our own objects are never one."""
        scheme, bucket, folder = place = _folder(*_read(prefix, "output_prefix"))
        plain = not folder or _is_plain(prefix, folder[:-1])
        short = len(folder.encode(errors="replace")) <= MAX_PREFIX
        printable = (prefix + folder).isprintable()
        if not (plain and short and printable):
            raise Invalid(
                f"An output prefix has up to {MAX_PREFIX} bytes that can be printed, and no step "
                "of its path is empty, `.` or `..`.",
                code="bad_output_prefix",
                field="output_prefix",
            )
        if not _covered(place, self._outputs):
            none = "" if self._outputs else ", which is empty"
            raise Invalid(
                f"Results may not be written to {prefix[:200]!r}: the operator names the places in "
                f"FANSCRIBE_OUTPUT_PREFIXES{none}.",
                code="output_not_allowed",
                field="output_prefix",
            )
        if _covered(place, self._ours):
            raise Invalid(
                "Fanscribe keeps its own objects in this folder: name another one.",
                code="output_reserved",
                field="output_prefix",
            )
        return self._open(scheme, bucket), folder

    def _opened(self, scheme: str, bucket: str) -> ObjectStore:
        return open_bucket(scheme, bucket, "", self._settings)


def _folders(prefixes: str) -> list[Place]:
    named = (each.strip() for each in prefixes.split(","))
    return [_folder(*_read(each)) for each in named if each]


def _ours(address: str) -> list[Place]:
    """The folders of our own objects, where these lie in a bucket."""
    if urlsplit(address).scheme not in SCHEMES:
        return []
    scheme, bucket, root = _folder(*_read(address))
    return [(scheme, bucket, root + folder) for folder in (keys.TASKS, keys.UPLOADS)]


def _folder(scheme: str, bucket: str, key: str) -> Place:
    return scheme, bucket, f"{key.rstrip('/')}/" if key else ""


def _covered(place: Place, folders: list[Place]) -> bool:
    return any(place[:2] == each[:2] and place[2].startswith(each[2]) for each in folders)


def _is_plain(url: str, key: str) -> bool:
    return not {"", ".", ".."} & set(key.split("/")) and len(url) <= MAX_URL


def _read(url: str, field: str | None = None) -> Place:
    """Raises Invalid."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that begins an IPv6 address
        parts = urlsplit("")
    if parts.scheme not in SCHEMES or not parts.netloc or parts.query or parts.fragment:
        raise Invalid(
            f"{url[:200]!r} names no object: write s3://bucket/key or oss://bucket/key.",
            code="url_not_allowed",
            field=field,
        )
    return parts.scheme, parts.netloc, unquote(parts.path).lstrip("/")
