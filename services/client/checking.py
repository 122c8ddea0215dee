"""The self-test behind `fanscribe check`: is what the settings name there, and what if not?"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services import settings as configuration
from services.client.client import Fanscribe
from services.model.errors import FanscribeError
from services.models_folder import load_catalog
from services.settings import Settings
from services.storage.opening import open_objects

_CONNECT_S = 3.0
_PORTS = {"redis": 6379, "rediss": 6379, "valkey": 6379, "amqp": 5672, "mongodb": 27017}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` is what to do when it is not good."""

    what: str
    good: bool
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def check_all() -> list[Finding]:
    """Looks at everything; nothing is changed but a probe that is removed again.

    Wrong settings are told by the command line itself, before this is reached.
    """
    settings = configuration.load()
    looks: list[tuple[str, Callable[[Settings], str], str]] = [
        (
            "access",
            _access,
            "Set FANSCRIBE_API_KEY and FANSCRIBE_CALLBACK_SECRET, or serve 127.0.0.1 only.",
        ),
        ("store", _store, "Set FANSCRIBE_STORE_URL to where MongoDB is, or make the folder."),
        (
            "broker",
            _broker,
            "`fanscribe up` brings its own; else start redis or set FANSCRIBE_BROKER_URL.",
        ),
        ("objects", _objects, "Set FANSCRIBE_OBJECTS_URL to a place that can be written."),
        ("models", _models, "Get one: fanscribe models pull small"),
        ("manager", _manager, "Start it with `fanscribe up`, or set FANSCRIBE_URL."),
    ]
    findings = [Finding("settings", True, "all can be read")]
    for what, look, advice in looks:
        try:
            findings.append(Finding(what, True, look(settings)))
        except (FanscribeError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            findings.append(Finding(what, False, reason, advice))
    return findings


class _NotGood(FanscribeError):
    """A finding in words."""


def _access(settings: Settings) -> str:
    local = settings.host in {"127.0.0.1", "::1", "localhost"}
    if not local and not settings.api_key.get_secret_value():
        raise _NotGood(f"{settings.host} can be reached by others, and there is no key")
    if not local and not any(settings.callback_secrets):
        raise _NotGood(f"{settings.host} can be reached by others: no callback secret")
    return "this machine only" if local else "by key"


def _store(settings: Settings) -> str:
    address = settings.store_address
    if address.startswith("sqlite:"):
        return _writable(_path_in(address).parent)
    return _reachable(address)


def _broker(settings: Settings) -> str:
    return _reachable(settings.broker_url)


def _objects(settings: Settings) -> str:
    if settings.objects_reached_by != "bucket":
        _writable(_path_in(settings.objects_address))
    store = open_objects(settings)
    key = f"uploads/check-{secrets.token_hex(8)}"
    store.put(key, [b"probe"])
    store.delete(key)
    return f"{settings.objects_address} takes and removes an object"


def _models(settings: Settings) -> str:
    catalog = load_catalog(settings)
    catalog.transcriber(None)
    return ", ".join(entry.name for entry in catalog.offered)


def _manager(settings: Settings) -> str:
    url = os.environ.get("FANSCRIBE_URL", f"http://127.0.0.1:{settings.port}")
    with Fanscribe(url) as api:
        api.ready()
        live = [node for node in api.nodes.list() if node.live]
    return f"{url} is ready with {len(live)} workers"


def _path_in(url: str) -> Path:
    return Path("/" + unquote(urlsplit(url).path).lstrip("/"))


def _writable(folder: Path) -> str:
    """A folder that can be written, or be made where it is missing."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(there, os.W_OK):
        raise _NotGood(f"{there} cannot be written")
    return f"{folder} can be written"


def _reachable(url: str) -> str:
    """Whether somebody listens there; who it is, its own users find out."""
    address = urlsplit(url)
    if address.scheme in {"redis+socket", "unix"}:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_CONNECT_S)
            probe.connect(address.path)
        return f"{address.path} answers"
    host = address.hostname or "127.0.0.1"
    port = address.port or _PORTS.get(address.scheme.partition("+")[0], 0)
    with socket.create_connection((host, port), _CONNECT_S):
        return f"{host}:{port} answers"
