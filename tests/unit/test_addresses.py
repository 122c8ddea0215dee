"""Which addresses are public, one by one, and what Python's own `is_global` would have said."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from services.model.addresses import is_named, is_public, to_networks
from services.model.errors import Invalid
from services.settings import Settings


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"])
def test_an_address_of_the_public_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


SPECIAL = """0.0.0.0 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 169.254.169.254
    172.16.0.1 172.31.255.255 192.0.0.170 192.0.0.192 192.0.2.1 192.168.0.1 198.18.0.1
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:1.1.1.1 ::ffff:100.100.100.200 64:ff9b::7f00:1
    64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1:: fc00::1 fd12::1 fe80::1 fe80::1%eth0
    2606:4700::1111%1 fec0::1 ff02::1"""


@pytest.mark.parametrize("text", SPECIAL.split())
def test_an_address_of_any_special_purpose_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


def test_a_named_network_holds_its_addresses_however_they_are_written() -> None:
    named = to_networks("10.1.0.0/16, fd00::/8")
    assert named == [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
    assert is_named(ip_address("10.1.2.3"), named)
    assert is_named(ip_address("::ffff:10.1.2.3"), named)
    assert not is_named(ip_address("10.2.0.1"), named)
    assert to_networks("") == []


@pytest.mark.parametrize("text", ["10.0.0.1/8", "ten", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match=r"10\.0\.0\.0/8") as refused:
        to_networks(text)
    assert (refused.value.code, refused.value.field) == ("bad_network", "private_networks")
    with pytest.raises(Invalid):
        Settings(private_networks=text)
