"""The listening socket: bound to an address, and closed to new clients when the server stops, without a reset."""

import socket
import struct
import sys
from array import array

from tagline.errors import TaglineError

_SO_ATTACH_FILTER = 26
# A program of four instructions (struct sock_filter) that drops packets with the SYN flag. Packets begin at the TCP
# header, and byte 13 contains the flags.
_DROP_SYN = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load byte 13
        (0x45, 0, 1, 0x02),  # unless SYN is set, skip one instruction
        (0x06, 0, 0, 0),  # drop the packet
        (0x06, 0, 0, 0xFFFFFFFF),  # keep the whole packet
    )
)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address.

    Raises:
        TaglineError: it does not exist, or is taken.

    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _not_listening(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _not_listening(host, port, error) from None
    return listener


def _not_listening(host: str, port: int, error: OSError) -> TaglineError:
    return TaglineError(f"Cannot listen on `{host}` port {port}: {error.strerror or error}.")


def block_connections(listener: socket.socket) -> None:
    """Let no client connect any more, but keep the connections that wait to be accepted.

    Closing the socket would reset those. On Linux a socket filter drops the SYN packets of new clients: they get no
    answer, and send again until the socket is closed, which refuses them. Elsewhere the backlog is set to 0, which
    still admits one connection at a time, so that one may be waiting, and is reset, when the socket is closed.
    """
    if sys.platform == "linux":
        program = array("B", _DROP_SYN)
        address, length = program.buffer_info()
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", length // 8, address))
    else:
        listener.listen(0)
