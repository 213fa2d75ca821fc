"""A listening socket that refuses connections keeps those that wait to be accepted."""

import socket

import pytest

from tagline.serve.http.listener import refuse_connections


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_connections_that_wait_are_kept_and_new_ones_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        address = listener.getsockname()[:2]
        with socket.create_connection(address) as early:
            refuse_connections(listener)
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
