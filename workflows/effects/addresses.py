"""Which hosts and addresses an `http` node may call: public ones, and what a setting names."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from workflows import conf

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Not for the public: this machine, private and shared networks, documentation, multicast.
_PRIVATE = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            "168.63.129.16/32",  # public by its number, and yet answered by Azure's host machine
            # Of IPv6 only what is in 2000::/3 is public, and of that not what carries IPv4 inside.
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
        ),
    )
)
_PUBLIC_V6 = ip_network("2000::/3")
#: Where clouds hand out credentials. The name of a host never opens these, only a network does.
_METADATA = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",
            "100.100.100.200/32",
            "168.63.129.16/32",
            "192.0.0.192/32",
            "fe80::/10",
            "fd00:ec2::/32",
            "fd20:ce::/32",
        ),
    )
)


def read_address(text: str) -> Address:
    """Return an address; one of IPv4 written as IPv6 (`::ffff:10.0.0.1`) is the one of IPv4."""
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def may_name(host: str, port: int) -> bool:
    """Tell whether the settings let nodes call this host at all."""
    hosts = conf.settings().http_hosts
    return not hosts or _matches(hosts, host, port)


def may_dial(host: str, port: int, address: Address) -> bool:
    """Tell whether a connection to `address`, which `host` has led to, may be opened."""
    if is_public(address):
        return True
    allowed = conf.settings().http_private
    if any(address in network for network in _networks(allowed)):
        return True
    is_metadata = any(address in network for network in _METADATA)
    return not is_metadata and _matches(allowed, host, port)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public internet."""
    if isinstance(address, IPv6Address) and address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _PRIVATE)


def _matches(patterns: Iterable[str], host: str, port: int) -> bool:
    return any(matches(pattern, host, port) for pattern in patterns)


def matches(pattern: str, host: str, port: int) -> bool:
    """Tell whether a host is meant by `name`, `*.name` (below it) or `name:port`."""
    name, _, wanted = pattern.lower().partition(":")
    if wanted and wanted != str(port):
        return False
    host = host.lower().rstrip(".")
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


@lru_cache(maxsize=64)
def _networks(places: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(place, strict=False) for place in places if conf.is_network(place))
