"""Rounds: short requests are scored in the event loop, together and in order, and a failure stays with its request."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.requests import ClientDisconnect

from tagline.serve.http.connections import Loss
from tagline.serve.http.errors import ApiError
from tagline.serve.rounds import RequestTexts, Rounds, ShortRequest

SECONDS = 20  # for a busy machine; a request that is never answered would wait for ever
RAISES: dict[str, type[BaseException]] = {"broken": ValueError, "iteration": StopIteration, "exit": SystemExit}


class Predictor:
    """A model whose probability is the length of a text; it records what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def probabilities(self, texts: list[str]) -> np.ndarray:
        self.batches.append(list(texts))
        for text in texts:
            if text in RAISES:
                raise RAISES[text]
        return np.array([[len(text)] for text in texts], dtype=float)


@dataclass(frozen=True)
class Lengths:
    """The answers of a model to requests with some option: the lengths of their texts."""

    model: Any
    option: str = ""

    def __call__(self, requests: Sequence[RequestTexts], proba: np.ndarray) -> list[bytes]:
        if self.option == "fails":
            raise ZeroDivisionError
        values = iter(proba[:, 0])
        return [",".join(f"{next(values):g}" for _ in one.texts).encode() for one in requests]


class Model(SimpleNamespace):
    """A model, which is equal to itself only, as a served one is."""

    __hash__, __eq__ = object.__hash__, object.__eq__


@pytest.fixture
def predictor() -> Predictor:
    return Predictor()


@pytest.fixture
def lengths(predictor: Predictor) -> Lengths:
    return Lengths(Model(predictor=predictor))


@pytest.fixture
def counted() -> list[int]:
    return []


@pytest.fixture
def rounds(counted: list[int]) -> Rounds:
    return Rounds(counted.append)


def short(
    responder: Lengths, *texts: str, share: float = 0.1, seconds: float = SECONDS, loss: Loss | None = None
) -> ShortRequest:
    return ShortRequest(RequestTexts(list(texts), [False] * len(texts)), responder, share, seconds, loss or Loss())


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(SECONDS):
            return await work()

    return asyncio.run(limited())


def together(rounds: Rounds, *requests: ShortRequest) -> list[Any]:
    async def work() -> list[Any]:
        return await asyncio.gather(*(rounds.score(one, is_alone=False) for one in requests), return_exceptions=True)

    found: list[Any] = run(work)
    return found


def test_requests_of_a_round_with_the_same_options_are_scored_together(
    rounds: Rounds, predictor: Predictor, lengths: Lengths, counted: list[int]
) -> None:
    same, other = Lengths(lengths.model), Lengths(lengths.model, "other")
    requests = [short(lengths, "a", "bb"), short(other, "ccc"), short(same, "dddd")]
    assert together(rounds, *requests) == [b"1,2", b"3", b"4"]
    assert predictor.batches == [["a", "bb", "dddd"], ["ccc"]]
    assert counted == [3, 1]


def test_a_request_that_is_alone_is_scored_at_once(rounds: Rounds, lengths: Lengths) -> None:
    async def work() -> tuple[bool, bool, bytes]:
        first = rounds.score(short(lengths, "a"), is_alone=True)
        waits = rounds.score(short(lengths, "bb"), is_alone=False)
        behind = rounds.score(short(lengths, "ccc"), is_alone=True)
        return first.done(), waits.done() or behind.done(), await behind

    assert run(work) == (True, False, b"3")


def test_a_round_scores_so_much_and_the_next_ones_the_rest_in_order(
    rounds: Rounds, predictor: Predictor, lengths: Lengths
) -> None:
    """Between rounds the loop does other work, such as to accept connections."""
    scored: list[int] = []

    async def work() -> list[bytes]:
        loop, ending = asyncio.get_running_loop(), False

        def other_work() -> None:
            scored.append(sum(map(len, predictor.batches)))
            if not ending:
                loop.call_soon(other_work)

        loop.call_soon(other_work)
        requests = [rounds.score(short(lengths, "x" * n, share=0.3), is_alone=False) for n in range(40)]
        await asyncio.sleep(0)
        requests[20].cancel()
        found = await asyncio.gather(*requests, return_exceptions=True)
        ending = True
        await asyncio.sleep(0)
        return [answer for answer in found if isinstance(answer, bytes)]

    expected = [n for n in range(40) if n != 20]
    assert run(work) == [str(n).encode() for n in expected]
    assert [len(text) for batch in predictor.batches for text in batch] == expected
    assert max(after - before for before, after in pairwise(scored)) == 4


def test_a_request_that_is_not_scored_in_time_fails(rounds: Rounds, lengths: Lengths) -> None:
    first, *late, last = together(rounds, *(short(lengths, "a", seconds=s) for s in (SECONDS, -1.0, -1.0, SECONDS)))
    assert (first, last) == (b"1", b"1")
    assert all(isinstance(error, ApiError) and error.code == "timed_out" for error in late)


def test_a_request_whose_connection_is_lost_is_not_scored(
    rounds: Rounds, predictor: Predictor, lengths: Lengths
) -> None:
    gone, stays = together(rounds, short(lengths, "gone", loss=Loss(has_happened=True)), short(lengths, "a"))
    assert isinstance(gone, ClientDisconnect)
    assert stays == b"1"
    assert predictor.batches == [["a"]]


@pytest.mark.parametrize("text", RAISES)
def test_a_text_that_fails_fails_only_its_request_and_not_the_event_loop(
    rounds: Rounds, lengths: Lengths, text: str
) -> None:
    first, failed, last = together(rounds, short(lengths, "a"), short(lengths, "bb", text), short(lengths, "ccc"))
    assert (first, last) == (b"1", b"3")
    assert isinstance(failed, ValueError if text == "broken" else RuntimeError)


def test_an_answer_that_fails_fails_only_its_request(rounds: Rounds, lengths: Lengths) -> None:
    failed, answered = together(rounds, short(Lengths(lengths.model, "fails"), "a"), short(lengths, "bb"))
    assert isinstance(failed, ZeroDivisionError)
    assert answered == b"2"
