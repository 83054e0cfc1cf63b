"""Clients by their addresses: which share one, which are this machine's, which are proxies."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: One customer of a provider has all addresses of such a network.
_IPV6_PREFIX: Final = 64
_REMEMBERED: Final = 1_024


def networks(texts: Iterable[str]) -> tuple[_Network, ...]:
    """Addresses and networks, as 10.0.0.1 and 10.0.0.0/8. Raises ValueError."""
    return tuple(ipaddress.ip_network(text) for text in texts)


@lru_cache(maxsize=_REMEMBERED)
def origin_of(address: str) -> str:
    """What is counted together: an IPv4 address, or the network that an IPv6 address is in."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if parsed.is_loopback:
        return address
    return str(ipaddress.ip_network((int(parsed), _IPV6_PREFIX), strict=False))


@lru_cache(maxsize=_REMEMBERED)
def is_loopback(host: str) -> bool:
    """Whether a name or an address, with or without brackets, is this machine's own."""
    try:
        parsed = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return parsed.is_loopback


class Shared:
    """The addresses that many clients come from: this machine's, and those of trusted proxies."""

    def __init__(self, proxies: Iterable[str]) -> None:
        self._proxies = networks(proxies)

    def __contains__(self, address: object) -> bool:
        try:
            parsed = ipaddress.ip_address(str(address))
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return parsed.is_loopback or any(parsed in network for network in self._proxies)
