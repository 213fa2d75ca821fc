"""How far a sweep is, and how long the rest will take."""

import time
from dataclasses import dataclass

from tagline.experiments.sweep.trial_store import Outcome

_TOLD = 100  # at most about so many lines of progress, where they are lines


@dataclass(frozen=True)
class Progress:
    """How far a sweep is: trials ``done`` of ``total``, the best accuracy so far, seconds left if they can be told."""

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


class Pace:
    """How long the work that is left will take; the first ``few`` trials, in which processes start, are forgotten."""

    def __init__(self, work: int, few: int) -> None:
        self._left, self._few = work, few
        self._since, self._done = time.monotonic(), 0

    def seconds_left(self, work: int) -> float:
        """Return the seconds left now that some more work is done."""
        now = time.monotonic()
        self._left -= work
        self._done += work
        self._few -= 1
        left = self._left * (now - self._since) / self._done
        if self._few == 0:
            self._since, self._done = now, 0
        return left


def progress_of(done: dict[int, Outcome], total: int, seconds_left: float) -> Progress:
    """Return how far a sweep of ``total`` trials is after those ``done``, by number."""
    found = [outcome.accuracy for outcome in done.values() if outcome.accuracy is not None]
    n, failed = len(done), sum(outcome.status == "failed" for outcome in done.values())
    milestone = n * _TOLD // total != (n - 1) * _TOLD // total
    return Progress(n, total, failed, max(found, default=None), seconds_left, milestone)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
