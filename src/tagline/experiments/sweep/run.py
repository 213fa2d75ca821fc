"""`run_sweep`: a set of experiments on the same rows, side by side, kept one by one, and what they say."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tagline.atomic import write_json
from tagline.data import Dataset, load_dataset
from tagline.errors import InputError, MissingExtraError
from tagline.experiments.memory import processes_for
from tagline.experiments.shared_data import rows_of, save_material
from tagline.experiments.sweep.folder import (
    FORMAT,
    RESULTS,
    TRIALS,
    Asked,
    alone,
    begin,
    check_out,
    read_asked,
)
from tagline.experiments.sweep.grid import Variant, grid_variants, listed_variants
from tagline.experiments.sweep.learning_curve import check_sizes, choose_sizes
from tagline.experiments.sweep.progress import Pace, Progress, progress_of
from tagline.experiments.sweep.results import Results, results_of
from tagline.experiments.sweep.summary import command_for_best
from tagline.experiments.sweep.trial import Folds, Kit, Trial, prepare, save_folds
from tagline.experiments.sweep.trial_store import Outcome, TrialTable, read_outcomes
from tagline.experiments.workers import Workers
from tagline.learners.holdout import hold_out
from tagline.learners.ngram import is_cheap
from tagline.recipes import EmbeddingModel
from tagline.run_folder import RUNS, check_parent, reserved, run_name
from tagline.runs.data import with_absolute_paths, word_index_of
from tagline.runs.environment import machine
from tagline.runs.record import row_counts
from tagline.runs.resume import absolute, is_rereadable, with_versions

_SEEDS_OF_CURVE = 3
_MOST_CURVES = 6
_MOST_TRIALS = 10_000


@dataclass(frozen=True)
class SweepSettings:
    """The settings of a sweep; the names are those of the command line.

    ``grid`` has entries ``section.key=a,b,c``, ``tries`` combinations ``section.key=a section.key2=b``; one of them is
    given, or neither. ``settings`` changes all trials. ``seeds``: so many, from ``seed`` on; None: one, or three of a
    curve. ``sizes``: numbers of rows to learn from; ``curve`` chooses them. ``processes``: None for as many as there
    are cores and memory. ``test`` is accepted so that its rows stay out of everything.
    """

    recipes: tuple[str | Path, ...] = ("fast",)
    settings: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()
    seed: int = 0
    seeds: int | None = None
    sizes: tuple[int, ...] = ()
    curve: bool = False
    text: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None
    test: Any = None
    validation: Any = None
    strict: bool = False
    processes: int | None = None


@dataclass(frozen=True)
class Sweep:
    """A finished sweep: its folder, what came of it, the command that trains the best, warnings about its data."""

    folder: Path
    results: Results
    command: str
    warnings: tuple[str, ...] = ()

    @property
    def report(self) -> Path:
        """Return the page that shows it."""
        return self.folder / "report.html"


def run_sweep(
    data: Any,
    settings: SweepSettings,
    *,
    out: str | Path | None = None,
    command: Sequence[str] = (),
    log: Callable[[str], None] = lambda stage: None,
    progress: Callable[[Progress], None] = lambda seen: None,
) -> Sweep:
    """Try settings, or numbers of rows to learn from, and write a folder with a table, plots and a report.

    All trials are judged by the same rows: the validation rows of the data, else those that the first recipe holds out
    with the seed of the sweep; the seed of a trial moves weights and the order of rows, and of a learning curve the
    rows that are learnt from. Test rows are never looked at. Trials run in processes of their own: a script that calls
    this does so under ``if __name__ == "__main__":``.

    Args:
        data: what `load_dataset` reads.
        settings: what to try.
        out: the folder; else one named after time and data below ``runs/``.
        command: the command line to record.
        log: called with the name of each stage.
        progress: called after each trial.

    Raises:
        InputError: data or settings cannot be used, which is found before anything is tried.

    """
    variants = _variants(settings)
    wanted = None if out is None else Path(os.path.normpath(out))
    if wanted is not None:
        check_out(wanted)
    check_parent(wanted or RUNS / "sweep")
    dataset = _read(data, settings, variants, log)
    judged = _judge(dataset, variants, settings)
    sizes = _sizes(settings, len(judged.folds[0][0]), len(dataset.classes), variants)
    seeds = settings.seeds or (_SEEDS_OF_CURVE if sizes else 1)
    total = len(variants) * seeds * len(sizes or [0])
    if total < 2:
        raise InputError(
            "One trial alone tells nothing: give values to try with `--grid` or `--try`, several recipes or seeds, or "
            "`--curve`."
        )
    if total > _MOST_TRIALS:
        raise InputError(f"That is {total:,} trials, more than {_MOST_TRIALS:,}: give fewer values or seeds.")
    name = run_name("sweep", dataset.name, datetime.now(UTC).astimezone())
    with nullcontext(wanted) if wanted else reserved(RUNS, name) as folder:
        folder.mkdir(parents=True, exist_ok=True)
        kept = is_rereadable(data, (settings.test, settings.validation))
        about = {
            "name": folder.name,
            "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "command": list(command),
            "data": absolute(data) if kept else None,
            "typed": str(data) if kept else "DATA",
            "settings": _plain(settings, kept=kept),
            "variants": [variant.to_json() for variant in variants],
            "seeds": [settings.seed + k for k in range(seeds)],
            "sizes": sizes,
            "dataset": {
                "name": dataset.name,
                "fingerprint": dataset.fingerprint,
                "task": dataset.task,
                "n_classes": len(dataset.classes),
                "rows": row_counts(dataset),
            },
            "judged": {"rows": judged.n_rows, "how": judged.how},
            "machine": machine(),
        }
        asked = Asked(folder, variants, with_versions(FORMAT, about))
        with alone(folder):
            begin(asked)
            return _lead(asked, dataset, judged, data, settings.processes, log, progress)


def resume_sweep(
    folder: str | Path,
    *,
    processes: int | None = None,
    log: Callable[[str], None] = lambda stage: None,
    progress: Callable[[Progress], None] = lambda seen: None,
) -> Sweep:
    """Go on with a sweep that was stopped; trials that have ended are not made again.

    Raises:
        InputError: there is nothing to go on with, or data or versions are not what they were.

    """
    place = Path(folder)
    asked = read_asked(place)
    with alone(place):
        asked = read_asked(place)  # as the process that had the lock left it
        data, settings = asked.content["data"], _settings(asked.content["settings"])
        dataset = _read(data, settings, asked.variants, log)
        if dataset.fingerprint != asked.content["dataset"]["fingerprint"]:
            raise InputError(f"`{data}` has changed since `{place}` was begun: sweep again.")
        judged = _judge(dataset, asked.variants, settings)
        return _lead(asked, dataset, judged, data, processes or settings.processes, log, progress)


@dataclass(frozen=True)
class _Judged:
    """Which rows of the material judge, and how that came about; (rows to learn from, rows that judge) a fold."""

    folds: Folds
    how: str
    n_rows: int


def _variants(settings: SweepSettings) -> list[Variant]:
    if settings.grid and settings.tries:
        raise InputError("`--grid` and `--try` cannot be given together: list every combination with `--try`.")
    if settings.sizes and settings.curve:
        raise InputError("`--curve` chooses the sizes that `--sizes` names: give one of them.")
    if settings.tries:
        variants = listed_variants(settings.recipes, settings.settings, settings.tries)
    else:
        variants = grid_variants(settings.recipes, settings.settings, settings.grid)
    for variant in variants:
        if isinstance(variant.recipe.model, EmbeddingModel):
            _check_vectors(variant)
    return [replace(variant, recipe=with_absolute_paths(variant.recipe)) for variant in variants]


def _check_vectors(variant: Variant) -> None:
    from tagline.learners.word_vectors import check_start  # what n-grams do without takes a while to import

    try:
        check_start(variant.recipe, unlabelled=False)
    except MissingExtraError:
        raise
    except InputError as error:
        raise InputError(f"`{variant.words}`: {error}") from None


def _read(data: Any, settings: SweepSettings, variants: Sequence[Variant], log: Callable[[str], None]) -> Dataset:
    if any(variant.recipe.training is not None for variant in variants) and not find_spec("torch"):
        raise MissingExtraError("Training a network", "neural")
    log(f"reading {data}" if isinstance(data, str | Path) else "reading the data")
    return load_dataset(
        data,
        text=settings.text or None,
        label=settings.label,
        group=settings.group,
        test=settings.test,
        validation=settings.validation,
        seed=settings.seed,
        strict=settings.strict,
    )


def _judge(dataset: Dataset, variants: Sequence[Variant], settings: SweepSettings) -> _Judged:
    """Choose the rows that judge every trial: those that the first recipe would hold out.

    All rows in turn where every recipe is one of few n-grams, which fit that often cheaply; never of a learning curve.
    """
    rows, recipe = rows_of(dataset), variants[0].recipe
    once = settings.curve or settings.sizes or any(variant.recipe.training is not None for variant in variants)
    data = rows.training_data()
    folds, how = hold_out(recipe, data, settings.seed, cheap=not once and is_cheap(rows.texts, data.n_outputs))
    if not folds:
        if recipe.protocol.validation == "none":
            raise InputError(
                "`protocol.validation` is `none`, so no rows would judge the trials: give a share, as with "
                "`--set protocol.validation=0.2`, or validation rows with `--validation`."
            )
        raise InputError(f"`{dataset.name}` has too few rows to judge trials by some of them: bring more rows.")
    return _Judged(folds, how, sum(len(held) for _, held in folds))


def _sizes(settings: SweepSettings, n_rows: int, n_classes: int, variants: Sequence[Variant]) -> list[int] | None:
    if not settings.curve and not settings.sizes:
        return None
    if len(variants) > _MOST_CURVES:
        raise InputError(
            f"{len(variants):,} learning curves cannot be told apart: use at most {_MOST_CURVES} combinations."
        )
    return choose_sizes(n_rows, n_classes) if settings.curve else check_sizes(settings.sizes, n_rows)


def _plain(settings: SweepSettings, *, kept: bool) -> dict[str, Any]:
    """Return the settings as JSON knows them; paths from the root, as a sweep may be gone on with from anywhere."""
    recipes = tuple(str(recipe) for recipe in settings.recipes)
    others = (settings.test, settings.validation) if kept else (None, None)
    return asdict(replace(settings, recipes=recipes, test=absolute(others[0]), validation=absolute(others[1])))


def _settings(content: dict[str, Any]) -> SweepSettings:
    """Return the settings that `_plain` wrote."""
    read: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in content.items()}
    return SweepSettings(**read)


def _lead(
    asked: Asked,
    dataset: Dataset,
    judged: _Judged,
    data: Any,
    processes: int | None,
    log: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> Sweep:
    """Make the trials that are missing, then write what they say."""
    try:
        save_material(asked.work, dataset, word_index_of(data, [variant.recipe for variant in asked.variants]))
        save_folds(asked.work, judged.folds)
        trials = _trials(asked)
        with TrialTable(asked.folder / TRIALS) as table:
            done = table.outcomes()
            left = [trial for trial in trials if trial.number not in done]
            if left:
                n = min(len(left), processes or processes_for(dataset, [variant.recipe for variant in asked.variants]))
                said = f"{len(left):,} trials in {n} {'processes' if n > 1 else 'process'}"
                log(said if not done else f"{said}; {len(done):,} are done")
                _make(asked, trials, left, done, table, n, progress)
        return _conclude(asked, dataset, log)
    except BaseException:
        if asked.work.exists() and asked.content["data"] is not None:
            log(f"stopped; `tagline sweep --resume {asked.folder}` goes on with it")
        raise


def _make(
    asked: Asked,
    trials: Sequence[Trial],
    left: Sequence[Trial],
    done: dict[int, Outcome],
    table: TrialTable,
    n_processes: int,
    progress: Callable[[Progress], None],
) -> None:
    """Make trials, each kept as soon as it has ended."""
    waiting, pace = list(reversed(left)), Pace(sum(trial.size or 1 for trial in left), 2 * n_processes)
    variant_of = {trial.number: variant for trial, variant in zip(trials, _variant_of_each(asked), strict=True)}
    networks = {trial.recipe.training is not None for trial in left}
    kit = Kit(str(asked.work), networks=True in networks, classic=False in networks)
    with Workers(n_processes, prepare, kit) as workers:
        while len(done) < len(trials):
            while waiting and workers.n_idle:
                workers.submit(waiting.pop())
            for message in workers.poll(1.0):
                trial = message.task
                outcome = message.value if message.kind == "done" else Outcome("failed", error=message.value)
                changes = json.dumps(variant_of[trial.number].settings, ensure_ascii=False)
                table.add(trial.number, trial.recipe.recipe.name, changes, trial.seed, trial.size, outcome)
                done[trial.number] = outcome
                progress(progress_of(done, len(trials), pace.seconds_left(trial.size or 1)))


def _trials(asked: Asked) -> list[Trial]:
    """Return all trials: every variant with the first seed, then with the next; large sizes first."""
    pairs = [(seed, size) for seed in asked.seeds for size in reversed(asked.sizes or [0])]
    trials = [(variant, seed, size) for seed, size in pairs for variant in asked.variants]
    return [Trial(number, v.recipe, seed, size or None) for number, (v, seed, size) in enumerate(trials)]


def _variant_of_each(asked: Asked) -> list[Variant]:
    """Return the variant of each trial, in their order."""
    return asked.variants * (len(asked.seeds) * len(asked.sizes or [0]))


def _conclude(asked: Asked, dataset: Dataset, log: Callable[[str], None]) -> Sweep:
    from tagline.experiments.sweep.report import write_sweep

    log("writing")
    outcomes = read_outcomes(asked.folder / TRIALS)
    results = results_of(asked, _trials(asked), outcomes)
    write_sweep(asked, _trials(asked), outcomes, results)
    write_json(asked.folder / RESULTS, results.to_json())
    shutil.rmtree(asked.work)
    return Sweep(asked.folder, results, command_for_best(asked, results), tuple(dataset.facts.warnings))
