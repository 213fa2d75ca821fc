"""`TimeBudget`: when to end a search so that the final run ends in time, and which candidates can still win."""

import json
import time

from tagline.decisions.thresholds import PER_LABEL
from tagline.experiments.shared_data import SharedData
from tagline.experiments.tune.candidates import Candidate
from tagline.experiments.tune.scoring import N_FOLDS
from tagline.learners.holdout import affordable_folds
from tagline.task import Task

_RUN_SECONDS = 2.5  # of a run besides fitting and predicting: figures, plots, report
_MARGIN = 1.1  # factor on the predicted time of the last fits
_LATEST = 1.04  # factor on the budget: when the final run must have ended
# In fits of the rows of a trial, which are all but one of `N_FOLDS` parts:
_FEW_FITS = 2.4  # one to calibrate or for early stopping, and one of all rows
_ALL_ROWS = N_FOLDS / (N_FOLDS - 1)


class TimeBudget:
    """The time of a search of ``budget`` seconds that started at ``started``, a value of `time.monotonic`."""

    def __init__(self, started: float, budget: float, shared: SharedData, n_test: int) -> None:
        self._started, self.budget = started, budget
        self._share_of_test = n_test / len(shared.texts)
        n_outputs = shared.task.n_outputs(shared.Y.shape[1])
        self._multilabel = shared.task is Task.MULTILABEL
        self._n_folds = {
            by_label: affordable_folds(shared.texts, n_outputs, thresholds=by_label) for by_label in (False, True)
        }
        self._feature_seconds: dict[str, float] = {}

    @property
    def elapsed(self) -> float:
        """The elapsed seconds."""
        return time.monotonic() - self._started

    def record_features(self, candidate: Candidate) -> None:
        """Record the time for uncached features: those of train rows are cached later, those of test rows are not."""
        key = _features(candidate)
        longest = max(result.seconds["features"] for result in candidate.results.values())
        self._feature_seconds[key] = max(longest, self._feature_seconds.get(key, 0.0))

    def final_seconds(self, candidate: Candidate) -> float:
        """Return the predicted time of the final run with this candidate."""
        features = self._feature_seconds.get(_features(candidate), 0.0)
        n_fits = self._final_fits(candidate)
        return _RUN_SECONDS + _MARGIN * (features * self._share_of_test + n_fits * candidate.seconds("fit"))

    def _final_fits(self, candidate: Candidate) -> float:
        """Return the fits of the final run: n folds of all but one of n parts, and one of all rows."""
        recipe = candidate.recipe
        n_folds = self._n_folds[self._multilabel and recipe.protocol.thresholds == PER_LABEL]
        return _FEW_FITS if n_folds == 1 or recipe.training is not None else n_folds * _ALL_ROWS

    def remaining(self, best: Candidate | None) -> float:
        """Return the seconds left before the final run with ``best`` must start."""
        return self.budget - self.elapsed - (_RUN_SECONDS if best is None else self.final_seconds(best))

    def feasible(self, ranking: list[Candidate]) -> list[Candidate]:
        """Return the candidates whose final run would end in time, in their order; if there are none, the fastest.

        When the time is over anyway, as in a search that is resumed after its final run failed, return all.
        """
        if self.remaining(None) <= 0:
            return ranking
        feasible = [c for c in ranking if self.elapsed + self.final_seconds(c) <= _LATEST * self.budget]
        return feasible or sorted(ranking, key=self.final_seconds)[:1]


def _features(candidate: Candidate) -> str:
    return json.dumps(candidate.tables["features"], sort_keys=True)
