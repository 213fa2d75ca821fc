"""Bodies with ``Content-Encoding: gzip``, decompressed while they arrive.

What reads the body sees decompressed bytes only, so that the limits of size, memory and time are those of a plain body.
"""

import asyncio
import zlib

from starlette.types import Message, Receive, Scope

from tagline.serve.http.connections import ARRIVED
from tagline.serve.http.errors import ApiError

_GZIP = 16 + zlib.MAX_WBITS  # `wbits` of zlib for the gzip format
_PIECE = 1 << 16  # bytes: a small body may decompress to a thousand times its size


def decoded(scope: Scope, receive: Receive) -> Receive:
    """Return ``receive``, or what decompresses its messages if the body has a content encoding."""
    encodings = [value for name, value in scope["headers"] if name == b"content-encoding"]
    if not encodings:
        return receive
    encoding = b",".join(encodings).strip().lower().decode("latin-1")
    if encoding in ("", "identity"):
        return receive
    scope.pop(ARRIVED, None)
    if encoding in ("gzip", "x-gzip"):
        return _Gunzip(receive)

    async def refuse() -> Message:
        raise ApiError(
            "unsupported_media_type", f"`Content-Encoding: {encoding:.40}` is not supported: send `gzip`, or none."
        )

    return refuse


class _Gunzip:
    """Receives messages of a gzip stream, of one member or several, and returns messages of small plain pieces."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._decoder = zlib.decompressobj(_GZIP)
        self._compressed = b""
        self._more_body, self._has_ended = True, False
        self._is_full = False  # the last piece was: zlib may hold more, even of input that it has consumed

    async def __call__(self) -> Message:
        while True:
            if self._compressed or self._is_full:
                # In a thread: the event loop never computes.
                piece = await asyncio.to_thread(self._next_piece)
                if piece:
                    return {"type": "http.request", "body": piece, "more_body": True}
            elif self._more_body or self._has_ended:
                message = await self._receive()
                if message["type"] != "http.request":  # the client has gone
                    return message
                self._compressed, self._more_body = message.get("body", b""), message.get("more_body", False)
            elif self._decoder.eof:
                self._has_ended = True
                return {"type": "http.request", "body": b"", "more_body": False}
            else:
                raise ApiError("malformed_gzip", "The body is cut short: its gzip stream does not end.")

    def _next_piece(self) -> bytes:
        if self._decoder.eof:
            self._decoder = zlib.decompressobj(_GZIP)
        try:
            piece = self._decoder.decompress(self._compressed, _PIECE)
        except zlib.error as error:
            raise ApiError("malformed_gzip", f"The body is not valid gzip: {error}.") from None
        self._compressed = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
        self._is_full = len(piece) == _PIECE and not self._decoder.eof
        return piece
