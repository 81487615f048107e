"""Which network addresses are one customer's."""

from __future__ import annotations

from kit.addresses import network_of


def test_one_customer_is_one_network():
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("203.0.113.7") == "203.0.113.7"
    assert len(network_of("x" * 1_000)) <= 64
