"""The object store that the settings name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.model.errors import Invalid
from services.settings import Settings
from services.storage.local import LocalStore
from services.storage.protocol import ObjectStore


def open_objects(settings: Settings) -> ObjectStore:
    """Raises Invalid if this release has no adapter for the address."""
    address = urlsplit(settings.objects_address)
    if address.scheme != "file" or address.netloc:
        raise Invalid(
            f"Objects cannot be kept at {address.scheme}://…: this release keeps them in local "
            "files only; set FANSCRIBE_OBJECTS_URL to file:///a/folder.",
            code="objects_unsupported",
            field="objects_url",
        )
    return LocalStore(
        Path(unquote(address.path)),
        access=settings.objects_access,
        base_url=settings.manager_url,
        secret=settings.callback_secret.get_secret_value(),
    )
