"""Continue the fit of a linear SVM of n-grams with more texts, without those that it was fitted to.

What the earlier texts said of a coefficient is its value, and a precision by how many of them the n-gram occurs in: if
the texts were kept, the second derivative of their losses would be about as large. So the coefficients of frequent
n-grams change slowly and those of rare ones quickly, and a model that saw its texts in parts is nearly as accurate as
one that saw them at once. N-grams that the earlier texts lack get columns, new classes get outputs.
"""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.calibration import Calibrator, PlattScaling, TemperatureScaling
from tagline.decisions.rule import DecisionRule
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer
from tagline.features.weighting import document_frequency, scale_columns, spread
from tagline.learners.base import HeldOut, TrainingData, calibrate
from tagline.learners.holdout import hold_out
from tagline.models import LinearModel
from tagline.models.linear_problem import LinearProblem, Prior
from tagline.models.linear_svm import fit_linear_svm
from tagline.recipes import NgramFeatures, Recipe
from tagline.task import Floats, Ints, Task

_CURVED = 0.2  # the share of the earlier texts whose loss has a second derivative
_CALIBRATED_ROWS = 200  # fewer new texts leave the calibration as it is
_NEW_CLASS = -1.0  # the intercept of a class that no earlier text has


@dataclass(frozen=True)
class Learned:
    """A fitted model, ``n_texts``: the number of texts that it has learned from, and predictions of held-out rows."""

    vectorizer: Vectorizer
    model: LinearModel
    calibrator: Calibrator
    rule: DecisionRule
    n_texts: int
    held_out: HeldOut | None = None


@dataclass(frozen=True)
class _Extended:
    """A vectorizer with the n-grams of more texts, and their counts in these, a matrix for each block.

    ``known`` are its columns of each n-gram that it had before, (n_columns_before,); ``df`` says in how many of the
    earlier texts each column occurs, (n_columns,).
    """

    vectorizer: Vectorizer
    counts: list[sp.csr_matrix]
    known: Ints
    df: Floats


def learn_more(
    before: Learned, recipe: Recipe, data: TrainingData, kept: Ints, *, C: float, min_df: int, seed: int
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

    """
    more = _extended(before, recipe, data, min_df)
    prior = _prior(before, more, data, kept, C)
    X = more.vectorizer.weigh(more.counts, None, np.float32)
    Y, weights = data.task.targets(data.Y), np.ones(len(data))
    if data.loss_weights is not None and data.sample_weights is not None:
        weights = data.loss_weights * data.sample_weights.mean()

    def fit(rows: Ints) -> LinearModel:
        exclusive = data.task is not Task.MULTILABEL
        solved = fit_linear_svm(LinearProblem(X[rows], Y[rows], weights[rows], C, seed, exclusive, prior))
        return LinearModel.of(solved.coef, solved.intercept)

    calibrator, rule, held_out = _kept_calibrator(before, data, kept), _kept_rule(before, data, kept), None
    folds, how = hold_out(recipe, data, seed, n_folds=1) if len(data) >= _CALIBRATED_ROWS else ([], "")
    if folds:
        train, held = folds[0]
        calibrated = calibrate(recipe, data, folds, fit(train).logits(X[held].astype(np.float64)), knows_all=True)
        calibrator = calibrated.calibrator
        rule = calibrated.rule if data.task is Task.MULTILABEL else rule
        held_out = HeldOut(held, data.Y[held], calibrated.proba, how)
    return Learned(more.vectorizer, fit(np.arange(len(data))), calibrator, rule, before.n_texts + len(data), held_out)


def _extended(before: Learned, recipe: Recipe, data: TrainingData, min_df: int) -> _Extended:
    """Add the n-grams of the new texts to the vectorizer; the scales of those that it had stay."""
    vectorizer, features, texts = before.vectorizer, recipe.features, cast(pl.Series, data.texts)
    assert isinstance(features, NgramFeatures)
    assert vectorizer.spreads is not None
    blocks: list[Block] = []
    counts, scales, spreads, known, dfs, offset = [], [], [], [], [], 0
    for block, scale, spread_before in zip(vectorizer.blocks, vectorizer.scales, vectorizer.spreads, strict=True):
        merged, mine = _merged(block, texts, vectorizer.tokenizer, min_df)
        counted = merged.transform(texts, vectorizer.tokenizer)
        df = document_frequency(counted)
        scaled = scale_columns(counted, df, data.Y, features.scale, features.floor, 1, data.sample_weights)
        scaled[mine] = scale
        df_before = np.zeros(len(df))
        df_before[mine] = before.n_texts * _occurrence(spread_before)
        blocks.append(merged)
        counts.append(counted)
        scales.append(scaled)
        spreads.append(spread(df + df_before, before.n_texts + len(data)))
        known.append(mine + offset)
        dfs.append(df_before)
        offset += len(df)
    extended = replace(vectorizer, blocks=tuple(blocks), scales=tuple(scales), spreads=tuple(spreads))
    return _Extended(extended, counts, np.concatenate(known), np.concatenate(dfs))


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
    n_columns, n_outputs = more.vectorizer.n_columns, data.task.n_outputs(data.Y.shape[1])
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
