"""Turns of the requests that compute in the event loop."""

import asyncio
from collections import deque

_ROUND = 0.5  # of the longest request that computes in the event loop; after so much of it no other begins in a round


class Turns:
    """Requests compute in order, in each round of the event loop for a limited time.

    Between two rounds the loop reads, writes and accepts one connection: if all requests that have arrived computed in
    one round, hundreds of busy connections would keep new ones out for seconds.
    """

    def __init__(self) -> None:
        self._used = 0.0  # of this round; above 0, the next one is scheduled
        self._waiting: deque[tuple[float, float, asyncio.Future[None]]] = deque()  # share, deadline, turn

    def take(self, share: float) -> bool:
        """Return whether a request that takes a share of the time of the longest one may compute now."""
        if self._waiting or self._used >= _ROUND:
            return False
        self._use(share)
        return True

    async def wait(self, share: float, seconds: float) -> None:
        """Return when it may, after others.

        Raises:
            TimeoutError: it has waited for ``seconds``, which are the same for all.

        """
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append((share, loop.time() + seconds, turn))
        await turn

    def _use(self, share: float) -> None:
        if not self._used:
            asyncio.get_running_loop().call_soon(self._start_round)
        self._used += share

    def _start_round(self) -> None:
        self._used = 0.0
        now = asyncio.get_running_loop().time()
        while self._waiting:
            share, deadline, turn = self._waiting[0]
            if turn.done():  # cancelled
                pass
            elif deadline <= now:
                turn.set_exception(TimeoutError)
            elif self._used < _ROUND:
                turn.set_result(None)
                self._use(share)
            else:
                break
            self._waiting.popleft()
