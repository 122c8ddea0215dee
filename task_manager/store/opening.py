"""Which store an address means; only that adapter is imported."""

from __future__ import annotations

from pathlib import Path

from services.settings import Settings
from task_manager.store.protocol import Store


def open_store(settings: Settings) -> Store:
    """`sqlite:///absolute/path` or `mongodb://…/database`."""
    address = settings.store_address
    scheme, _, rest = address.partition("://")
    if scheme == "sqlite":
        from task_manager.store.sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore(Path("/", rest.lstrip("/")))
    if scheme in {"mongodb", "mongodb+srv"}:
        from task_manager.store.mongo import MongoStore  # noqa: PLC0415

        return MongoStore(address)
    raise ValueError(f"store_url must begin with sqlite:/// or mongodb://, not {scheme}://")
