"""Which network addresses are one customer's, for whoever counts or recognises them."""

from __future__ import annotations

import ipaddress


def network_of(address: str) -> str:
    """What is counted together: an IPv4 address, or the /64 network that one IPv6 customer commands."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
