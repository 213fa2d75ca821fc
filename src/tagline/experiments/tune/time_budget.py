"""`TimeBudget`: when to end a search so that the final run ends in time, and which candidates can still win."""

import json
import time

from tagline.experiments.shared_data import SharedData
from tagline.experiments.tune.candidates import Candidate
from tagline.experiments.tune.scoring import N_FOLDS
from tagline.learners.ngram import is_cheap

_RUN_SECONDS = 2.5  # of a run besides fitting and predicting: figures, plots, report
_MARGIN = 1.1  # factor on the predicted time of the last fits
_LATEST = 1.04  # factor on the budget: when the final run must have ended
_FEW_FITS = 2.4  # in fits of four fifths of the rows: one to calibrate or for early stopping, and one of all rows
_ALL_FOLDS = N_FOLDS + 1.25  # the same, if every fold is held out


class TimeBudget:
    """The time of a search of ``budget`` seconds that started at ``started``, a value of `time.monotonic`."""

    def __init__(self, started: float, budget: float, shared: SharedData, n_test: int) -> None:
        self._started, self.budget = started, budget
        self._share_of_test = n_test / len(shared.texts)
        self._cheap = is_cheap(shared.texts, shared.task.n_outputs(shared.Y.shape[1]))
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
        n_fits = _ALL_FOLDS if self._cheap and candidate.recipe.training is None else _FEW_FITS
        return _RUN_SECONDS + _MARGIN * (features * self._share_of_test + n_fits * candidate.seconds("fit"))

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
