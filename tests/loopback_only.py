"""Nothing but loopback leaves a test process: no connection, no datagram, no look-up of a name.

pytest-socket guards ``connect`` while a test runs. This guards the rest as well: names (a look-up leaves the
machine too), datagrams, fixtures that are torn down, threads that outlive their test, forked children. It is an
audit hook (PEP 578), which nothing in the process can take away again.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any


class NotLoopbackError(RuntimeError):
    """A test was about to reach out of this machine."""


def allow_loopback_only() -> None:
    """Refuse, from now to the end of this process, whatever would leave the machine.

    The refusal is a ``NotLoopbackError`` in the code that tried.
    """
    sys.addaudithook(_refuse_to_leave)


# Which argument of these audit events names the other side; see the table of audit events in Python's documentation.
_CONNECTIONS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getnameinfo": 0}
_LOOK_UPS = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0}


def _refuse_to_leave(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTIONS:
        address = arguments[_CONNECTIONS[event]]
        # An internet address is a tuple that begins with the host; what is no tuple is a Unix socket's.
        host = address[0] if isinstance(address, tuple) else None
    elif event in _LOOK_UPS:
        host = arguments[_LOOK_UPS[event]]
    else:
        return
    if not _is_here(host):
        raise NotLoopbackError(
            f"{event} of {host!r} would leave this machine; a test may use 127.0.0.0/8, ::1 and localhost "
            "only. Let it talk to a server that it starts itself."
        )


def _is_here(host: object) -> bool:
    """Whether a host, as the socket module takes it, is on this machine."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str) or host in ("", "localhost"):
        return True  # no host at all: any address of this machine
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, and looking it up asks a server
