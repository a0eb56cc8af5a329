"""Which network addresses are public: whoever makes the provider call an address must not reach what is behind it."""

import ipaddress
from urllib.parse import SplitResult, urlsplit

from idp import settings

PORTS = {"https": 443, "http": 80}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("192.88.99.0/24"))
"""Of protocols, not of servers (IANA's registry of special addresses); Python's versions differ on them."""
_UNICAST = ipaddress.ip_network("2000::/3")  # all that is routed today (RFC 4291 section 2.4, IANA)


def is_public(text: str) -> bool:
    """Tell whether an address is of the public Internet, and of nobody's inside by another spelling.

    Private, loopback, link-local, shared (100.64.0.0/10), reserved and multicast addresses are not, and neither are
    IPv6 addresses that carry an IPv4 address, since a gateway may unpack them (mapped, 6to4, Teredo, NAT64).
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False  # with a zone (fe80::1%eth0), or no address at all
    if isinstance(address, ipaddress.IPv6Address):
        carries = address.ipv4_mapped or address.sixtofour or address.teredo or address in _NAT64
        return address in _UNICAST and not carries and _is_global(address)
    return _is_global(address)


def is_on_allow_list(parts: SplitResult) -> bool:
    """Tell whether the allow-list names an HTTP address: scheme and host, and the port when the entry has one."""
    for entry in settings.current().server.outbound_allowed:
        allowed = urlsplit(entry)
        same = (allowed.scheme, allowed.hostname) == (parts.scheme, parts.hostname)
        if same and allowed.port in {None, parts.port or PORTS[parts.scheme]}:
            return True
    return False


def _is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and not (
        any(address in network for network in _SPECIAL)
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
