"""The listening socket of a server that stops: it accepts no new connections and resets none."""

import socket
import struct
import sys
from array import array

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
