"""A stop that drops no request: the door is shut first, then whoever is inside is answered, and only then it closes.

A listening socket that is closed resets the connections which the kernel has taken and no process has accepted yet.
So a process that is told to stop lets nobody new in, while it goes on accepting those who wait at the door.
"""

import ctypes
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

begun = threading.Event()
"""Set once this process is on its way out: it tells a load balancer to send nobody, and keeps no connection open."""

_QUIET_SECONDS = 0.3
"""How long nobody has to have waited at the door: what is accepted in this time sends its request in it, too."""

_ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux, which the socket module does not name
_QUEUE_LENGTH = struct.Struct("24xI")  # `tcpi_unacked` of TCP_INFO: for a listening socket, who waits to be accepted

_LOAD_FLAGS, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_SYN, _SYN_OR_ACK = 0x02, 0x12
_NOBODY_NEW = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (_LOAD_FLAGS, 0, 0, 13),  # the byte of a TCP header that has the flags
        (_AND, 0, 0, _SYN_OR_ACK),
        (_JUMP_IF_EQUAL, 0, 1, _SYN),  # the first packet of a new connection
        (_RETURN, 0, 0, 0),  # is dropped: it is sent again a second later, and then refused
        (_RETURN, 0, 0, 0xFFFFFFFF),  # all others pass, so that whoever is half-way in comes in
    )
)


def stop_drained(notice_seconds: float) -> None:
    """Let SIGTERM end this server process only once it is drained; to be called by its main thread, before it serves.

    For so many seconds of notice all goes on as before, except that `/readyz` answers 503. The server is then stopped
    by SIGINT, which it takes for the same; a Ctrl-C in the terminal reaches only the process that started it.
    """
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # in every thread that is started from here on

    def drain() -> None:
        signal.sigwait({signal.SIGTERM})
        begun.set()
        time.sleep(notice_seconds)
        with _doors() as doors:
            for door in doors:
                _shut(door)
            _wait_until_quiet(doors)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=drain, name="drain", daemon=True).start()


@contextmanager
def _doors() -> Iterator[list[socket.socket]]:
    """The sockets on which this process listens; the server keeps them to itself, so they are looked for."""
    with ExitStack() as opened:
        doors = list[socket.socket]()
        for number in os.listdir("/dev/fd"):
            with suppress(OSError):  # a file, or one that is closed by now
                found = opened.enter_context(socket.socket(fileno=os.dup(int(number))))
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    doors.append(found)
        yield doors


def _shut(door: socket.socket) -> None:
    program = ctypes.create_string_buffer(_NOBODY_NEW)
    instructions = len(_NOBODY_NEW) // struct.calcsize("HBBI")
    with suppress(OSError):  # a system without such filters still answers all but those who come in the last moment
        door.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", instructions, ctypes.addressof(program)))


def _wait_until_quiet(doors: list[socket.socket]) -> None:
    """Wait until nobody has waited at a door for a while; whoever stops this process sets an end to that."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < _QUIET_SECONDS:
        if any(_waiting(door) for door in doors):
            quiet_since = time.monotonic()
        time.sleep(0.02)


def _waiting(door: socket.socket) -> int:
    if not hasattr(socket, "TCP_INFO"):
        return 0
    (length,) = _QUEUE_LENGTH.unpack(door.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUE_LENGTH.size))
    return int(length)
