"""Progress of a sweep, and an estimate of the remaining time."""

import time
from dataclasses import dataclass

from tagline.experiments.sweep.trial_store import Outcome

_LINES = 100  # about the most lines of progress where progress is printed line by line


@dataclass(frozen=True)
class Progress:
    """Progress of a sweep: trials ``done`` of ``total``, the best accuracy so far, the estimated seconds left."""

    done: int
    total: int
    failed: int
    best: float | None
    seconds_left: float | None
    milestone: bool

    def words(self) -> str:
        """Return it in one line."""
        best = "" if self.best is None else f", best {100 * self.best:.1f} %"
        failed = f", {self.failed} failed" if self.failed else ""
        left = "" if not self.seconds_left else f", about {_duration(self.seconds_left)} left"
        return f"{self.done} of {self.total} trials{best}{failed}{left}"


class TimeEstimate:
    """Estimates the remaining time of ``work``; the first ``warm_up`` trials, in which workers start, are ignored."""

    def __init__(self, work: int, warm_up: int) -> None:
        self._left, self._warm_up = work, warm_up
        self._since, self._done = time.monotonic(), 0

    def seconds_left(self, work: int) -> float:
        """Return the seconds left after another ``work`` has been done."""
        now = time.monotonic()
        self._left -= work
        self._done += work
        self._warm_up -= 1
        left = self._left * (now - self._since) / self._done
        if self._warm_up == 0:
            self._since, self._done = now, 0
        return left


def progress_of(done: dict[int, Outcome], total: int, seconds_left: float) -> Progress:
    """Return the progress of a sweep of ``total`` trials; ``done``: outcomes by number of trial."""
    accuracies = [outcome.accuracy for outcome in done.values() if outcome.accuracy is not None]
    n, failed = len(done), sum(outcome.status == "failed" for outcome in done.values())
    milestone = n * _LINES // total != (n - 1) * _LINES // total
    return Progress(n, total, failed, max(accuracies, default=None), seconds_left, milestone)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
