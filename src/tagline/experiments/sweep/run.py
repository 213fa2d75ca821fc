"""`run_sweep`: trials of settings, or of numbers of training rows, evaluated on the same held-out rows in parallel."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tagline.data import Dataset, ReadOptions, read_dataset
from tagline.data.streams import display_name
from tagline.engines import LOCAL, Engine
from tagline.errors import InputError, MissingExtraError
from tagline.experiments.memory import processes_for
from tagline.experiments.shared_data import save_shared_data, search_rows
from tagline.experiments.sweep.folder import (
    FORMAT,
    RESULTS,
    TRIALS,
    SweepRequest,
    check_out,
    create_folder,
    exclusive,
    load_request,
)
from tagline.experiments.sweep.grid import Variant, grid_variants, listed_variants
from tagline.experiments.sweep.learning_curve import check_sizes, choose_sizes
from tagline.experiments.sweep.progress import Progress, TimeEstimate, progress_of
from tagline.experiments.sweep.results import Results, results_of
from tagline.experiments.sweep.summary import command_for_best
from tagline.experiments.sweep.trial import Folds, Trial, TrialContext, prepare, save_folds
from tagline.experiments.sweep.trial_store import Outcome, TrialTable, read_outcomes
from tagline.learners.holdout import affordable_folds, hold_out
from tagline.metrics.units import Units
from tagline.recipes import EmbeddingModel
from tagline.run_folder import RUNS, check_parent, reserved, run_name
from tagline.runs.environment import machine
from tagline.runs.reading.data import with_absolute_paths, word_index_of
from tagline.runs.resume import absolute, is_rereadable, with_versions
from tagline.storage.atomic import remove_folder, write_json

_SEEDS_OF_CURVE = 3
_MOST_CURVES = 6
_MOST_TRIALS = 10_000


@dataclass(frozen=True)
class SweepSettings(ReadOptions):
    """The settings of a sweep; the names are those of the command line.

    ``grid`` has entries ``section.key=a,b,c``, ``tries`` combinations ``section.key=a section.key2=b``; at most one of
    them is given. ``settings`` changes all trials. ``seeds``: their number, from ``seed`` on; None: one, or three for a
    learning curve. ``sizes``: numbers of training rows; ``curve`` chooses them. ``processes``: None for as many as
    cores and memory allow. The rows of ``test`` are not used.
    """

    recipes: tuple[str | Path, ...] = ("fast",)
    settings: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()
    seed: int = 0
    seeds: int | None = None
    sizes: tuple[int, ...] = ()
    curve: bool = False
    processes: int | None = None


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: its folder, its results, the command that trains the best, and warnings about its data."""

    folder: Path
    results: Results
    command: str
    warnings: tuple[str, ...] = ()

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"


@dataclass(frozen=True)
class _Evaluation:
    """The folds that evaluate every trial, how they were chosen, and the number and the units of held-out rows."""

    folds: Folds
    how: str
    n_rows: int
    units: Units | None


def run_sweep(
    data: Any,
    settings: SweepSettings,
    *,
    out: str | Path | None = None,
    command: Sequence[str] = (),
    engine: Engine = LOCAL,
    log: Callable[[str], None] = lambda stage: None,
    progress: Callable[[Progress], None] = lambda seen: None,
) -> Sweep:
    """Run trials of settings, or of numbers of training rows, and write a folder with a table, plots and a report.

    All trials are evaluated on the same rows: the validation rows of the data, otherwise those that the first recipe
    holds out with the seed of the sweep. The seed of a trial changes initial weights and the order of rows, and for a
    learning curve the sample of training rows. Test rows are not used. Trials run in worker processes: a script must
    call this under ``if __name__ == "__main__":``.

    Args:
        data: what `load_dataset` reads.
        settings: the trials to run.
        out: the folder; by default one named by time and data below ``runs/``.
        command: the command line to record.
        engine: where trials run; their results are the same.
        log: called with the name of each stage.
        progress: called after each trial.

    Raises:
        InputError: data or settings are invalid; raised before the first trial.

    """
    variants = _variants(settings)
    target = None if out is None else Path(os.path.normpath(out))
    check_parent(target or RUNS / "sweep")
    if target is not None:
        check_out(target)
    dataset = _load(data, settings, variants, log)
    evaluation = _choose_folds(dataset, variants, settings)
    sizes = _sizes(settings, len(evaluation.folds[0][0]), len(dataset.classes), variants)
    seeds = settings.seeds or (_SEEDS_OF_CURVE if sizes else 1)
    _check_number(len(variants) * seeds * len(sizes or [0]))
    name = run_name("sweep", dataset.name, datetime.now(UTC).astimezone())
    with nullcontext(target) if target else reserved(RUNS, name) as folder:
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "name": folder.name,
            "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "command": list(command),
            **_data_content(data, settings),
            "variants": [variant.to_json() for variant in variants],
            "seeds": [settings.seed + k for k in range(seeds)],
            "sizes": sizes,
            **_dataset_content(dataset),
            "judged": {"rows": evaluation.n_rows, "how": evaluation.how},
            "machine": machine(),
        }
        request = SweepRequest(folder, variants, with_versions(FORMAT, content))
        with exclusive(folder):
            create_folder(request)
            return _run(request, dataset, evaluation, data, engine, settings.processes, log, progress)


