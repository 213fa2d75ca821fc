"""Continue the fit of a linear SVM of n-grams with more texts, without those that it was fitted to.

What the earlier texts said of a coefficient is its value, and a precision by how many of them the n-gram occurs in: if
the texts were kept, the second derivative of their losses would be about as large. So the coefficients of frequent
n-grams change slowly and those of rare ones quickly, and a model that saw its texts in parts is nearly as accurate as
one that saw them at once. N-grams that the earlier texts lack get columns, new classes get outputs.
"""

import time
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.calibration import Calibrator, PlattScaling, TemperatureScaling
from tagline.decisions.novelty import Novelty
from tagline.decisions.rule import DecisionRule
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer
from tagline.features.weighting import document_frequency, scale_columns, spread
from tagline.learners.base import Folds, HeldOut, TrainingData, calibrate
from tagline.learners.held_out_novelty import FinalFit, held_out_novelty
from tagline.learners.holdout import FOLDS, hold_out
from tagline.models import LinearModel
from tagline.models.linear.problem import LinearProblem, Prior
from tagline.models.linear.svm import fit_linear_svm
from tagline.recipes import NgramFeatures, Recipe
from tagline.task import Floats, Ints, Task

_CURVED = 0.2  # the share of the earlier texts whose loss has a second derivative
_CALIBRATED_ROWS = 200  # fewer new texts leave the calibration as it is
_NEW_CLASS = -1.0  # the intercept of a class that no earlier text has


@dataclass(frozen=True)
class Learned:
    """A fitted model, the number of texts that it has learned from, and what held-out rows say about it.

    ``held_out`` are their predictions, None if none of the last texts were held out; ``seconds`` is the duration of
    each stage of the last update.
    """

    vectorizer: Vectorizer
    model: LinearModel
    calibrator: Calibrator
    rule: DecisionRule
    n_texts: int
    novelty: Novelty | None
    held_out: HeldOut | None = None
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Extended:
    """The n-grams of a vectorizer and of more texts, and their counts in these, a matrix for each block.

    ``kept`` are the columns of each block, in it, that it had before; ``df`` says in how many of the earlier texts each
    column occurs, (n_columns,).
    """

    blocks: tuple[Block, ...]
    counts: list[sp.csr_matrix]
    kept: list[Ints]
    df: Floats

    @property
    def known(self) -> Ints:
        """The columns of the n-grams that the vectorizer had before, (n_columns_before,)."""
        first = np.cumsum([0, *(counted.shape[1] for counted in self.counts)])
        return np.concatenate([columns + start for columns, start in zip(self.kept, first[:-1], strict=True)])


def learn_more(
    before: Learned,
    recipe: Recipe,
    data: TrainingData,
    kept: Ints,
    *,
    C: float,
    min_df: int,
    seed: int,
    hold_out_all: bool = False,
) -> Learned:
    """Return the model that has learned from more texts.

    Args:
        before: the model.
        recipe: its recipe.
        data: the new texts; ``data.Y`` has a column for each class, also for one without a text.
        kept: the column of each class of ``before``, (n_classes_before,).
        C: the strength of the loss.
        min_df: an n-gram that occurs in so many of the new texts gets a column.
        seed: of the order of rows and of those held out.
        hold_out_all: whether to hold out all new texts in turn: a threshold that guarantees something needs many.

    """
    started = time.perf_counter()
    more = _extended(before, data, min_df)
    vectorizer = _vectorizer(before, more, recipe, data, min_df)
    counted = time.perf_counter()
    prior = _prior(before, more, data, kept, C)
    Y, weights = data.task.targets(data.Y), np.ones(len(data))
    if data.loss_weights is not None and data.sample_weights is not None:
        weights = data.loss_weights * data.sample_weights.mean()

    def fit(X: sp.csr_matrix, rows: Ints) -> LinearModel:
        exclusive = data.task is not Task.MULTILABEL
        solved = fit_linear_svm(LinearProblem(X, Y[rows], weights[rows], C, seed, exclusive, prior))
        return LinearModel.of(solved.coef, solved.intercept)

    calibrator, rule, held_out = _kept_calibrator(before, data, kept), _kept_rule(before, data, kept), None
    novelty = before.novelty
    folds: Folds = []
    if len(data) >= _CALIBRATED_ROWS:
        folds, how = hold_out(recipe, data, seed, n_folds=FOLDS if hold_out_all else 1, all_rows=hold_out_all)
    if folds:
        logits = []
        for train, held in folds:
            unseen = _vectorizer(before, more, recipe, data, min_df, train)  # no held-out row leaves a trace in scales
            model = fit(unseen.weigh(more.counts, train, np.float32), train)
            logits.append(model.logits(unseen.weigh(more.counts, held)))
        calibrated = calibrate(recipe, data, folds, np.concatenate(logits), knows_all=True)
        held = np.concatenate([held for _, held in folds])
        calibrator = calibrated.calibrator
        rule = calibrated.rule if data.task is Task.MULTILABEL else rule
        held_out = HeldOut(held, data.Y[held], calibrated.proba, how)
        final = FinalFit(more.blocks[0], more.counts[0], vectorizer.tokenizer, min_df, None, more.kept[0])
        novelty = held_out_novelty(data, folds, final, calibrated.proba)
    model = fit(vectorizer.weigh(more.counts, None, np.float32), np.arange(len(data)))
    seconds = {"features": counted - started, "fit": time.perf_counter() - counted}
    n_texts = before.n_texts + len(data)
    return Learned(vectorizer, model, calibrator, rule, n_texts, novelty, held_out, seconds)


