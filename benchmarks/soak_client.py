"""A client of HTTP/1.1 that sees every byte: it sends slowly, stops in the middle, resets, and counts answers.

An answer is complete or it is lost; bytes after it are a second answer, which is an error too.
"""

import asyncio
import socket
import struct
from dataclasses import dataclass

_RECEIVE_BYTES = 1 << 18
_SILENT_SECONDS = 300  # without a byte of the answer, after which a request counts as lost


class RequestLostError(Exception):
    """A request without one complete answer."""


@dataclass(frozen=True)
class Answer:
    """A complete answer; the names of ``headers`` are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def request(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[bytes, bytes]:
    """Return head and body of a request as they are sent; a header that is empty is left out."""
    given = {"Host": "localhost", **headers}
    if body is not None:
        given.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value), "", ""]
    return "\r\n".join(lines).encode(), body or b""


def chunked(body: bytes, size: int = 1 << 16) -> bytes:
    """Return a body in the chunked transfer encoding."""
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Connection:
    """A connection to the server, over which requests go one after the other."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._received = sock, bytearray()
        self.is_open = True

    @classmethod
    async def open(cls, port: int, receive_buffer: int | None = None) -> "Connection":
        """Connect; a small ``receive_buffer`` in bytes makes a server wait for a client that does not read."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    async def send(self, data: bytes | memoryview) -> None:
        """Send bytes. A server that answers early and closes is no error here: the answer is there to be received."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)
        except (BrokenPipeError, ConnectionResetError):
            self.is_open = False

    async def receive(self, bytes_per_second: float = 0) -> Answer:
        """Receive one answer, at a limited rate if one is given.

        Raises:
            RequestLostError: the connection ended before the answer did, or the answer is followed by more.

        """
        head = await self._until(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        if headers.get("transfer-encoding") == "chunked":
            body = await self._chunks(bytes_per_second)
        else:
            body = await self._exactly(int(headers.get("content-length", 0)), bytes_per_second)
        if self._received:
            raise RequestLostError(f"{len(self._received)} bytes follow the answer: {bytes(self._received[:80])!r}")
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split()[1]), headers, body)

    async def receive_some(self, n_bytes: int) -> None:
        """Receive the first bytes of an answer."""
        await self._exactly(n_bytes, 0)

    async def has_ended(self, seconds: float) -> bool:
        """Return whether the server ends the connection within ``seconds``; what it sends until then is dropped."""
        try:
            async with asyncio.timeout(seconds):
                while await self._part():
                    pass
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        self._sock.close()

    def reset(self) -> None:
        """Vanish: the server gets a packet with RST, and no end of the stream."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    async def _part(self) -> bytes:
        try:
            async with asyncio.timeout(_SILENT_SECONDS):
                return await asyncio.get_running_loop().sock_recv(self._sock, _RECEIVE_BYTES)
        except ConnectionResetError:
            return b""
        except TimeoutError:
            raise RequestLostError(f"no byte of the answer arrived for {_SILENT_SECONDS} s") from None

    async def _more(self, bytes_per_second: float) -> None:
        part = await self._part()
        if not part:
            raise RequestLostError(f"the connection ended after {len(self._received)} bytes of an incomplete answer")
        self._received += part
        if bytes_per_second:
            await asyncio.sleep(len(part) / bytes_per_second)

    async def _until(self, end: bytes) -> bytes:
        while (at := self._received.find(end)) < 0:
            await self._more(0)
        found = bytes(self._received[:at])
        del self._received[: at + len(end)]
        return found

    async def _exactly(self, n_bytes: int, bytes_per_second: float) -> bytes:
        while len(self._received) < n_bytes:
            await self._more(bytes_per_second)
        found = bytes(self._received[:n_bytes])
        del self._received[:n_bytes]
        return found

    async def _chunks(self, bytes_per_second: float) -> bytes:
        chunks = []
        while size := int(await self._until(b"\r\n"), 16):
            chunks.append(await self._exactly(size, bytes_per_second))
            await self._exactly(2, 0)
        await self._until(b"\r\n")
        return b"".join(chunks)
