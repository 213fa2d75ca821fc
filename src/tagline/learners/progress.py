"""The progress of a fit, in steps that take about the same time: one output of one candidate in one fold."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True)
class FitProgress:
    """A stage of a fit, and how many of all its steps are done; ``total`` is 0 where it is not known."""

    stage: str
    done: int
    total: int


Report = Callable[[FitProgress], None]


class Steps:
    """Counts the steps of a fit and reports each; threads may share it."""

    def __init__(self, report: Report | None) -> None:
        self._report, self._total, self._done = report, 0, 0
        self._lock = Lock()

    def expect(self, n: int) -> None:
        """Add steps to those to be done."""
        with self._lock:
            self._total += n

    def begin(self, stage: str) -> None:
        """Report that a stage begins."""
        if self._report is not None:
            with self._lock:
                self._report(FitProgress(stage, self._done, self._total))

    def end(self, stage: str, n: int = 1) -> None:
        """Report that steps of a stage are done."""
        if self._report is not None:
            with self._lock:
                self._done += n
                self._report(FitProgress(stage, self._done, self._total))
