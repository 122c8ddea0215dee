"""Which addresses a URL of a user may lead to: public ones, and networks that the operator names.

`ipaddress` alone does not tell: Python 3.11 calls 224.0.0.0/4, 192.0.0.192 and the IPv4 addresses
inside 64:ff9b::/96, 2002::/16 and ::ffff:0:0/96 global. The list is IANA's, of special purposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)

from services.model.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPECIAL: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48",
        "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip


def to_networks(text: str) -> list[Network]:
    """`10.0.0.0/8, fd00::/8` → networks. Raises Invalid, `bad_network`."""
    try:
        return [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise Invalid(
            f"{error}: write networks as 10.0.0.0/8, with commas between them.",
            code="bad_network",
            field="private_networks",
        ) from error


def is_named(address: Address, named: Sequence[Network]) -> bool:
    """Whether the operator has named a network that holds the address."""
    plain = _unmapped(address)
    return any(plain in network for network in named)


def is_public(address: Address) -> bool:
    """Whether it is an address of the public internet, written as itself."""
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    return address.is_global and not any(address in network for network in _SPECIAL)


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
