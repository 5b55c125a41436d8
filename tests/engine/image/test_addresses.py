"""Which addresses are public."""

from __future__ import annotations

import pytest

from engine.image.addresses import is_public

PUBLIC = """
8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.0.1 223.255.255.255 2606:4700:4700::1111
2a00:1450:4001::200e ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1 2620:fe::fe%3
"""
PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255
"""
PRIVATE_V6 = """
:: ::1 ::1%lo ::7f00:1 ::ffff:0:7f00:1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00::1 ff02::1 100::1 2001::1
2001:0:808:808::1 2001:db8::1 2001:10::1 3fff::1 4000::1 5f00::1 64:ff9b:1::808:808 2a00::5efe:10.0.0.1
2a00::200:5efe:127.0.0.1
"""


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_pass(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", (PRIVATE + PRIVATE_V6).split())
def test_private_addresses_do_not_pass(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_ipv4_inside_ipv6_is_not_public(address: str) -> None:
    first, second, third, fourth = (int(part) for part in address.split("."))
    high, low = first << 8 | second, third << 8 | fourth
    carriers = (f"::ffff:{address}", f"64:ff9b::{high:x}:{low:x}", f"2002:{high:x}:{low:x}::1")
    assert not any(is_public(carrier) for carrier in carriers)


@pytest.mark.parametrize("text", ["", "localhost", "8.8.8", "0x7f000001", "8.8.8.8:80", "[::1]"])
def test_invalid_addresses_are_not_public(text: str) -> None:
    assert not is_public(text)
