"""How long an answer is worked on: until its time is over, or its client has gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect
from starlette.types import Scope

from tagline.serve.http.connections import LOSS, Loss
from tagline.serve.http.errors import timed_out


@asynccontextmanager
async def answered_within(scope: Scope, seconds: float | None) -> AsyncIterator[None]:
    """Cancel what is awaited in the block after ``seconds``, or when the connection of the request is lost.

    Raises:
        ApiError: the time is over.
        ClientDisconnect: the connection is lost.

    """
    loss = scope.get(LOSS) or Loss()
    if loss.has_happened:
        raise ClientDisconnect
    try:
        async with asyncio.timeout(seconds) as deadline:

            def end() -> None:
                if not deadline.expired():
                    deadline.reschedule(0)

            loss.on_loss.add(end)
            try:
                yield
            finally:
                loss.on_loss.discard(end)
    except TimeoutError:
        if loss.has_happened:
            raise ClientDisconnect from None
        if seconds is None or not deadline.expired():  # an error of the block, such as that of a slow disk
            raise
        raise timed_out(seconds) from None
