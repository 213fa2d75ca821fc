"""Short requests are scored in the event loop: in each of its rounds, those that have arrived, together."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import ClientDisconnect

from tagline.many_classes import Probabilities
from tagline.serve.http.connections import Loss
from tagline.serve.http.errors import timed_out
from tagline.serve.model_store import ServedModel

_ROUND = 1.0  # of the longest request that is scored in the event loop; with so much of it a round is full


@dataclass(frozen=True, eq=False)
class RequestTexts:
    """The texts of a request, as they are scored, and which of them were cut."""

    texts: list[str]
    cut: list[bool]


class Responder(Hashable, Protocol):
    """Makes the answers to requests from the probabilities of all their texts, (n_texts, n_classes).

    Requests with the same model and options have equal responders, and are scored together.
    """

    @property
    def model(self) -> ServedModel:
        """The model that scores the texts."""

    def __call__(self, requests: Sequence[RequestTexts], proba: Probabilities) -> list[bytes]:
        """Return the answer to each request."""


@dataclass(eq=False)
class ShortRequest:
    """A request to score in the event loop, which takes a ``share`` of the time of the longest one."""

    given: RequestTexts
    responder: Responder
    share: float
    seconds: float  # that it may wait
    loss: Loss
    future: asyncio.Future[bytes] = field(init=False)
    deadline: float = field(init=False)


class Rounds:
    """Scores requests in order, in each round of the event loop for a limited time.

    Between two rounds the loop reads, writes and accepts one connection: if all requests that have arrived were scored
    in one round, hundreds of busy connections would keep new ones out for seconds.

    Args:
        on_batch: called with the number of texts that were scored together.

    """

    def __init__(self, on_batch: Callable[[int], None]) -> None:
        self._on_batch = on_batch
        self._waiting: deque[ShortRequest] = deque()

    def score(self, request: ShortRequest, *, is_alone: bool) -> asyncio.Future[bytes]:
        """Return the future answer to a request; one that ``is_alone`` is scored at once.

        Raises, when it is awaited:
            ApiError: the request has waited for its ``seconds``, which are the same for all.
            ClientDisconnect: its connection was lost while it waited.
            Exception: whatever the model or the ``responder`` raised.

        """
        loop = asyncio.get_running_loop()
        request.future, request.deadline = loop.create_future(), loop.time() + request.seconds
        is_first = not self._waiting
        self._waiting.append(request)
        if is_first and is_alone:
            self._score_round()
        elif is_first:
            loop.call_soon(self._score_round)
        return request.future

    def _score_round(self) -> None:
        loop = asyncio.get_running_loop()
        now, used = loop.time(), 0.0
        alike: dict[Responder, list[ShortRequest]] = {}
        while self._waiting and used < _ROUND:
            request = self._waiting.popleft()
            if request.future.done():  # cancelled
                continue
            if request.deadline <= now:
                request.future.set_exception(timed_out(request.seconds))
            elif request.loss.has_happened:
                request.future.set_exception(ClientDisconnect())
            else:
                alike.setdefault(request.responder, []).append(request)
                used += request.share
        if self._waiting:
            loop.call_soon(self._score_round)
        for requests in alike.values():
            self._score_together(requests)

    def _score_together(self, requests: list[ShortRequest]) -> None:
        """Score requests of one model and the same options; if that fails, one by one, so that only those fail."""
        responder = requests[0].responder
        texts = [text for request in requests for text in request.given.texts]
        try:
            proba = responder.model.predictor.probabilities(texts)
            answers = responder([request.given for request in requests], proba)
        except BaseException as error:  # noqa: BLE001 (one that is no Exception would end the event loop)
            if len(requests) == 1:
                requests[0].future.set_exception(for_future(error))
            else:
                for request in requests:
                    self._score_together([request])
            return
        for request, answer in zip(requests, answers, strict=True):
            request.future.set_result(answer)
        self._on_batch(len(texts))


def for_future(error: BaseException) -> Exception:
    """Return an error that a request may fail with: a future refuses one of the others, the rest end the event loop."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"Scoring raised {type(error).__name__}.").with_traceback(error.__traceback__)
