"""Fits linear SVMs of word n-grams to rows on disk, as `NgramLearner` fits those in memory to large data.

Large data has no settings to choose: word n-grams alone, and of several values of ``C`` the one nearest to 1. Held-out
rows, which the model does not learn from, calibrate it.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from tagline.decisions.novelty import Novelty
from tagline.engines import LOCAL, Engine
from tagline.errors import InputError
from tagline.features.ngrams.tokens import batches
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Vectorizer
from tagline.features.weighting import spread
from tagline.learners.base import Fitted, HeldOut, TrainingData, calibrate, check_calibration
from tagline.learners.ngram import FEW_TEXTS
from tagline.learners.progress import Report
from tagline.models.fit import fit_linear_model
from tagline.models.linear import LinearModel
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.placement import train_rows
from tagline.out_of_core.scales import column_scales
from tagline.out_of_core.spool.dataset import SpooledDataset, class_matrix
from tagline.out_of_core.train_rows import TrainRows
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.out_of_core.vocabulary.counting import count_ngrams
from tagline.recipes import NgramFeatures, NgramModel, Recipe
from tagline.storage.atomic import open_file
from tagline.task import Floats, Ints, Task


def fit_spooled(
    recipe: Recipe,
    dataset: SpooledDataset,
    budget: Budget,
    seed: int,
    *,
    balance: bool,
    report: Report,
    log: Callable[[str], None],
    engine: Engine = LOCAL,
) -> Fitted:
    """Fit a recipe to the train rows of a dataset, which must pass `check_recipe`; ``log`` is called with notes.

    The rows stay on this machine, or, with another ``engine``, are divided among shards there.

    Raises:
        InputError: there is nothing to learn from, or to calibrate on.

    """
    started = time.perf_counter()
    features, settings = recipe.features, recipe.model
    assert isinstance(features, NgramFeatures)
    assert isinstance(settings, NgramModel)
    check_calibration(recipe.protocol.calibration, dataset.learned_task)
    if not len(_usable(dataset)):
        raise InputError("No validation row has a label of the train rows, and a weight: are these the right files?")
    min_df = features.min_df
    if min_df == "auto":
        min_df = 1 if dataset.n_train < FEW_TEXTS else 2
    most_columns = budget.columns(dataset.learned_task.n_outputs(len(dataset.learned)))
    C = min(settings.candidates, key=lambda value: abs(np.log(value)))
    with train_rows(engine, dataset, features.words, budget, seed, report) as rows:
        counted = count_ngrams(rows, features.words, min_df, most_columns, budget)
        if not counted.n_columns:
            raise InputError(
                f"There is nothing to learn from: no word or sign occurs in {counted.min_df:,} of the texts."
            )
        if counted.min_df > min_df:
            log(
                f"n-grams in fewer than {counted.min_df:,} texts are left out: {counted.n_columns:,} fit into "
                "`--memory`"
            )
        rows.encode(counted)
        vectorizer = _weighted(features, dataset, counted, rows, budget)
        ready = time.perf_counter()
        model = _fit(dataset, rows, C, seed, balance=balance)
    held_out, calibrated, novelty = _on_held_out_rows(recipe, dataset, vectorizer, model)
    chosen: dict[str, Any] = {
        "words": [1, features.words],
        "min_df": counted.min_df,
        "C": C,
        **rows.chosen(),
        **calibrated.calibrator.chosen(),
        "threshold": calibrated.rule.to_json(),
        "held_out": {"rows": len(held_out.rows), "how": held_out.how},
        "tried": [],
        "learnt_from": rows.n_rows,
    }
    seconds = {"features": ready - started, "fit": time.perf_counter() - ready}
    return Fitted(
        vectorizer,
        model,
        calibrated.calibrator,
        calibrated.rule,
        chosen,
        held_out,
        seconds,
        novelty=novelty,
        calibrated_on=held_out,
    )


def _weighted(
    features: NgramFeatures, dataset: SpooledDataset, counted: CountedNgrams, rows: TrainRows, budget: Budget
) -> Vectorizer:
    """Learn the scales of the columns, and weigh the rows."""
    df = np.concatenate(counted.df)
    path = dataset.folder / "scale.npy"
    if not path.exists():  # from the counts, which are replaced by features below
        scale = column_scales(rows, df, dataset.Y, features.scale, features.floor, budget, weighted=dataset.weighted)
        with open_file(path) as file:
            np.save(file, scale)
    scale = np.load(path)
    rows.weigh(scale, features.tf, unit=features.unit)
    spreads = (spread(df, rows.n_rows),)
    return Vectorizer((counted.block(),), (scale,), features.tf, features.unit, Tokenizer(), spreads)


def _fit(dataset: SpooledDataset, rows: TrainRows, C: float, seed: int, *, balance: bool) -> LinearModel:
    codes = np.flatnonzero(dataset.known & (dataset.weights > 0))
    used = np.zeros_like(dataset.Y)
    used[codes] = dataset.Y[codes]

    def solve(problem: LinearProblem, _: Callable[[int], None]) -> LinearSolution:
        return rows.solve(problem, _code_weights(dataset, balance=balance))

    exclusive = dataset.learned_task is not Task.MULTILABEL
    X = sp.csr_matrix((len(used), rows.n_columns), dtype=np.float32)
    problem = LinearProblem(X, used, np.ones(len(used)), C, seed, exclusive)
    return fit_linear_model(solve, problem, lambda n: None)


def _code_weights(dataset: SpooledDataset, *, balance: bool) -> Floats:
    """Return what multiplies the weight of a row, by its label code, (n_codes,); see `row_weights`."""
    ones = np.ones(len(dataset.Y))
    if not balance:
        return ones
    members = dataset.weights @ dataset.Y
    of_class = members.sum() / (len(members) * np.where(members > 0, members, 1.0))
    of_code = np.where(dataset.Y, of_class, 0.0).max(axis=1) + ~dataset.Y.any(axis=1)
    total = dataset.weights[dataset.known].sum()
    return np.asarray(of_code * total / (dataset.weights * of_code)[dataset.known].sum())


def _usable(dataset: SpooledDataset) -> Ints:
    """Return which held-out rows can calibrate the model, (n,): those of classes it knows, with a weight."""
    rows = dataset.held_out
    usable = np.ones(len(rows), dtype=bool) if rows.weights is None else rows.weights > 0
    if dataset.learned_task is not Task.MULTILABEL:
        usable &= rows.labels.is_in(dataset.learned).to_numpy()
    return np.flatnonzero(usable)


def _on_held_out_rows(
    recipe: Recipe, dataset: SpooledDataset, vectorizer: Vectorizer, model: LinearModel
) -> tuple[HeldOut, Any, Novelty]:
    """Calibrate on the held-out rows; return their predictions, the calibration and their novelty."""
    numbers = _usable(dataset)
    rows = dataset.held_out.take(numbers)
    Y = class_matrix(rows.labels, dataset.learned)
    logits, covered = [], []
    for texts in batches(rows.texts):
        X, coverage = vectorizer.transform_with_coverage(texts)
        logits.append(model.logits(X))
        covered.append(coverage)
    data = TrainingData(rows.texts, Y, dataset.learned_task, sample_weights=rows.weights)
    everything = np.arange(len(rows))
    calibrated = calibrate(recipe, data, [(everything[:0], everything)], np.vstack(logits), knows_all=True)
    how = (
        "the validation rows"
        if dataset.validation is not None
        else "some of the train rows, which are not learned from"
    )
    held_out = HeldOut(numbers, Y, calibrated.proba, how, rows.unit)
    return held_out, calibrated, Novelty.of(calibrated.proba.max(axis=1), np.concatenate(covered))
