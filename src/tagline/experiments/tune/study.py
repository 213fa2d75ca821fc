"""`Study`: samples candidates, records their results, and keeps both on disk so that a search can be resumed.

Optuna samples the recipes and keeps them in a journal; the rows of evaluated candidates are NumPy arrays next to it.
"""

import json
import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tagline.errors import MissingExtraError, RecipeError
from tagline.experiments.tune.candidates import FINAL_STATES, Candidate, Limits, ranked, should_prune
from tagline.experiments.tune.folder import ROWS
from tagline.experiments.tune.objective import Metric
from tagline.experiments.tune.scoring import Cost, FoldResult
from tagline.experiments.tune.search_space import DataProfile, initial_trials, suggest
from tagline.recipes import make_recipe
from tagline.storage.atomic import open_file, write_file

try:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    from optuna.trial import FrozenTrial, Trial, TrialState
except ImportError:
    raise MissingExtraError("`tagline tune`", "search") from None

_NAME = "tune"
_ABOUT, _EXCESS, _SPENT = "about", "beyond the limits", "spent"
_SECONDS_BETWEEN_NOTES = 2.0


class Study:
    """The candidates of a search and their sampler.

    ``n_folds``: the number of folds after which a candidate is complete; it is reduced if fits are slow.
    """

    def __init__(
        self,
        folder: Path,
        metric: Metric,
        limits: Limits,
        profile: DataProfile,
        families: list[str],
        n_folds: int,
        seed: int,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.metric, self.limits, self.n_folds = metric, limits, n_folds
        self.candidates: dict[int, Candidate] = {}
        self._profile, self.families = profile, families
        self._rows = folder / ROWS
        self._rows.mkdir(parents=True, exist_ok=True)
        self._running: dict[int, Trial] = {}
        self._noted = 0.0
        journal = (folder / "journal.log").absolute()
        _drop_partial_line(journal)
        storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=_NoLock(str(journal))))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=seed,
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=16,
            )
        self._study = optuna.create_study(
            storage=storage, sampler=sampler, study_name=_NAME, direction="maximize", load_if_exists=True
        )
        earlier = self._study.get_trials(deepcopy=False)
        if not earlier:
            for values in initial_trials(profile, families):
                self._study.enqueue_trial(values)
        for trial in earlier:
            self._restore(trial)
        evaluated = [len(c.results) for c in self.candidates.values() if c.state == "whole"]
        if evaluated:
            self.n_folds = min(evaluated)

    @property
    def elapsed(self) -> float:
        """The elapsed seconds of the search, as last written to disk."""
        return float(self._study.user_attrs.get(_SPENT, 0.0))

    @property
    def n_evaluated(self) -> int:
        """Number of candidates with a result on at least one fold."""
        return sum(bool(candidate.results) for candidate in self.candidates.values())

    @property
    def n_tried(self) -> int:
        """Number of candidates that are complete, pruned or failed."""
        return sum(candidate.state in FINAL_STATES for candidate in self.candidates.values())

    @property
    def ranking(self) -> list[Candidate]:
        """The complete candidates within the limits, the best first."""
        return ranked(list(self.candidates.values()), self.metric, self.limits, self.n_folds)

    @property
    def best(self) -> Candidate | None:
        """The best complete candidate."""
        return next(iter(self.ranking), None)

    def ask(self) -> Candidate:
        """Sample the next candidate; invalid recipes are skipped, and no recipe is evaluated twice."""
        while True:
            trial = self._study.ask()
            tables = suggest(trial, self._profile, self.families)
            try:
                make_recipe(tables, "candidate")
            except RecipeError:
                self._study.tell(trial, state=TrialState.FAIL)
                continue
            known = self._find_same(tables)
            if known is not None and known.state != "running":
                # Repeat the result for the sampler, so that it samples something else.
                if known.state == "whole":
                    self._set_cost(trial, known)
                    self._study.tell(trial, known.score(self.metric))
                else:
                    self._study.tell(trial, state=TrialState.PRUNED)
                continue
            candidate = Candidate(trial.number, tables)
            self.candidates[trial.number], self._running[trial.number] = candidate, trial
            return candidate

    def report(self, candidate: Candidate, result: FoldResult, elapsed: float) -> bool:
        """Record the result of a candidate on a fold; return whether to evaluate it on more folds."""
        candidate.results[result.fold] = result
        candidate.cost = candidate.cost or result.cost
        trial = self._running.get(candidate.number)
        if trial is None:  # a finalist on a further fold
            return True
        score = candidate.score(self.metric)
        trial.report(score, len(candidate.results) - 1)
        best = self.best
        if len(candidate.results) >= self.n_folds:
            self._end(candidate, "whole", elapsed)
            return False
        if best is not None and should_prune(candidate, best, self.metric):
            self._end(candidate, "dropped", elapsed)
            return False
        return True

    def fail(self, candidate: Candidate, error: str, elapsed: float) -> None:
        """Record that the evaluation of a candidate failed, and why."""
        if candidate.number in self._running:
            candidate.error = error
            self._end(candidate, "failed", elapsed)

    def accept(self, candidate: Candidate, elapsed: float) -> None:
        """Accept a candidate as complete with its present folds; as many are enough for all others."""
        self.n_folds = len(candidate.results)
        self._end(candidate, "whole", elapsed)

    def stop_running(self, elapsed: float) -> None:
        """Mark the running candidates as stopped: the time is over."""
        for number in list(self._running):
            self._end(self.candidates[number], "stopped", elapsed)

    def note_time(self, elapsed: float) -> None:
        """Write the elapsed seconds to disk from time to time: a resumed search has only the rest of its budget."""
        if elapsed > self._noted + _SECONDS_BETWEEN_NOTES:
            self._note(elapsed)

    def _note(self, elapsed: float) -> None:
        self._study.set_user_attr(_SPENT, elapsed)
        self._noted = elapsed

    def _set_cost(self, trial: Trial, candidate: Candidate) -> None:
        if candidate.cost is not None:
            trial.set_constraint(_EXCESS, self.limits.excess(candidate.cost))

    def _end(self, candidate: Candidate, state: str, elapsed: float) -> None:
        trial = self._running.pop(candidate.number)
        candidate.state, candidate.at = state, elapsed
        if state != "whole":
            candidate.drop_rows(self.metric)
        if state == "whole":
            self._set_cost(trial, candidate)
        trial.set_user_attr(_ABOUT, json.dumps(_to_json(candidate)))
        self._note(elapsed)
        if state == "whole":  # last, so that rows on disk mean that everything else is there: see `_restore`
            rows = {f"rows-{fold}": result.rows for fold, result in candidate.results.items()}
            with open_file(self._rows_of(candidate.number)) as stream:
                np.savez(stream, allow_pickle=False, **rows)
        value = candidate.score(self.metric) if state == "whole" else None
        states = {"whole": TrialState.COMPLETE, "dropped": TrialState.PRUNED}
        self._study.tell(trial, value, state=states.get(state, TrialState.FAIL))

    def _restore(self, trial: FrozenTrial) -> None:
        """Restore a candidate of an earlier process; one that was running is evaluated again."""
        running = trial.state == TrialState.RUNNING
        rows = _read_rows(self._rows_of(trial.number))
        if running and rows is None:
            self._study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                self._study.enqueue_trial(trial.params)
            return
        if _ABOUT not in trial.user_attrs:
            return
        about = json.loads(trial.user_attrs[_ABOUT])
        if about["state"] == "stopped" or (about["state"] == "whole" and rows is None):
            self._study.enqueue_trial(trial.params)
            return
        candidate = Candidate(trial.number, about["tables"], about["state"], error=about["error"], at=about["at"])
        candidate.cost = None if about["cost"] is None else Cost(**about["cost"])
        if candidate.state == "whole" and rows is not None:
            for fold, seconds in about["seconds"].items():
                candidate.results[int(fold)] = FoldResult(int(fold), rows[f"rows-{fold}"], seconds)
        if running:  # the process was killed before it reported to the study
            self._study.tell(trial.number, candidate.score(self.metric))
        self.candidates[trial.number] = candidate

    def _rows_of(self, number: int) -> Path:
        return self._rows / f"{number}.npz"

    def _find_same(self, tables: dict[str, Any]) -> Candidate | None:
        """Return the candidate with the same settings, or None."""

        def settings(of: dict[str, Any]) -> str:
            return json.dumps({name: table for name, table in of.items() if name != "recipe"}, sort_keys=True)

        wanted = settings(tables)
        return next((c for c in self.candidates.values() if settings(c.tables) == wanted), None)


class _NoLock(JournalFileOpenLock):
    """No lock: the lock on the folder is enough, and Optuna's would outlive a killed process."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _read_rows(path: Path) -> dict[str, NDArray[np.float32]] | None:
    """Read the rows of a candidate by name, (n_rows,) each; None if the file is missing, empty or cut off."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return dict(kept.items())
    except (OSError, EOFError, ValueError, BadZipFile):
        return None


def _drop_partial_line(journal: Path) -> None:
    """Remove an incomplete last line, left by a killed process."""
    if journal.exists():
        content = journal.read_bytes()
        if not content.endswith(b"\n"):
            write_file(journal, content[: content.rfind(b"\n") + 1])


def _to_json(candidate: Candidate) -> dict[str, Any]:
    cost = candidate.cost
    return {
        "tables": candidate.tables,
        "state": candidate.state,
        "error": candidate.error,
        "at": candidate.at,
        "cost": None if cost is None else {"size_mb": cost.size_mb, "latency_ms": cost.latency_ms},
        "seconds": {fold: result.seconds for fold, result in candidate.results.items()},
    }
