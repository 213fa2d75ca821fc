"""A listening socket that lets no client connect any more keeps the connections that wait to be accepted."""

import socket
import sys

import pytest

from tagline.serve.http.listener import block_connections


def loopbacks() -> list[str]:
    """Return the addresses of this machine: many containers have no IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return ["127.0.0.1"]
    return ["127.0.0.1", "::1"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has socket filters")
def test_connections_that_wait_are_kept_and_new_clients_get_no_answer_until_the_socket_is_closed() -> None:
    for host in loopbacks():
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, 0), family=family) as listener:
            address = listener.getsockname()[:2]
            with socket.create_connection(address) as early:
                block_connections(listener)
                for _ in range(2):
                    with pytest.raises(TimeoutError):
                        socket.create_connection(address, timeout=0.1)
                early.sendall(b"asked")
                accepted, _ = listener.accept()
                with accepted:
                    listener.close()
                    assert accepted.recv(9) == b"asked"
                    accepted.sendall(b"answered")
                    assert early.recv(9) == b"answered"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address, timeout=0.5)
