"""Recipes of n-grams: count, choose settings on held-out rows, calibrate, learn from all rows.

Nothing here looks at a test row or at the clock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.calibration import Calibrator, uncalibrated
from tagline.decisions.rule import DecisionRule
from tagline.decisions.thresholds import PER_LABEL
from tagline.errors import InputError
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.sequences import Sequences
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer, unspaced_share
from tagline.features.weighting import document_frequency, scale_columns, spread
from tagline.learners.base import (
    FitOptions,
    Fitted,
    Folds,
    HeldOut,
    TrainingData,
    calibrate,
    check_calibration,
    describe_held_out,
    rows_left_out,
)
from tagline.learners.held_out_novelty import FinalFit, held_out_novelty
from tagline.learners.holdout import affordable_folds, hold_out
from tagline.learners.progress import Steps
from tagline.models import HyperParameters, Model, fit_model
from tagline.models.linear import LINEAR_MODELS
from tagline.parallel import in_threads
from tagline.recipes import NgramFeatures, NgramModel, Recipe
from tagline.task import Floats, Ints, Task

# With these the shape of the data decides, see the functions that use them; measured by `benchmarks/dev_sets.py`.
_FEW_TEXTS = 1_000  # below, an n-gram of a single text counts
_LARGE_BYTES = 25_000_000  # above, words alone suffice
_TRIED_BYTES = 20_000_000  # bytes times outputs; above, the first setting is used: another moves accuracy little
_CHARACTERS = (2, 5)
_MOST_OUTPUTS = 3_000  # of a linear model: time grows with their square, and these take two minutes
_MANY_OUTPUTS = 500  # above, words alone: the coefficients grow with outputs times n-grams
_COEFFICIENT_BYTES = 4e9  # the memory that they may need during the fit


class NgramLearner:
    """Fits linear models, naive Bayes and trees to word and character n-grams."""

    def fit(self, recipe: Recipe, data: TrainingData, options: FitOptions) -> Fitted:
        """Fit a recipe of n-grams; see `Learner`."""
        started = time.perf_counter()
        texts = data.texts
        if isinstance(texts, Sequences):
            raise InputError(
                f"`{recipe.recipe.name}` learns from texts, not from ids: take a network, for example `multihot-dense`."
            )
        check_calibration(recipe.protocol.calibration, data.task)
        fit = _prepare(recipe, data, texts, options)
        counted = time.perf_counter()
        folds, how = options.folds, "the rows named"
        if folds is None:
            by_label = data.task is Task.MULTILABEL and recipe.protocol.thresholds == PER_LABEL
            n_folds = affordable_folds(texts, data.n_outputs, thresholds=by_label or options.hold_out_all)
            folds, how = hold_out(recipe, data, options.seed, n_folds=n_folds, all_rows=options.hold_out_all)
        fit = replace(fit, steps=Steps(options.progress, fit.n_labels * fit.n_fits(folds)))
        chosen = _choose(fit, folds)
        learned_rows = None if (options.final and recipe.protocol.refit == "all") or not folds else folds[0][0]
        outcome = _learn(fit, folds, chosen, learned_rows, final=options.final)
        calibration = _calibrate(recipe, fit, folds, outcome.logits, how)
        settings: dict[str, Any] = {
            **_lengths(outcome.vectorizer),
            "min_df": fit.min_df,
            **({} if fit.settings.tuned is None else {fit.settings.tuned: chosen.candidate.value}),
            **calibration.calibrator.chosen(),
            "threshold": calibration.rule.to_json(),
            "held_out": describe_held_out(data.Y, folds, how) if folds else None,
            "tried": chosen.tried,
            "learnt_from": len(data) if learned_rows is None else len(learned_rows),
        }
        b = chosen.candidate.blocks[0]  # words, if they are used
        fitted_on = FinalFit(fit.blocks[b], fit.counts[b], fit.tokenizer, fit.min_df, learned_rows)
        all_held_out = calibration.calibrated_on
        proba = all_held_out.proba if options.final and all_held_out is not None else None
        novelty = held_out_novelty(data, folds, fitted_on, proba)
        seconds = {"features": counted - started, "fit": time.perf_counter() - counted}
        return Fitted(
            outcome.vectorizer,
            outcome.model,
            calibration.calibrator,
            calibration.rule,
            settings,
            calibration.held_out,
            seconds,
            novelty=novelty,
            calibrated_on=all_held_out,
        )


@dataclass(frozen=True)
class _Candidate:
    """Settings that are chosen on held-out rows.

    ``blocks`` are those of the counted blocks to use, ``value`` is that of the hyper-parameter ``NgramModel.tuned``,
    None if there is none.
    """

    blocks: tuple[int, ...]
    value: float | None


@dataclass(frozen=True)
class _Chosen:
    """The settings chosen, the held-out logits they gave if these are known, and the names of what was tried."""

    candidate: _Candidate
    logits: Floats | None
    tried: list[str]


@dataclass(frozen=True)
class _Outcome:
    """Fitted vectorizer and model, and the held-out logits, (n_held_out, n_outputs), of all folds in order."""

    vectorizer: Vectorizer
    model: Model
    logits: Floats | None


@dataclass(frozen=True)
class _Calibrated:
    """Calibrator, decision rule and held-out predictions, fitted on the held-out logits; see `Fitted`."""

    calibrator: Calibrator
    rule: DecisionRule
    held_out: HeldOut | None
    calibrated_on: HeldOut | None = None


@dataclass(frozen=True, eq=False)
class _Fit:
    """One fit of a recipe: what its steps share."""

    features: NgramFeatures
    tokenizer: Tokenizer
    settings: NgramModel
    data: TrainingData
    seed: int
    min_df: int
    tries: bool  # whether the data is small enough to choose settings
    blocks: list[Block]
    counts: list[sp.csr_matrix]  # of all texts, a matrix for each block
    steps: Steps = field(default_factory=lambda: Steps(None))

    @property
    def n_labels(self) -> int:
        """The number of outputs that are fitted one by one: those of label sets. liblinear fits classes in one call."""
        return self.data.n_outputs if self.data.task is Task.MULTILABEL else 1

    @property
    def rivals(self) -> list[_Candidate]:
        """The candidates besides all blocks with the first value of the hyper-parameter: fewer blocks."""
        if self.features.characters != "auto" or len(self.blocks) < 2:
            return []
        return [_Candidate((0,), self.values[0] if self.values else None)]

    @property
    def values(self) -> list[float]:
        """The values of the hyper-parameter, the first one that is tried first."""
        return _nearest_first(self.settings.candidates)

    def n_fits(self, folds: Folds) -> int:
        """Return the number of fits: of each candidate in each fold, and the final one."""
        n_candidates = 1 + len(self.rivals) + len(self.values[1:]) if self.tries else 1
        return n_candidates * len(folds) + 1

    def learn(
        self, rows: Ints | None, candidate: _Candidate, stage: str = "training on all rows"
    ) -> tuple[Vectorizer, Model]:
        """Learn scales and model from some rows, or all; ``stage`` names this for the progress."""
        self.steps.begin(stage)

        def label_fitted(n: int) -> None:
            self.steps.end(f"{stage}, label {n} of {self.n_labels}")

        data = self.data
        counts = [self.counts[b] for b in candidate.blocks]
        Y = data.Y if rows is None else data.Y[rows]
        weights = data.sample_weights if rows is None or data.sample_weights is None else data.sample_weights[rows]
        features, model = self.features, self.settings
        tuned = {} if model.tuned is None or candidate.value is None else {model.tuned: candidate.value}
        scales = tuple(
            scale_columns(c, Y, features.scale, features.floor, self.min_df, weights, rows=rows) for c in counts
        )
        spreads = tuple(spread(document_frequency(c, rows), len(Y)) for c in counts)
        blocks = tuple(self.blocks[b] for b in candidate.blocks)
        vectorizer = Vectorizer(blocks, scales, features.tf, features.unit, self.tokenizer, spreads)
        fitted = fit_model(
            model.kind,
            vectorizer.weigh(counts, rows, np.float32),
            Y,
            self._model_weights(rows),
            HyperParameters(**tuned, max_depth=model.max_depth, n_trees=model.n_trees),
            task=data.task,
            seed=self.seed,
            label_fitted=label_fitted,
        )
        if data.task is not Task.MULTILABEL:
            self.steps.end(stage)
        return vectorizer, fitted

    def _model_weights(self, rows: Ints | None) -> Floats:
        """Return what multiplies the loss of each row: a row of sample weight 2 is worth two."""
        data = self.data
        if data.loss_weights is None or data.sample_weights is None:
            return np.ones(len(data) if rows is None else len(rows))
        weights: Floats = data.loss_weights * data.sample_weights.mean()  # loss weights have a mean of 1
        return weights if rows is None else weights[rows]

    def logits(self, vectorizer: Vectorizer, model: Model, rows: Ints, candidate: _Candidate) -> Floats:
        """Return the logits of some rows, (n_rows, n_outputs)."""
        return model.logits(vectorizer.weigh([self.counts[b] for b in candidate.blocks], rows))

    def held_out_logits(self, folds: Folds, candidate: _Candidate, stage: str = "training") -> Floats:
        """Return the logits of the held-out rows of all folds, one fold after the other."""

        def one(numbered: tuple[int, tuple[Ints, Ints]]) -> Floats:
            number, (train, held) = numbered
            of_fold = f"{stage}, fold {number} of {len(folds)}" if len(folds) > 1 else f"{stage} without held-out rows"
            return self.logits(*self.learn(train, candidate, of_fold), held, candidate)

        return np.vstack(in_threads(one, enumerate(folds, 1)))


def _prepare(recipe: Recipe, data: TrainingData, texts: pl.Series, options: FitOptions) -> _Fit:
    """Count the n-grams of all texts.

    Raises:
        InputError: there are too many classes for the model, or nothing to learn from.

    """
    features, settings = recipe.features, recipe.model
    assert isinstance(features, NgramFeatures)
    tokenizer = options.tokenizer
    assert isinstance(settings, NgramModel)
    n_outputs = data.n_outputs
    if n_outputs > _MOST_OUTPUTS and settings.kind in LINEAR_MODELS:
        raise InputError(
            f"`{recipe.recipe.name}` learns up to {_MOST_OUTPUTS:,} classes, and there are {n_outputs:,}: "
            "is it the right label column? The recipe `complement-nb` takes more."
        )
    n_bytes = int(texts.str.len_bytes().sum())
    large = n_bytes > _LARGE_BYTES or n_outputs > _MANY_OUTPUTS
    min_df = features.min_df
    if min_df == "auto":
        min_df = 1 if len(texts) < _FEW_TEXTS else 2
    blocks, counts = _count_blocks(features, tokenizer, texts, min_df, options, large=large)
    if not any(c.nnz for c in counts):
        where = "the texts" if min_df == 1 else f"{min_df:,} of the texts, as `features.min_df` requires"
        raise InputError(f"There is nothing to learn from: no word or sign occurs in {where}.")
    n_columns = sum(c.shape[1] for c in counts)
    needed = 8 * n_outputs * n_columns
    if needed > _COEFFICIENT_BYTES:
        raise InputError(
            f"{data.Y.shape[1]:,} classes times {n_columns:,} n-grams are too many to learn: they would take "
            f"{needed / 1e9:,.0f} GB of memory. Is it the right label column? Merge rare ones, or use fewer n-grams: "
            "`--set features.words=1` or a higher `features.min_df`."
        )
    tries = not large and n_bytes * n_outputs <= _TRIED_BYTES
    return _Fit(features, tokenizer, settings, data, options.seed, min_df, tries, blocks, counts)


def _count_blocks(
    features: NgramFeatures,
    tokenizer: Tokenizer,
    texts: pl.Series,
    min_df: int,
    options: FitOptions,
    *,
    large: bool,
) -> tuple[list[Block], list[sp.csr_matrix]]:
    """Count the n-grams of a recipe; optional character n-grams are left out where they cannot help.

    They cannot in scripts written without spaces, where word n-grams are character n-grams, nor in large data.
    """
    counted: list[tuple[Block, sp.csr_matrix]] = []
    spaced = True
    cache, steps = options.feature_cache, Steps(options.progress)

    def add(key: dict[str, Any], count: Callable[[], tuple[Block, sp.csr_matrix]]) -> Block:
        steps.begin(f"counting {'word' if 'words' in key else 'character'} n-grams")
        counted.append(count() if cache is None else cache.counted(key | {"min_df": min_df}, tokenizer, count))
        return counted[-1][0]

    if features.words:
        words = add({"words": features.words}, lambda: WordNgrams.fit(texts, tokenizer, features.words, min_df))
        spaced = isinstance(words, WordNgrams) and unspaced_share(words.vocabulary) < 0.5
    lengths = features.characters
    if lengths == "auto":
        lengths = _CHARACTERS if spaced and not large else "none"
    if lengths != "none":
        shortest, longest = lengths
        add({"characters": [shortest, longest]}, lambda: CharNgrams.fit(texts, tokenizer, shortest, longest, min_df))
    return [block for block, _ in counted], [counts for _, counts in counted]


def _choose(fit: _Fit, folds: Folds) -> _Chosen:
    """Choose the settings on the held-out rows.

    First the blocks, then ``C`` or ``alpha``. A setting is replaced only by one that is better by more than the
    standard error of the difference over the held-out rows.
    """
    model = fit.settings
    first, others = fit.values[0] if fit.values else None, fit.values[1:]
    everything = tuple(range(len(fit.blocks)))
    chosen, logits = _Candidate(everything, first), None
    tried: list[str] = []
    if not fit.tries or not folds:
        return _Chosen(chosen, logits, tried)
    held = np.concatenate([rows for _, rows in folds])
    Y, weights, task = fit.data.Y[held], fit.data.weights_of(held), fit.data.task
    weights = weights * ~rows_left_out(fit.data.Y, folds)
    if not weights.any():
        return _Chosen(chosen, logits, tried)
    for setting in ("characters", model.tuned):
        candidates = fit.rivals if setting == "characters" else [_Candidate(chosen.blocks, value) for value in others]
        if not candidates or setting is None:
            continue
        tried.append(setting)
        n = len(candidates) + 1
        name = "character n-grams" if setting == "characters" else setting
        if logits is None:
            logits = fit.held_out_logits(folds, chosen, f"choosing {name}, 1 of {n}")
        reference, gain = task.row_scores(logits, Y), 0.0
        for number, candidate in enumerate(candidates, 2):
            rival = fit.held_out_logits(folds, candidate, f"choosing {name}, {number} of {n}")
            mean, noise = _mean_and_error(task.row_scores(rival, Y) - reference, weights)
            if mean > max(gain, noise):
                chosen, logits, gain = candidate, rival, mean
    return _Chosen(chosen, logits, tried)


def _mean_and_error(differences: Floats, weights: Floats) -> tuple[float, float]:
    """Return the mean of weighted rows, (n,), and its standard error; a row of weight 2 counts as two."""
    mean = np.average(differences, weights=weights)
    variance = np.average(np.square(differences - mean), weights=weights)
    return float(mean), float(np.sqrt(variance)) / float(np.sqrt(weights.sum()))


def _learn(fit: _Fit, folds: Folds, chosen: _Chosen, learned_rows: Ints | None, *, final: bool) -> _Outcome:
    """Learn from ``learned_rows``, or all, with the settings chosen, and compute the held-out logits."""
    candidate, logits = chosen.candidate, chosen.logits
    if not folds or logits is not None:
        return _Outcome(*fit.learn(learned_rows, candidate), logits)
    if not final and len(folds) == 1:  # the final model also predicts the held-out rows
        vectorizer, model = fit.learn(learned_rows, candidate)
        return _Outcome(vectorizer, model, fit.logits(vectorizer, model, folds[0][1], candidate))
    # No setting was chosen, so the two fits are independent.
    jobs: list[Callable[[], Any]] = [
        lambda: fit.held_out_logits(folds, candidate),
        lambda: fit.learn(learned_rows, candidate),
    ]
    # Several outputs keep all cores busy by themselves.
    logits, (vectorizer, model) = in_threads(_call, jobs) if fit.data.n_outputs == 1 else [job() for job in jobs]
    return _Outcome(vectorizer, model, logits)


def _call(job: Callable[[], Any]) -> Any:
    return job()


def _calibrate(recipe: Recipe, fit: _Fit, folds: Folds, logits: Floats | None, how: str) -> _Calibrated:
    """Calibrate on the held-out rows; report only the validation rows among them if some were given."""
    if logits is None:
        return _Calibrated(uncalibrated(), DecisionRule(), None)
    data = fit.data
    held = np.concatenate([rows for _, rows in folds])
    calibrated = calibrate(recipe, data, folds, logits)
    every = shown = HeldOut(held, data.Y[held], calibrated.proba, how)
    if data.n_validation:
        given = held >= len(data) - data.n_validation
        shown = HeldOut(held[given], every.Y[given], every.proba[given], how)
    return _Calibrated(calibrated.calibrator, calibrated.rule, shown, every)


def _lengths(vectorizer: Vectorizer) -> dict[str, list[int]]:
    """Return the shortest and the longest n-gram of each block that is used."""
    return {block.of: [block.table.min_n, len(block.table.keys) + 1] for block in vectorizer.blocks}


def _nearest_first(values: Sequence[float]) -> list[float]:
    """Return the values of a hyper-parameter, the one nearest to 1 first: it stays unless another is better."""
    return sorted(values, key=lambda value: abs(np.log(value)))
