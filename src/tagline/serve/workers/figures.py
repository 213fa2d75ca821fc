"""What a server counts: plain numbers, which several processes can add up."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

Counts = Counter[tuple[str | int, ...]]  # by the values of the labels
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64)


class Histogram:
    """How many values are in each bucket, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Figures:
    """The numbers of one process, or the sums of several; ``paths`` have times of their own.

    They take less time to count than the objects of prometheus_client. All but those of batches and reloads are counted
    in the thread of the event loop.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.in_flight = 0
        self.requests: Counts = Counter()
        self.texts: Counts = Counter()
        self.rejected: Counts = Counter()
        self.reloads: Counts = Counter()
        self.seconds = {path: Histogram(_SECONDS) for path in paths}
        self.batches, self.lock = Histogram(_TEXTS), Lock()

    def to_json(self) -> str:
        """Return all numbers as JSON."""
        with self.lock:
            histograms = [(histogram.counts, histogram.sum) for histogram in self._histograms()]
            counts = [list(counted.items()) for counted in self._counts()]
            return json.dumps([self.in_flight, counts, histograms])

    def add(self, content: str) -> None:
        """Add the numbers that `to_json` gave, in a process with the same paths."""
        in_flight, counts, histograms = json.loads(content)
        self.in_flight += in_flight
        for counted, items in zip(self._counts(), counts, strict=True):
            counted.update({tuple(labels): n for labels, n in items})
        for histogram, (buckets, total) in zip(self._histograms(), histograms, strict=True):
            histogram.counts = [mine + others for mine, others in zip(histogram.counts, buckets, strict=True)]
            histogram.sum += total

    def _counts(self) -> list[Counts]:
        return [self.requests, self.texts, self.rejected, self.reloads]

    def _histograms(self) -> list[Histogram]:
        return [*self.seconds.values(), self.batches]


class SharedFigures:
    """A folder with the figures of all workers, in which one of them writes its own.

    A worker that replaces another goes on from the figures of that one, so that sums never decrease.
    """

    def __init__(self, folder: Path, worker: int) -> None:
        self._folder, self._own = folder, folder / f"{worker}.json"

    def restore(self, figures: Figures) -> None:
        """Add the figures of the worker that this one replaces."""
        if self._own.exists():
            figures.add(self._own.read_text())
            figures.in_flight = 0

    def write(self, figures: Figures) -> None:
        """Write the figures of this worker."""
        unfinished = self._own.with_suffix(".new")
        unfinished.write_text(figures.to_json())
        unfinished.replace(self._own)

    def add_all(self, total: Figures) -> None:
        """Add the figures that each worker has written last."""
        for file in self._folder.glob("*.json"):
            total.add(file.read_text())
