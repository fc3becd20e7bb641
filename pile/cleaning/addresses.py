"""Which IP addresses are public: those that IANA reserves for no special purpose.

Python's own verdict (`ipaddress.ip_address(…).is_global`) changes with its version, so the ranges stand
here: rows of the IANA IPv4 and IPv6 Special-Purpose Address Registries, as of October 2025
(https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry), of IPv6 those of global unicast, 2000::/3.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]


def _networks(*ranges: str) -> Networks:
    return tuple(map(ip_network, ranges))


SPECIAL = _networks(
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private use
    "100.64.0.0/10",  # shared by customers of a provider
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local
    "172.16.0.0/12",  # private use
    "192.0.0.0/24",  # IETF protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # relays of 6to4 and 6a44, deprecated
    "192.168.0.0/16",  # private use
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast: IANA IPv4 Address Space Registry
    "240.0.0.0/4",  # reserved, and broadcast
    "2001::/23",  # IETF protocol assignments
    "2001:db8::/32",  # documentation
    "3fff::/20",  # documentation
)
"""Ranges that are not globally reachable: an address in one of them is nobody's in particular."""

REACHABLE = _networks(
    "192.0.0.9/32",  # anycast of the Port Control Protocol
    "192.0.0.10/32",  # anycast of TURN
    "2001::/32",  # Teredo, of which the registry says neither: holds the IPv4 address of its user
    "2001:1::1/128",  # anycast of the Port Control Protocol
    "2001:1::2/128",  # anycast of TURN
    "2001:1::3/128",  # anycast of DNS-SD registration
    "2001:3::/32",  # multicast tunnels
    "2001:4:112::/48",  # AS112
    "2001:20::/28",  # ORCHIDv2
    "2001:30::/28",  # drones
)
"""Ranges within those that are globally reachable nevertheless."""


def is_public(address: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address that somebody in particular may have."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return not _is_in(SPECIAL, found) or _is_in(REACHABLE, found)


def _is_in(networks: Networks, address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in networks)