def _extended(before: Learned, data: TrainingData, min_df: int) -> _Extended:
    """Add the n-grams of the new texts to those of the vectorizer."""
    vectorizer, texts = before.vectorizer, cast(pl.Series, data.texts)
    assert vectorizer.spreads is not None
    blocks: list[Block] = []
    counts, kept, dfs = [], [], []
    for block, spread_before in zip(vectorizer.blocks, vectorizer.spreads, strict=True):
        merged, mine = _merged(block, texts, vectorizer.tokenizer, min_df)
        counted = merged.transform(texts, vectorizer.tokenizer)
        df = np.zeros(counted.shape[1])
        df[mine] = before.n_texts * _occurrence(spread_before)
        blocks.append(merged)
        counts.append(counted)
        kept.append(mine)
        dfs.append(df)
    return _Extended(tuple(blocks), counts, kept, np.concatenate(dfs))


def _vectorizer(
    before: Learned, more: _Extended, recipe: Recipe, data: TrainingData, min_df: int, rows: Ints | None = None
) -> Vectorizer:
    """Return the vectorizer with the n-grams of ``rows``, or of all texts; the scales of those that it had stay."""
    features = recipe.features
    assert isinstance(features, NgramFeatures)
    Y = data.Y if rows is None else data.Y[rows]
    weights = data.sample_weights if rows is None or data.sample_weights is None else data.sample_weights[rows]
    scales, spreads, first = [], [], 0
    for counted, mine, scale in zip(more.counts, more.kept, before.vectorizer.scales, strict=True):
        df = document_frequency(counted, rows)
        scaled = scale_columns(counted, df, Y, features.scale, features.floor, min_df, weights, rows=rows)
        scaled[mine] = scale
        scales.append(scaled)
        spreads.append(spread(df + more.df[first : first + len(df)], before.n_texts + len(Y)))
        first += len(df)
    return replace(before.vectorizer, blocks=more.blocks, scales=tuple(scales), spreads=tuple(spreads))


def _merged(block: Block, texts: pl.Series, tokenizer: Tokenizer, min_df: int) -> tuple[Block, Ints]:
    """Return a block with the n-grams of more texts, and the columns of those that it had."""
    longest = len(block.table.keys) + 1
    if isinstance(block, WordNgrams):
        return block.merged(WordNgrams.fit(texts, tokenizer, longest, min_df)[0])[:2]
    return block.merged(CharNgrams.fit(texts, tokenizer, block.table.min_n, longest, min_df)[0])[:2]


def _occurrence(spread: NDArray[np.float16]) -> Floats:
    """Return the share of texts with each n-gram, of which ``spread`` is the standard deviation: at most a half."""
    return np.asarray((1 - np.sqrt(np.maximum(0.0, 1 - 4 * np.square(spread.astype(np.float64))))) / 2)


def _prior(before: Learned, more: _Extended, data: TrainingData, kept: Ints, C: float) -> Prior:
    """Return what the earlier texts say of the coefficients."""
    n_columns, n_outputs = len(more.df), data.task.n_outputs(data.Y.shape[1])
    coef, intercept = before.model.coef, before.model.intercept
    outputs = kept
    if coef.shape[1] == 1:  # the logit of the second of two classes
        if n_outputs == 1:
            outputs = np.zeros(1, dtype=np.int64)
        else:
            coef, intercept = np.hstack([-coef, coef]), np.concatenate([-intercept, intercept])
    all_coef = np.zeros((n_columns, n_outputs), dtype=np.float32)
    all_coef[np.ix_(more.known, outputs)] = coef
    all_intercept = np.full(n_outputs, _NEW_CLASS)
    all_intercept[outputs] = intercept
    # An entry of a row of unit length has a mean square of 1 / n.
    square = np.concatenate([np.full(c.shape[1], c.shape[0] / max(1, c.nnz)) for c in more.counts])
    curvature = 2 * C * _CURVED  # of a text, times the square of its value
    return Prior(all_coef, all_intercept, 1 + curvature * more.df * square, 1 + curvature * before.n_texts)


def _kept_calibrator(before: Learned, data: TrainingData, kept: Ints) -> Calibrator:
    """Return the calibrator of before, for the outputs of now."""
    calibrator, n_classes = before.calibrator, data.Y.shape[1]
    if n_classes == len(kept):
        return calibrator
    if isinstance(calibrator, PlattScaling):
        slopes, intercepts = (
            np.full(n_classes, np.mean(calibrator.slopes)),
            np.full(n_classes, np.mean(calibrator.intercepts)),
        )
        slopes[kept], intercepts[kept] = calibrator.slopes, calibrator.intercepts
        return PlattScaling(tuple(slopes.tolist()), tuple(intercepts.tolist()))
    if before.model.coef.shape[1] == 1 and isinstance(calibrator, TemperatureScaling):
        return TemperatureScaling(2 * calibrator.temperature)  # the softmax of -z and z is the sigmoid of 2 z
    return calibrator


def _kept_rule(before: Learned, data: TrainingData, kept: Ints) -> DecisionRule:
    """Return the decision rule of before, for the classes of now."""
    rule, n_classes = before.rule, data.Y.shape[1]
    if n_classes == len(kept):
        return rule
    if isinstance(rule.threshold, tuple):
        thresholds = np.full(n_classes, DecisionRule().threshold)
        thresholds[kept] = rule.threshold
        return DecisionRule.of(thresholds)
    return rule if data.task is Task.MULTILABEL else DecisionRule()
