"""Where an act comes from: the door, the address and the request's id, for whoever records it."""

import ipaddress
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple

from flask import Request

from idp import settings


class Origin(NamedTuple):
    """The door an act came through."""

    source: str
    address: str | None = None
    request_id: str | None = None


_COMMAND_LINE = Origin("cli")
_origin: ContextVar[Origin] = ContextVar("origin")


def origin() -> Origin:
    """Return where the act at hand comes from: the command line, unless a request or the worker says otherwise."""
    return _origin.get(_COMMAND_LINE)


def set_origin(value: Origin) -> None:
    """Say where what follows comes from."""
    _origin.set(value)


def network() -> str:
    """Return whose act this is as far as an address tells: IPv4 by itself, IPv6 by its /64, empty for the operator."""
    return network_of(origin().address or "")


def network_of(address: str) -> str:
    """Return the network that an address belongs to, likewise."""
    return address if ":" not in address else _prefix(address)


@lru_cache(maxsize=1024)
def _prefix(address: str) -> str:
    try:
        version_6 = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(version_6.ipv4_mapped or ipaddress.IPv6Network((version_6, 64), strict=False))


def client_address(request: Request) -> str:
    """Return the peer's address: the socket's, or what the configured number of proxies vouches for."""
    return request.remote_addr or ""


def is_within(request: Request, networks: tuple[str, ...]) -> bool:
    """Tell whether the peer belongs to one of the networks; no, when a proxy that nobody configured hides it."""
    hidden = request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded")
    if hidden and settings.current().server.trusted_proxies == 0:
        return False
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)
