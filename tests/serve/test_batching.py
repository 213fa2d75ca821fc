"""The scorer: requests are scored together, a failure stays with its request, and the thread survives everything."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tagline.serve import batching
from tagline.serve.batching import Scorer, share_of_longest

SECONDS = 20  # for a busy machine; a request that is never answered would wait for ever


class Predictor:
    """A model whose probability is the length of a text; it records what it was given and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered, self.free = threading.Event(), threading.Event()
        self.free.set()

    def probabilities(self, texts: list[str]) -> np.ndarray:
        self.batches.append(list(texts))
        self.entered.set()
        assert self.free.wait(SECONDS)
        for text in texts:
            if text == "broken":
                raise ValueError(text)
            if text == "iteration":
                raise StopIteration
            if text == "exit":
                raise SystemExit(3)
        return np.array([[len(text)] for text in texts], dtype=float)


@pytest.fixture
def predictor() -> Predictor:
    return Predictor()


@pytest.fixture
def scorer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scorer]:
    monkeypatch.setattr(batching, "_RESTART_SECONDS", 0.05)
    made = Scorer()
    yield made
    made.close()


def lengths(proba: np.ndarray) -> bytes:
    return ",".join(f"{value:g}" for value in proba[:, 0]).encode()


def model_of(predictor: Predictor, chars_at_once: int = 0) -> Any:
    return SimpleNamespace(predictor=predictor, chars_at_once=chars_at_once)


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def limited() -> Any:
        async with asyncio.timeout(SECONDS):
            return await work()

    return asyncio.run(limited())


async def together(scorer: Scorer, predictor: Predictor, *requests: tuple[Any, list[str]]) -> list[Any]:
    """Score requests that arrive while the thread is busy with another one, so that they are batched."""
    predictor.free.clear()
    predictor.entered.clear()
    first = asyncio.ensure_future(scorer.score(model_of(predictor), ["first"], lengths))
    await asyncio.to_thread(predictor.entered.wait, SECONDS)
    tasks = [asyncio.ensure_future(scorer.score(model, texts, lengths)) for model, texts in requests]
    await asyncio.sleep(0)  # each puts its job into the queue
    predictor.free.set()
    await first
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_requests_that_arrive_together_are_scored_together(scorer: Scorer, predictor: Predictor) -> None:
    model, other = model_of(predictor), model_of(Predictor())
    requests = [(model, ["a"]), (other, ["bb"]), (model, ["ccc", "dddd"])]
    assert run(lambda: together(scorer, predictor, *requests)) == [b"1", b"2", b"3,4"]
    assert predictor.batches == [["first"], ["a", "ccc", "dddd"]]


def test_a_long_request_alternates_with_others(scorer: Scorer, predictor: Predictor) -> None:
    model = model_of(predictor)
    long = ["x" * (n % 7) for n in range(150)]
    found = run(lambda: together(scorer, predictor, (model, long), (model, ["short"])))
    assert found == [",".join(str(len(text)) for text in long).encode(), b"5"]
    assert [len(batch) for batch in predictor.batches] == [1, 64, 64, 23]
    assert predictor.batches[2][0] == "short"


@pytest.mark.parametrize("text", ["broken", "iteration", "exit"])
def test_a_text_that_fails_fails_only_its_request(scorer: Scorer, predictor: Predictor, text: str) -> None:
    model = model_of(predictor)
    found = run(lambda: together(scorer, predictor, (model, ["a"]), (model, ["bb", text]), (model, ["ccc"])))
    assert (found[0], found[2]) == (b"1", b"3")
    assert isinstance(found[1], ValueError if text == "broken" else RuntimeError)
    assert scorer.failure is None


def test_a_long_request_that_fails_is_not_scored_further(scorer: Scorer, predictor: Predictor) -> None:
    found = run(lambda: together(scorer, predictor, (model_of(predictor), ["broken", *["x"] * 200])))
    assert isinstance(found[0], ValueError)
    assert [len(batch) for batch in predictor.batches] == [1, 64]


@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_an_error_in_an_answer_fails_only_its_request(
    scorer: Scorer, predictor: Predictor, error: type[BaseException]
) -> None:
    def fails(proba: np.ndarray) -> bytes:
        raise error

    async def work() -> list[Any]:
        model = model_of(predictor)
        both = scorer.score(model, ["a"], fails), scorer.score(model, ["bb"], lengths)
        return await asyncio.gather(*both, return_exceptions=True)

    first, second = run(work)
    assert isinstance(first, ZeroDivisionError if error is ZeroDivisionError else RuntimeError)
    assert scorer.failure is None
    assert second == b"2"


def test_a_request_that_was_cancelled_is_not_scored(scorer: Scorer, predictor: Predictor) -> None:
    async def work() -> bytes:
        model = model_of(predictor)
        predictor.free.clear()
        first = asyncio.ensure_future(scorer.score(model, ["first"], lengths))
        await asyncio.to_thread(predictor.entered.wait, SECONDS)
        gone = asyncio.ensure_future(scorer.score(model, ["gone"], lengths))
        stays = asyncio.ensure_future(scorer.score(model, ["stays"], lengths))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        predictor.free.set()
        await first
        return await stays

    assert run(work) == b"5"
    assert predictor.batches == [["first"], ["stays"]]


def test_the_thread_survives_a_client_whose_event_loop_is_closed(scorer: Scorer, predictor: Predictor) -> None:
    async def leave() -> None:
        predictor.free.clear()
        request = scorer.score(model_of(predictor), ["left behind"], lengths)
        request.send(None)  # without a task, so that the future is neither done nor cancelled when the loop closes
        assert await asyncio.to_thread(predictor.entered.wait, SECONDS)
        request.close()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    loop.close()
    predictor.free.set()
    assert run(lambda: scorer.score(model_of(predictor), ["later"], lengths)) == b"5"


def test_a_failure_outside_of_the_model_does_not_end_the_thread(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop restarts, says so in the meantime, and answers what comes later."""
    monkeypatch.setattr(batching, "_RESTART_SECONDS", 0.3)
    counted: list[int] = []
    failures: list[BaseException] = []

    def count(n_texts: int) -> None:
        counted.append(n_texts)
        if len(counted) == 1:
            raise OSError("the metrics are broken")

    scorer = Scorer(count, failures.append)
    model = model_of(predictor)

    async def work() -> tuple[bytes, str | None, bytes]:
        first = await scorer.score(model, ["a"], lengths)
        while not failures:
            await asyncio.sleep(0.001)
        return first, scorer.failure, await scorer.score(model, ["bb"], lengths)

    first, failure, second = run(work)
    assert (first, second) == (b"1", b"2")
    assert failure is not None
    assert "OSError" in failure
    assert scorer.failure is None
    scorer.close()
    assert scorer.failure == "The scoring thread has ended."


def test_what_breaks_the_loop_fails_what_is_queued_and_nothing_later(scorer: Scorer, predictor: Predictor) -> None:
    """A text that is not a string, of which the length cannot be taken."""
    model = model_of(predictor)

    async def work() -> tuple[list[Any], bytes]:
        text: Any = 7
        failed = await together(scorer, predictor, (model, [text]))
        return failed, await scorer.score(model, ["later"], lengths)

    failed, later = run(work)
    assert isinstance(failed[0], TypeError)
    assert later == b"5"


def test_a_closed_scorer_raises_instead_of_waiting(predictor: Predictor) -> None:
    scorer = Scorer()
    scorer.close()
    with pytest.raises(RuntimeError, match="has ended"):
        run(lambda: scorer.score(model_of(predictor), ["a"], lengths))


def test_only_short_texts_for_compiled_code_are_scored_in_the_event_loop(predictor: Predictor) -> None:
    requests = [(["a", "bbb"], 1_000), (["x" * 900], 1_000), (["x" * 901], 1_000), ([""] * 11, 1_000), ([""], 0)]
    shares = [share_of_longest(model_of(predictor, chars_at_once), texts) for texts, chars_at_once in requests]
    assert [share <= 1 for share in shares] == [True, True, False, False, False]
