"""How the time of a search is spent: when to stop, so that the winner's run ends in time, and who may still win."""

import json
import time

from tagline.experiments.shared_data import Material
from tagline.experiments.tune.candidates import Candidate
from tagline.experiments.tune.scoring import N_FOLDS
from tagline.learners.ngram import is_cheap

_RUN_SECONDS = 2.5  # that a run takes beside fitting and predicting: figures, plots, report
_MARGIN = 1.1  # times what the last fits should take
_LATEST = 1.04  # times the budget, when the winner's run is to have ended
_FEW_FITS = 2.4  # in fits of four fifths of the rows: one to calibrate or to watch, and one of all rows
_ALL_FOLDS = N_FOLDS + 1.25  # the same, where every fold is held out


class Clock:
    """The time of a search of ``budget`` seconds that began at ``started``, as `time.monotonic` has it."""

    def __init__(self, started: float, budget: float, material: Material, n_test: int) -> None:
        self._started, self.budget = started, budget
        self._share_of_test = n_test / len(material.texts)
        self._cheap = is_cheap(material.texts, material.task.n_outputs(material.Y.shape[1]))
        self._counting: dict[str, float] = {}

    @property
    def spent(self) -> float:
        """The seconds gone."""
        return time.monotonic() - self._started

    def saw(self, candidate: Candidate) -> None:
        """Note how long features took the first time: later they are read, but those of test rows are made anew."""
        key = _features(candidate)
        longest = max(part.seconds["features"] for part in candidate.parts.values())
        self._counting[key] = max(longest, self._counting.get(key, 0.0))

    def last_run(self, candidate: Candidate) -> float:
        """Return how long the winner's run should take, if it is this one."""
        features = self._counting.get(_features(candidate), 0.0)
        n_fits = _ALL_FOLDS if self._cheap and candidate.recipe.training is None else _FEW_FITS
        return _RUN_SECONDS + _MARGIN * (features * self._share_of_test + n_fits * candidate.seconds("fit"))

    def left(self, best: Candidate | None) -> float:
        """Return how many seconds are left before the winner's run has to begin."""
        return self.budget - self.spent - (_RUN_SECONDS if best is None else self.last_run(best))

    def in_time(self, order: list[Candidate]) -> list[Candidate]:
        """Return those whose run would end in time, in their order; where there are none, the quickest alone.

        Where the time is over anyway, as when a search is gone on with after its last run failed, all of them.
        """
        if self.left(None) <= 0:
            return order
        in_time = [c for c in order if self.spent + self.last_run(c) <= _LATEST * self.budget]
        return in_time or sorted(order, key=self.last_run)[:1]


def _features(candidate: Candidate) -> str:
    return json.dumps(candidate.tables["features"], sort_keys=True)