def resume_sweep(
    folder: str | Path,
    *,
    processes: int | None = None,
    engine: Engine = LOCAL,
    log: Callable[[str], None] = lambda stage: None,
    progress: Callable[[Progress], None] = lambda seen: None,
) -> Sweep:
    """Resume a stopped sweep; finished trials are not run again.

    Raises:
        InputError: there is nothing to resume, or data or versions have changed.

    """
    place = Path(folder)
    load_request(place)
    with exclusive(place):
        request = load_request(place)  # again: another process may have held the lock
        data, settings = request.content["data"], _settings(request.content["settings"])
        dataset = _load(data, settings, request.variants, log)
        if dataset.fingerprint != request.content["dataset"]["fingerprint"]:
            raise InputError(f"`{data}` has changed since `{place}` was started: start a new sweep.")
        evaluation = _choose_folds(dataset, request.variants, settings)
        return _run(request, dataset, evaluation, data, engine, processes or settings.processes, log, progress)


def _variants(settings: SweepSettings) -> list[Variant]:
    if settings.grid and settings.tries:
        raise InputError("`--grid` and `--try` cannot be combined: list every combination with `--try`.")
    if settings.sizes and settings.curve:
        raise InputError("`--curve` chooses the sizes itself, and `--sizes` names them: give one of them.")
    if settings.tries:
        variants = listed_variants(settings.recipes, settings.settings, settings.tries)
    else:
        variants = grid_variants(settings.recipes, settings.settings, settings.grid)
    for variant in variants:
        if isinstance(variant.recipe.model, EmbeddingModel):
            _check_vectors(variant)
    return [replace(variant, recipe=with_absolute_paths(variant.recipe)) for variant in variants]


def _check_vectors(variant: Variant) -> None:
    from tagline.learners.network.word_vectors import check_start  # a slow import that n-grams do not need

    try:
        check_start(variant.recipe, unlabelled=False)
    except MissingExtraError:
        raise
    except InputError as error:
        raise InputError(f"`{variant.words}`: {error}") from None


def _check_number(n_trials: int) -> None:
    if n_trials < 2:
        raise InputError(
            "A single trial has nothing to compare with: give values with `--grid` or `--try`, several recipes or "
            "seeds, or `--curve`."
        )
    if n_trials > _MOST_TRIALS:
        raise InputError(f"That is {n_trials:,} trials, more than {_MOST_TRIALS:,}: give fewer values or seeds.")


def _load(data: Any, settings: SweepSettings, variants: Sequence[Variant], log: Callable[[str], None]) -> Dataset:
    if any(variant.recipe.training is not None for variant in variants) and not find_spec("torch"):
        raise MissingExtraError("Training a network", "neural")
    log(f"reading {display_name(data)}" if isinstance(data, str | Path) else "reading the data")
    return read_dataset(data, settings, settings.seed)


def _choose_folds(dataset: Dataset, variants: Sequence[Variant], settings: SweepSettings) -> _Evaluation:
    """Choose the rows that evaluate every trial: those that the first recipe would hold out.

    If every recipe has few n-grams, which fit quickly, these are all rows in turn, except for a learning curve.
    """
    rows, recipe = search_rows(dataset), variants[0].recipe
    once = settings.curve or settings.sizes or any(variant.recipe.training is not None for variant in variants)
    data = rows.training_data()
    n_folds = 1 if once else affordable_folds(rows.texts, data.n_outputs, thresholds=False)
    folds, how = hold_out(recipe, data, settings.seed, n_folds=n_folds)
    if not folds:
        if recipe.protocol.validation == "none":
            raise InputError(
                "`protocol.validation` is `none`, so there are no rows to evaluate on: hold out a share, as with "
                "`--set protocol.validation=0.2`, or give validation rows with `--validation`."
            )
        raise InputError(f"`{dataset.name}` has too few rows to hold some out: give more rows.")
    held = np.concatenate([held_out for _, held_out in folds])
    return _Evaluation(folds, how, len(held), Units.repeated(rows.unit[held]))


