"""No test reaches the network: what conftest.py has switched on for this very process, and its children."""

from __future__ import annotations

import os
import socket
from typing import Callable

import pytest
from pytest_socket import SocketConnectBlockedError

from tests.loopback_only import NotLoopbackError

# Documentation addresses (RFC 5737, RFC 3849) and a reserved name (RFC 6761): even unguarded, nobody is there.
REFUSED = {
    "connection": lambda: socket.create_connection(("192.0.2.1", 80), timeout=0.01),
    "connection_ex": lambda: tcp(socket.AF_INET).connect_ex(("192.0.2.1", 80)),
    "connection_v6": lambda: tcp(socket.AF_INET6).connect(("2001:db8::1", 80)),
    "private_network": lambda: tcp(socket.AF_INET).connect(("10.0.0.1", 80)),
    "datagram": lambda: udp().sendto(b"hello", ("192.0.2.1", 53)),
    "message": lambda: udp().sendmsg([b"hello"], [], 0, ("192.0.2.1", 53)),
    "look_up": lambda: socket.getaddrinfo("a.name.invalid", 80),
    "look_up_of_bytes": lambda: socket.getaddrinfo(b"a.name.invalid", 80),
    "old_look_up": lambda: socket.gethostbyname("a.name.invalid"),
    "reverse_look_up": lambda: socket.gethostbyaddr("192.0.2.1"),
    "name_of_an_address": lambda: socket.getnameinfo(("192.0.2.1", 80), 0),
}


def tcp(family: int) -> socket.socket:
    return socket.socket(family, socket.SOCK_STREAM)


def udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:A test tried to use socket")
@pytest.mark.parametrize("leave", REFUSED.values(), ids=REFUSED)
def test_leaving_the_machine_is_refused(leave: Callable[[], object]) -> None:
    with pytest.raises((NotLoopbackError, SocketConnectBlockedError)):
        leave()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_leaving_is_refused_without_pytest_socket_too() -> None:
    with pytest.raises(NotLoopbackError, match="would leave this machine"):
        super(socket.socket, tcp(socket.AF_INET)).connect(("192.0.2.1", 80))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of fork in a process with threads
def test_leaving_is_refused_in_a_forked_child() -> None:
    child = os.fork()
    if child == 0:
        try:
            socket.getaddrinfo("a.name.invalid", 80)
        except NotLoopbackError:
            os._exit(42)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] >> 8 == 42


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_is_allowed(host: str) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.2" if host == "127.0.0.2" else "127.0.0.1", 0))
        server.listen()
        with socket.create_connection((host, server.getsockname()[1])) as client:
            assert client.getpeername() == server.getsockname()


def test_unix_sockets_and_own_addresses_are_allowed() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"hello")
        assert other.recv(5) == b"hello"
    assert socket.getaddrinfo(None, 80)


def test_nothing_of_the_users_aws_is_left() -> None:
    assert os.environ["AWS_CONFIG_FILE"] == os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert not [name for name in os.environ if name.lower().endswith("_proxy")]
    assert "AWS_PROFILE" not in os.environ
