"""Which addresses webhooks may go to: those of the public internet, in whatever form they are written."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

Address = tuple[socket.AddressFamily, str]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


def addresses(host: str, port: int) -> list[Address]:
    """The addresses of a host, in the resolver's order. It reads all forms of an IPv4 address there are, so that what is checked is what is
    connected to. OSError where there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys((family, str(where[0])) for family, _, _, _, where in found if family in (socket.AF_INET, socket.AF_INET6)))


def public(address: str) -> bool:
    """Whether an address is of the public internet, and so are all that are hidden in it."""
    try:
        whole = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return "%" not in address and all(_public(one) for one in (whole, *_inside(whole)))


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    other = (
        address.is_private or address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved or address.is_unspecified
    )
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    mapped = isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64)  # as what is inside
    return mapped or (address.is_global and not other and not site_local)


def _inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Iterator[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for, by the ways there are to write one in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64 or address in _COMPATIBLE:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
