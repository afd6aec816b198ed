"""The addresses that an api_call may reach: only public ones.

The author of a flow, and the owner of a host name in it, must not reach what only this function can reach: the metadata service,
its loopback, a company's private network. The ranges are those of IANA's special-purpose address registries (RFC 6890 and its
updates). They are listed here because Python's `ipaddress` classified some differently between patch releases.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import IPPROTO_TCP, SOCK_STREAM, getaddrinfo

_NON_PUBLIC_V4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; AWS uses it inside VPCs
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: the metadata services of EC2, ECS and Lambda
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, withdrawn
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_V6 = IPv6Network(
    "2000::/3"
)  # all assigned unicast addresses; loopback, link-local, private, multicast are outside
_NON_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; among them Teredo (2001::/32), which hides two IPv4 addresses
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which hides an IPv4 address; its relays are withdrawn (RFC 7526)
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # leads to the IPv4 address in its last 32 bits; 64:ff9b:1::/48 stays forbidden


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host from the system's resolver, best first. Raises `OSError`, `UnicodeError`."""
    found = getaddrinfo(host, port, type=SOCK_STREAM, proto=IPPROTO_TCP)
    return list(dict.fromkeys(str(socket_address[0]) for *_, socket_address in found))


def is_public(address: str) -> bool:
    """Whether this is a public address.

    An IPv6 address that only leads to an IPv4 address (mapped, NAT64) is judged by that IPv4 address.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return False
        if parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        elif parsed in _NAT64:
            parsed = IPv4Address(int(parsed) & 0xFFFF_FFFF)
        else:
            return parsed in _PUBLIC_V6 and not any(parsed in network for network in _NON_PUBLIC_V6)
    return not any(parsed in network for network in _NON_PUBLIC_V4)
