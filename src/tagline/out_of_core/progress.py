"""The progress of stages that process the data in parts."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tagline.learners.progress import FitProgress, Report

COUNTING, ENCODING, WEIGHING = "counting word n-grams", "encoding the texts", "weighing the features"

_Item = TypeVar("_Item")


class Parts:
    """Reports the parts of the texts that have been processed, of ``total``."""

    def __init__(self, report: Report, total: int) -> None:
        self._report, self._total, self._done = report, total, 0

    def of(self, stage: str) -> Callable[[], None]:
        """Return a function to call after each part."""

        def step() -> None:
            self._done += 1
            self._report(FitProgress(stage, self._done, self._total))

        return step

    def each(self, stage: str, parts: Iterable[_Item]) -> Iterator[_Item]:
        """Yield what is found in each part, and report the part when the caller has used it."""
        step = self.of(stage)
        for part in parts:
            yield part
            step()
