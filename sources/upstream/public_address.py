"""Where a host of the public web is: never this machine, and never its network.

Lists of pages are written by strangers. A name in them may lead to an address that only this machine
can reach, so a page is asked for at an address that was looked up and judged before, not by its name.
"""

import ipaddress
import os
import socket

ALLOW_PRIVATE = "PILE_PAGES_FROM_PRIVATE_NETWORKS"
"""Environment variable; ``yes`` lets pages lie on this machine or its network, as in tests."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class UnknownHost(Exception):  # noqa: N818 - says what the host is
    """A name without an address; ``passing`` if that may be otherwise soon."""

    def __init__(self, what: str, passing: bool) -> None:
        super().__init__(what)
        self.passing = passing


class PrivateHost(Exception):  # noqa: N818 - says what the host is
    """A name that leads to no public address."""


def public_address(host: str, port: int) -> str:
    """Return the first public address of a host; raises `UnknownHost` or `PrivateHost`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        passing = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        raise UnknownHost(getattr(error, "strerror", None) or "no name", passing) from None
    addresses = [str(address[0]) for *_, address in found]
    if os.environ.get(ALLOW_PRIVATE) == "yes":
        return addresses[0]
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise PrivateHost("its address is not public")
    return public[0]


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public Internet, also where it holds another one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if found.teredo is not None:
            inner = found.teredo[1]
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast
