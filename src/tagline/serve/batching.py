"""Scoring: what takes a millisecond at most, in the event loop; everything else in one thread, in batches.

A text of usual length takes compiled code less time than a thread takes to wake up: `Rounds` scores it. Where the
texts are long or many, or the model is a network, requests queue up for the thread: while it scores one batch, the
next requests arrive, and those are scored together. A request of many texts is split into batches that alternate with
other requests.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread

from tagline.many_classes import Probabilities, joined
from tagline.serve.model_store import ServedModel
from tagline.serve.rounds import Rounds, for_future

BATCH_TEXTS = 64
BATCH_CHARS = 1_000_000
_CHARS_OF_TEXT = 100  # a text takes the time of so many characters, however short it is
_RESTART_SECONDS = 1.0  # so that a fault that persists does not keep a core busy


@dataclass(eq=False)
class _Job:
    """One request: its texts, and ``finish``, which turns their probabilities (n_texts, n_classes) into the answer."""

    model: ServedModel
    texts: list[str]
    finish: Callable[[Probabilities], bytes]
    future: asyncio.Future[bytes]
    n_scored: int = 0
    proba: list[Probabilities] = field(default_factory=list)  # of the texts scored so far, by batch


@dataclass(eq=False)
class _Part:
    """The texts of one job in a batch."""

    job: _Job
    texts: list[str]


class Scorer:
    """Scores requests in a thread, and short ones by its ``rounds`` in the event loop.

    Args:
        on_batch: called with the number of texts of each batch.
        on_failure: called with the exception when the loop of the thread fails. The loop restarts after a second; the
            requests that were queued at that moment fail.

    """

    def __init__(
        self,
        on_batch: Callable[[int], None] = lambda n_texts: None,
        on_failure: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self._on_batch, self._on_failure = on_batch, on_failure
        self.rounds = Rounds(on_batch)
        self._arrived: SimpleQueue[_Job | None] = SimpleQueue()
        self._queue: deque[_Job] = deque()
        self._batch: list[_Part] = []
        self._closing = False
        self._failure: str | None = None
        self._thread = Thread(target=self._run, name="scorer", daemon=True)
        self._thread.start()

    @property
    def failure(self) -> str | None:
        """Why no text can be scored at the moment, or None."""
        if self._failure is None and not self._thread.is_alive():
            return "The scoring thread has ended."
        return self._failure

    async def score(self, model: ServedModel, texts: list[str], finish: Callable[[Probabilities], bytes]) -> bytes:
        """Return the result of ``finish``, which the thread calls with the probabilities of the texts.

        Raises:
            Exception: whatever the model or ``finish`` raised.

        """
        if not self._thread.is_alive():
            raise RuntimeError("The scoring thread has ended.")
        job = _Job(model, texts, finish, asyncio.get_running_loop().create_future())
        self._arrived.put(job)
        return await job.future

    def close(self) -> None:
        """Score what is queued, then end the thread."""
        self._arrived.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self._score_until_closed()
            except BaseException as error:  # noqa: BLE001 (a thread that ends leaves every later request unanswered)
                self._failure = f"Scoring failed with {type(error).__name__} and restarts in {_RESTART_SECONDS:g} s."
                for report in (self._fail_all, self._on_failure):
                    with suppress(Exception):
                        report(error)
                time.sleep(_RESTART_SECONDS)
                self._failure = None
            else:
                return

    def _score_until_closed(self) -> None:
        while self._receive():
            self._take_batch()
            if self._batch:
                self._score(self._batch)

    def _receive(self) -> bool:
        """Queue the jobs that have arrived, waiting for one if there is none; return whether there is work left."""
        with suppress(Empty):
            while True:
                job = self._arrived.get(block=not self._queue and not self._closing)
                if job is None:
                    self._closing = True
                else:
                    self._queue.append(job)
        return bool(self._queue)

    def _take_batch(self) -> None:
        """Move the next texts of one model from the queue to the batch; skip jobs whose request is over."""
        batch = self._batch = []
        others: list[_Job] = []
        n_texts = n_chars = 0
        try:
            while self._queue and n_texts < BATCH_TEXTS and n_chars < BATCH_CHARS:
                job = self._queue.popleft()
                if job.future.done():  # cancelled: the client has gone, or its time is over
                    continue
                if batch and job.model is not batch[0].job.model:
                    others.append(job)
                    continue
                part = _Part(job, [])
                batch.append(part)
                for text in job.texts[job.n_scored : job.n_scored + BATCH_TEXTS - n_texts]:
                    part.texts.append(text)
                    n_chars += len(text)
                    if n_chars >= BATCH_CHARS:
                        break
                n_texts += len(part.texts)
        finally:
            self._queue.extendleft(reversed(others))

    def _score(self, batch: list[_Part]) -> None:
        """Score a batch; if that fails, score its jobs one by one, so that only those fail that cannot be scored."""
        try:
            proba = batch[0].job.model.predictor.probabilities([text for part in batch for text in part.texts])
        except BaseException as error:  # noqa: BLE001 (a panic of a Rust library is no Exception)
            if len(batch) == 1:
                _deliver([(batch[0].job, error)])
            else:
                for part in batch:
                    self._score([part])
            return
        start = 0
        outcomes: list[tuple[_Job, bytes | BaseException]] = []
        for part in batch:
            job, end = part.job, start + len(part.texts)
            job.proba.append(proba[start:end])
            job.n_scored += len(part.texts)
            start = end
            if job.n_scored < len(job.texts):
                self._queue.append(job)
            else:
                outcomes.append((job, _finish(job)))
        _deliver(outcomes)
        self._on_batch(len(proba))

    def _fail_all(self, error: BaseException) -> None:
        """Fail the jobs of the batch and of the queue, for one of them may be what broke the loop."""
        jobs = [*(part.job for part in self._batch), *self._queue]
        self._batch = []
        self._queue.clear()
        _deliver([(job, error) for job in jobs])


def share_of_longest(model: ServedModel, texts: list[str]) -> float:
    """Return the time of scoring as a share of the longest in the event loop; above 1 it does not belong there."""
    chars = sum(map(len, texts)) + _CHARS_OF_TEXT * len(texts)
    return chars / model.chars_at_once if model.chars_at_once else math.inf


def _finish(job: _Job) -> bytes | BaseException:
    try:
        return job.finish(job.proba[0] if len(job.proba) == 1 else joined(job.proba))
    except BaseException as error:  # noqa: BLE001 (that request fails, the thread continues)
        return error


def _deliver(outcomes: Sequence[tuple[_Job, bytes | BaseException]]) -> None:
    """Hand results and errors to the event loops that wait for them."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job, bytes | BaseException]]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome[0].future.get_loop(), []).append(outcome)
    for loop, found in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed, and no request waits for the answers
            loop.call_soon_threadsafe(_set_outcomes, found)


def _set_outcomes(outcomes: Sequence[tuple[_Job, bytes | BaseException]]) -> None:
    for job, outcome in outcomes:
        if job.future.done():  # the client has gone, or its time is over
            continue
        if isinstance(outcome, BaseException):
            job.future.set_exception(for_future(outcome))
        else:
            job.future.set_result(outcome)
