"""A search: what is tried next, what was heard of it, and all of it on disk, so that it can be gone on with.

Optuna draws the recipes and keeps them in a journal; beside it lie the rows of those that were judged, as NumPy arrays.
"""

import json
import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tagline.atomic import open_file
from tagline.errors import MissingExtraError, RecipeError
from tagline.experiments.tune.candidates import ENDS, Candidate, Limits, falls_behind, ranked
from tagline.experiments.tune.folder import ROWS
from tagline.experiments.tune.objective import Metric
from tagline.experiments.tune.scoring import Cost, Part
from tagline.experiments.tune.search_space import Shape, first_tried, suggest
from tagline.recipes import make_recipe

try:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    from optuna.trial import FrozenTrial, Trial, TrialState
except ImportError:
    raise MissingExtraError("`tagline tune`", "search") from None

_NAME = "tune"
_ABOUT, _EXCESS, _SPENT = "about", "beyond the limits", "spent"
_NOTED_EVERY = 2.0  # seconds


class Study:
    """The candidates of a search and what draws them.

    ``n_first``: how many parts a candidate is judged on before it counts as whole; it is lowered where fits turn out to
    be slow.
    """

    def __init__(
        self, folder: Path, metric: Metric, limits: Limits, shape: Shape, families: list[str], n_first: int, seed: int
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.metric, self.limits, self.n_first = metric, limits, n_first
        self.candidates: dict[int, Candidate] = {}
        self._shape, self.families = shape, families
        self._rows = folder / ROWS
        self._rows.mkdir(parents=True, exist_ok=True)
        self._running: dict[int, Trial] = {}
        self._noted = 0.0
        journal = (folder / "journal.log").absolute()
        _end_lines(journal)
        storage = JournalStorage(JournalFileBackend(str(journal), lock_obj=_Alone(str(journal))))
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
        old = self._study.get_trials(deepcopy=False)
        if not old:
            for values in first_tried(shape, families):
                self._study.enqueue_trial(values)
        for trial in old:
            self._take_up(trial)
        judged = [len(c.parts) for c in self.candidates.values() if c.state == "whole"]
        if judged:
            self.n_first = min(judged)

    @property
    def spent(self) -> float:
        """How many seconds the search had taken when it was last written down."""
        return float(self._study.user_attrs.get(_SPENT, 0.0))

    @property
    def n_judged(self) -> int:
        """How many candidates have been judged on a part at least."""
        return sum(bool(candidate.parts) for candidate in self.candidates.values())

    @property
    def n_tried(self) -> int:
        """How many candidates came to an end of their own, whichever."""
        return sum(candidate.state in ENDS for candidate in self.candidates.values())

    @property
    def order(self) -> list[Candidate]:
        """Those that are whole and within the limits, the best first."""
        return ranked(list(self.candidates.values()), self.metric, self.limits, self.n_first)

    @property
    def best(self) -> Candidate | None:
        """The best candidate that is whole."""
        return next(iter(self.order), None)

    def ask(self) -> Candidate:
        """Return what to try next; a recipe that fits not together is left out, and one that was tried is not again."""
        while True:
            trial = self._study.ask()
            tables = suggest(trial, self._shape, self.families)
            try:
                make_recipe(tables, "tried")
            except RecipeError:
                self._study.tell(trial, state=TrialState.FAIL)
                continue
            known = self._like(tables)
            if known is not None and known.state != "running":
                # Tell the sampler again what it seems not to believe, so that it draws something else.
                if known.state == "whole":
                    self._set_cost(trial, known)
                    self._study.tell(trial, known.score(self.metric))
                else:
                    self._study.tell(trial, state=TrialState.PRUNED)
                continue
            candidate = Candidate(trial.number, tables)
            self.candidates[trial.number], self._running[trial.number] = candidate, trial
            return candidate

    def heard(self, candidate: Candidate, part: Part, spent: float) -> bool:
        """Take what a candidate is worth on a part, and say whether it is to go on."""
        candidate.parts[part.part] = part
        candidate.cost = candidate.cost or part.cost
        trial = self._running.get(candidate.number)
        if trial is None:  # a finalist, judged once more
            return True
        score = candidate.score(self.metric)
        trial.report(score, len(candidate.parts) - 1)
        best = self.best
        if len(candidate.parts) >= self.n_first:
            self._end(candidate, "whole", spent)
            return False
        if best is not None and falls_behind(candidate, best, self.metric):
            self._end(candidate, "dropped", spent)
            return False
        return True

    def failed(self, candidate: Candidate, error: str, spent: float) -> None:
        """Note that a candidate could not be judged, and why."""
        if candidate.number in self._running:
            candidate.error = error
            self._end(candidate, "failed", spent)

    def enough(self, candidate: Candidate, spent: float) -> None:
        """Take a candidate as whole with the parts that it has been judged on, and so all others."""
        self.n_first = len(candidate.parts)
        self._end(candidate, "whole", spent)

    def give_up_running(self, spent: float) -> None:
        """Let go of what is still being judged: the time is over."""
        for number in list(self._running):
            self._end(self.candidates[number], "stopped", spent)

    def passed(self, spent: float) -> None:
        """Note how many seconds the search has taken: one that goes on after a kill has no more than what is left."""
        if spent > self._noted + _NOTED_EVERY:
            self._note(spent)

    def _note(self, spent: float) -> None:
        self._study.set_user_attr(_SPENT, spent)
        self._noted = spent

    def _set_cost(self, trial: Trial, candidate: Candidate) -> None:
        if candidate.cost is not None:
            trial.set_constraint(_EXCESS, self.limits.excess(candidate.cost))

    def _end(self, candidate: Candidate, state: str, spent: float) -> None:
        trial = self._running.pop(candidate.number)
        candidate.state, candidate.at = state, spent
        if state != "whole":
            candidate.forget_rows(self.metric)
        if state == "whole":
            self._set_cost(trial, candidate)
        trial.set_user_attr(_ABOUT, json.dumps(_about(candidate)))
        self._note(spent)
        if state == "whole":  # last of all, so that where its rows are nothing is missing: see `_take_up`
            rows = {f"rows-{part}": candidate.parts[part].rows for part in candidate.parts}
            with open_file(self._rows_of(candidate.number)) as stream:
                np.savez(stream, allow_pickle=False, **rows)
        value = candidate.score(self.metric) if state == "whole" else None
        states = {"whole": TrialState.COMPLETE, "dropped": TrialState.PRUNED}
        self._study.tell(trial, value, state=states.get(state, TrialState.FAIL))

    def _take_up(self, trial: FrozenTrial) -> None:
        """Take a candidate of an earlier process; one that was being judged is as if it had never been asked for."""
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
            for part, seconds in about["seconds"].items():
                candidate.parts[int(part)] = Part(int(part), rows[f"rows-{part}"], seconds)
        if running:  # the process ended before it could say so
            self._study.tell(trial.number, candidate.score(self.metric))
        self.candidates[trial.number] = candidate

    def _rows_of(self, number: int) -> Path:
        return self._rows / f"{number}.npz"

    def _like(self, tables: dict[str, Any]) -> Candidate | None:
        """Return the candidate with these settings, if there is one."""

        def settings(of: dict[str, Any]) -> str:
            return json.dumps({name: table for name, table in of.items() if name != "recipe"}, sort_keys=True)

        wanted = settings(tables)
        return next((c for c in self.candidates.values() if settings(c.tables) == wanted), None)


class _Alone(JournalFileOpenLock):
    """No lock: the one on the folder keeps others out, and Optuna's would outlive a process that is killed."""

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


def _end_lines(journal: Path) -> None:
    """Cut off a line that a process which was killed did not end."""
    if journal.exists():
        content = journal.read_bytes()
        if not content.endswith(b"\n"):
            journal.write_bytes(content[: content.rfind(b"\n") + 1])


def _about(candidate: Candidate) -> dict[str, Any]:
    cost = candidate.cost
    return {
        "tables": candidate.tables,
        "state": candidate.state,
        "error": candidate.error,
        "at": candidate.at,
        "cost": None if cost is None else {"size_mb": cost.size_mb, "latency_ms": cost.latency_ms},
        "seconds": {part: candidate.parts[part].seconds for part in candidate.parts},
    }
