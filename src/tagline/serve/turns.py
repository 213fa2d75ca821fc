"""Turns of the requests that compute in the event loop."""

import asyncio
from collections import deque

_ROUND = 0.2  # of the longest request that computes in the event loop; after so much of it no other begins in a round


class Turns:
    """Requests compute in order, in each round of the event loop for a limited time.

    Between two rounds the loop reads, writes and accepts one connection: if all requests that have arrived computed in
    one round, hundreds of busy connections would keep new ones out for seconds.
    """

    def __init__(self) -> None:
        self._used = 0.0  # of this round; above 0, the next one is scheduled
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()

    def take(self, share: float) -> bool:
        """Return whether a request that takes a share of the time of the longest one may compute now."""
        if self._waiting or self._used >= _ROUND:
            return False
        self._use(share)
        return True

    async def wait(self, share: float) -> None:
        """Return when it may."""
        if self.take(share):
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((share, turn))
        await turn

    def _use(self, share: float) -> None:
        if not self._used:
            asyncio.get_running_loop().call_soon(self._start_round)
        self._used += share

    def _start_round(self) -> None:
        self._used = 0.0
        while self._waiting and self._used < _ROUND:
            share, turn = self._waiting.popleft()
            if not turn.done():  # cancelled: the client has gone, or its time is over
                turn.set_result(None)
                self._use(share)