def _sizes(settings: SweepSettings, n_rows: int, n_classes: int, variants: Sequence[Variant]) -> list[int] | None:
    if not settings.curve and not settings.sizes:
        return None
    if len(variants) > _MOST_CURVES:
        raise InputError(
            f"{len(variants):,} learning curves cannot be distinguished in a plot: give at most {_MOST_CURVES} "
            "combinations."
        )
    return choose_sizes(n_rows, n_classes) if settings.curve else check_sizes(settings.sizes, n_rows)


def _data_content(data: Any, settings: SweepSettings) -> dict[str, Any]:
    """Return data and settings as JSON values, with absolute paths: a sweep can be resumed from any folder."""
    kept = is_rereadable(data, (settings.test, settings.validation))
    test, validation = (settings.test, settings.validation) if kept else (None, None)
    recipes = tuple(str(recipe) for recipe in settings.recipes)
    return {
        "data": absolute(data) if kept else None,
        "typed": str(data) if kept else "DATA",
        "settings": asdict(replace(settings, recipes=recipes, test=absolute(test), validation=absolute(validation))),
    }


def _settings(content: dict[str, Any]) -> SweepSettings:
    """Return the settings that `_data_content` wrote."""
    return SweepSettings.from_json(content)


def _dataset_content(dataset: Dataset) -> dict[str, Any]:
    return {
        "dataset": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint,
            "task": dataset.task,
            "n_classes": len(dataset.classes),
            "rows": dataset.row_counts,
        }
    }


def _run(
    request: SweepRequest,
    dataset: Dataset,
    evaluation: _Evaluation,
    data: Any,
    engine: Engine,
    processes: int | None,
    log: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> Sweep:
    """Run the missing trials, then write results and report."""
    recipes = [variant.recipe for variant in request.variants]
    try:
        save_shared_data(request.work, dataset, word_index_of(data, recipes))
        save_folds(request.work, evaluation.folds)
        with TrialTable(request.folder / TRIALS) as table:
            done = table.outcomes()
            missing = [trial for trial in _trials(request) if trial.number not in done]
            if missing:
                most = processes_for(dataset, recipes) if engine is LOCAL else engine.n_cpus
                n = min(len(missing), processes or most)
                stage = f"{len(missing):,} trials in {n} {'processes' if n > 1 else 'process'}"
                log(stage if not done else f"{stage}; {len(done):,} are done")
                _run_trials(request, missing, done, table, engine, n, progress)
        return _conclude(request, dataset, evaluation.units, log)
    except BaseException:
        if request.work.exists() and request.content["data"] is not None:
            log(f"stopped; resume with `tagline sweep --resume {request.folder}`")
        raise


def _run_trials(
    request: SweepRequest,
    missing: Sequence[Trial],
    done: dict[int, Outcome],
    table: TrialTable,
    engine: Engine,
    n_processes: int,
    progress: Callable[[Progress], None],
) -> None:
    """Run trials; each outcome is written to the table, and added to ``done``, as soon as it is known."""
    waiting, total = list(reversed(missing)), len(missing) + len(done)
    estimate = TimeEstimate(sum(trial.size or 1 for trial in missing), 2 * n_processes)
    networks = {trial.recipe.training is not None for trial in missing}
    context = TrialContext(request.work, networks=True in networks, classic=False in networks)
    with engine.workers(n_processes, prepare, context) as workers:
        while len(done) < total:
            while waiting and workers.n_idle:
                workers.submit(waiting.pop())
            for message in workers.poll(1.0):
                trial = message.task
                outcome = message.value if message.kind == "done" else Outcome("failed", error=message.value)
                variant = request.variants[trial.number % len(request.variants)]
                changes = json.dumps(variant.settings, ensure_ascii=False)
                table.add(trial.number, trial.recipe.recipe.name, changes, trial.seed, trial.size, outcome)
                done[trial.number] = outcome
                progress(progress_of(done, total, estimate.seconds_left(trial.size or 1)))


def _trials(request: SweepRequest) -> list[Trial]:
    """Return all trials: every variant with the first seed, then with the next; large sizes first."""
    pairs = [(seed, size) for seed in request.seeds for size in reversed(request.sizes or [0])]
    trials = [(variant, seed, size) for seed, size in pairs for variant in request.variants]
    return [Trial(number, v.recipe, seed, size or None) for number, (v, seed, size) in enumerate(trials)]


def _conclude(request: SweepRequest, dataset: Dataset, units: Units | None, log: Callable[[str], None]) -> Sweep:
    from tagline.experiments.sweep.report import write_sweep

    log("writing")
    trials, outcomes = _trials(request), read_outcomes(request.folder / TRIALS)
    results = results_of(request, trials, outcomes, units)
    write_sweep(request, trials, outcomes, results)
    write_json(request.folder / RESULTS, results.to_json())
    remove_folder(request.work)
    return Sweep(request.folder, results, command_for_best(request, results), tuple(dataset.facts.warnings))
