"""Whether a port can be had."""

import errno
import socket


def problem(host: str, port: int) -> str | None:
    """Say why nothing can listen there, or None when it can.

    A plain bind tells: granian shares ports (SO_REUSEPORT), so that a server left over from yesterday would silently
    take a part of the requests.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return f"{host} is no address of this machine"
    for family, kind, protocol, _name, address in found:
        if why := _why_not(family, kind, protocol, address):
            return f"port {port} on {host} {why}"
    return None


def numeric(host: str) -> str:
    """Return the address of a host name, since granian binds addresses."""
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


def _why_not(family: int, kind: int, protocol: int, address: tuple[str | int, ...] | tuple[int, bytes]) -> str | None:
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a closed server leaves is no listener
            probe.bind(address)
    except PermissionError:
        return "needs more rights than this user has"
    except OSError as error:
        if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            return None  # a machine without IPv6 still resolves localhost to ::1
        return "is taken" if error.errno == errno.EADDRINUSE else f"can't be had ({error.strerror})"
    return None
