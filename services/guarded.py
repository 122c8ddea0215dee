"""The way to URLs that users name: looked up once, checked, and connected to by that address.

Between a check of a name and a connection by the name its owner can change where it leads; so
nobody asks twice. Redirects are not followed, for they lead elsewhere.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from services.model.addresses import Address, Network, is_named, is_public
from services.model.errors import FanscribeError

MAX_URL = 2048  # characters
_PORTS = frozenset({80, 443, 8080, 8443})  # where the web is; elsewhere sit databases and mail
_DEFAULT_PORT = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[!-\[\]-~\u00a0-\ud7ff\ue000-\uffff\U00010000-\U0010ffff]+")  # no space, no \


class NotAllowed(FanscribeError):
    """This URL leads where no user may send us; the message says why."""


class HostUnknown(FanscribeError):
    """No name server knows the host of this URL."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be used as far as it can be told from its text."""

    url: str
    parts: SplitResult
    host: str
    port: int


def read_url(url: str, named: Sequence[Network] = ()) -> Target:
    """What can be said without asking a name server. Raises NotAllowed."""
    if len(url) > MAX_URL or not _PLAIN.fullmatch(url):
        raise NotAllowed(f"A URL has up to {MAX_URL} characters and no spaces or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORT.get(parts.scheme, 0)
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError) as error:
        raise NotAllowed(f"This URL cannot be read: {error}.") from error
    if parts.scheme not in _DEFAULT_PORT or not host:
        raise NotAllowed("A URL begins with http:// or https:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("A URL with a user or password in it is not used.")
    target = Target(url, parts, host, port)
    try:
        literal = ip_address(host)
    except ValueError:
        pass
    else:
        _check(target, literal, named)
    if port not in _PORTS and not named:
        raise NotAllowed(f"Port {port} is not one of the web: {_listed()}.")
    return target


def look_up(target: Target, named: Sequence[Network] = ()) -> Address:
    """The address to connect to. Every address of the host must be allowed, or one of several
    would do what a check cannot see. Raises NotAllowed and HostUnknown."""
    try:
        answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostUnknown(f"The host {target.host!r} is not known: {error}.") from error
    addresses = [ip_address(str(answer[4][0])) for answer in answers]
    if not addresses:
        raise HostUnknown(f"The host {target.host!r} has no address.")
    for address in addresses:
        _check(target, address, named)
    return addresses[0]


@dataclass(frozen=True, slots=True)
class Pinned:
    """The same URL by its address; `server` is whose certificate it must show."""

    url: str
    host: str  # for the Host header
    server: str


def pin(url: str, named: Sequence[Network] = ()) -> Pinned:
    """Looks the host up, once. Raises NotAllowed and HostUnknown."""
    target = read_url(url, named)
    address = look_up(target, named)
    at = f"[{address}]" if address.version == 6 else str(address)
    query = f"?{target.parts.query}" if target.parts.query else ""
    path = target.parts.path or "/"
    return Pinned(
        url=f"{target.parts.scheme}://{at}:{target.port}{path}{query}",
        host=_host_header(target),
        server=target.host,
    )


def _check(target: Target, address: Address, named: Sequence[Network]) -> None:
    if is_named(address, named):
        return
    if not is_public(address):
        raise NotAllowed(
            f"{target.host} is not a public address. The operator can name networks that may be "
            "used in FANSCRIBE_PRIVATE_NETWORKS."
        )
    if target.port not in _PORTS:
        raise NotAllowed(f"Port {target.port} is not one of the web: {_listed()}.")


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    default = _DEFAULT_PORT[target.parts.scheme] == target.port
    return host if default else f"{host}:{target.port}"


def _listed() -> str:
    return ", ".join(str(port) for port in sorted(_PORTS))
