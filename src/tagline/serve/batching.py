"""Texts of requests that arrive together are scored together, in one thread, so that the event loop never waits.

While one batch is scored the next requests gather; an idle server scores the first that comes at once, alone. A
request of many texts is scored piece by piece, in turn with others, so that it does not hold them up.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.serve.model_store import Served

Floats = NDArray[np.float64]
BATCH_TEXTS = 64
BATCH_CHARS = 1_000_000


@dataclass(eq=False)
class _Job:
    """The texts of one request; ``finish`` makes its answer of their probabilities, (n_texts, n_classes)."""

    served: Served
    texts: list[str]
    finish: Callable[[Floats], bytes]
    future: asyncio.Future[bytes]
    begun: int = 0
    parts: list[Floats] = field(default_factory=list)


class Scorer:
    """The thread that scores."""

    def __init__(self, on_batch: Callable[[int], None] = lambda n_texts: None) -> None:
        self._arrived: SimpleQueue[_Job | None] = SimpleQueue()
        self._waiting: deque[_Job] = deque()
        self._on_batch = on_batch
        self._thread = Thread(target=self._run, name="scorer", daemon=True)
        self._thread.start()

    async def score(self, served: Served, texts: list[str], finish: Callable[[Floats], bytes]) -> bytes:
        """Return what ``finish``, called in the scoring thread, makes of the texts' probabilities."""
        job = _Job(served, texts, finish, asyncio.get_running_loop().create_future())
        self._arrived.put(job)
        return await job.future

    def close(self) -> None:
        """End the thread after what it has."""
        self._arrived.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_ or self._waiting:
            try:
                while True:
                    job = self._arrived.get(block=not self._waiting and open_)
                    if job is None:
                        open_ = False
                        break
                    self._waiting.append(job)
            except Empty:
                pass
            if self._waiting:
                self._score(self._take())

    def _take(self) -> list[tuple[_Job, list[str]]]:
        """Take the next texts, of one model; what is left of a long request goes to the end of the queue."""
        served = self._waiting[0].served
        taken: list[tuple[_Job, list[str]]] = []
        others: list[_Job] = []
        texts = chars = 0
        while self._waiting and texts < BATCH_TEXTS and chars < BATCH_CHARS:
            job = self._waiting.popleft()
            if job.served is not served:
                others.append(job)
                continue
            if job.future.cancelled():
                continue
            piece = []
            for text in job.texts[job.begun : job.begun + BATCH_TEXTS - texts]:
                piece.append(text)
                chars += len(text)
                if chars >= BATCH_CHARS:
                    break
            texts += len(piece)
            taken.append((job, piece))
        self._waiting.extendleft(reversed(others))
        return taken

    def _score(self, taken: list[tuple[_Job, list[str]]]) -> None:
        if not taken:
            return
        results: list[tuple[_Job, bytes | BaseException]] = []
        try:
            proba = taken[0][0].served.answering.predict_proba([text for _, piece in taken for text in piece])
        except Exception as error:  # noqa: BLE001 (the requests fail, the thread goes on)
            results = [(job, error) for job, _ in taken]
        else:
            start = 0
            for job, piece in taken:
                job.parts.append(proba[start : start + len(piece)])
                start += len(piece)
                job.begun += len(piece)
                if job.begun < len(job.texts):
                    self._waiting.append(job)
                else:
                    results.append((job, _finished(job)))
            self._on_batch(len(proba))
        if results:
            loop = results[0][0].future.get_loop()
            loop.call_soon_threadsafe(_deliver, results)


def _finished(job: _Job) -> bytes | BaseException:
    try:
        return job.finish(job.parts[0] if len(job.parts) == 1 else np.vstack(job.parts))
    except Exception as error:  # noqa: BLE001 (that request fails, the thread goes on)
        return error


def _deliver(results: list[tuple[_Job, Any]]) -> None:
    for job, result in results:
        if job.future.done():  # the client has gone, or its time is over
            continue
        if isinstance(result, BaseException):
            job.future.set_exception(result)
        else:
            job.future.set_result(result)
