"""Very many classes: a label tree on words and their n-grams, in place of a linear model for each class.

Its temperatures are fitted on held-out rows with a tree that has not seen them; the final tree learns from all rows.
Features are weighted by TF-IDF alone: naive Bayes ratios need a pass over the vocabulary for each class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from tagline.calibration import uncalibrated
from tagline.decisions.rule import DecisionRule
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer, lengths_of
from tagline.features.weighting import Scale, document_frequency, scale_columns, spread
from tagline.learners.base import FitOptions, Fitted, HeldOut, TrainingData, describe_held_out
from tagline.learners.held_out_novelty import FinalFit, held_out_novelty
from tagline.learners.holdout import hold_out
from tagline.learners.progress import Steps
from tagline.models.label_tree import LabelTree, calibrated, fit_label_tree
from tagline.recipes import NgramFeatures, NgramModel, Recipe
from tagline.task import Floats, Ints


@dataclass(frozen=True, eq=False)
class TreeFit:
    """What the fits of a recipe share; ``counts`` are those of all texts, a matrix for each block of n-grams."""

    recipe: Recipe
    data: TrainingData
    tokenizer: Tokenizer
    min_df: int
    blocks: list[Block]
    counts: list[sp.csr_matrix]
    steps: Steps
    seed: int

    @property
    def inverse_regularisation(self) -> float:
        """``C`` of the recipe, or 1 if it is to be chosen: too few rows of each class are held out to try several."""
        settings = self.recipe.model
        assert isinstance(settings, NgramModel)
        return min(settings.candidates, key=lambda value: abs(np.log(value)))

    def vectorizer(self, rows: Ints | None) -> Vectorizer:
        """Learn the scales of the columns from some rows, or all."""
        features, data = self.recipe.features, self.data
        assert isinstance(features, NgramFeatures)
        n = len(data) if rows is None else len(rows)
        weights = data.sample_weights if rows is None or data.sample_weights is None else data.sample_weights[rows]
        scale: Scale = "none" if features.scale == "none" else "idf"
        no_classes = np.empty((n, 0), dtype=bool)
        scales, spreads = [], []
        for counts in self.counts:
            df = document_frequency(counts, rows)
            scales.append(scale_columns(counts, df, no_classes, scale, features.floor, self.min_df, weights, rows=rows))
            spreads.append(spread(df, n))
        return Vectorizer(tuple(self.blocks), tuple(scales), features.tf, features.unit, self.tokenizer, tuple(spreads))

    def learn(self, rows: Ints | None, stage: str) -> tuple[Vectorizer, LabelTree]:
        """Learn scales and a tree from some rows, or all."""
        self.steps.begin(stage)
        vectorizer = self.vectorizer(rows)
        X = vectorizer.weigh(self.counts, rows, np.float32)
        classes, n_classes = self.classes(rows), self.data.class_matrix.shape[1]
        tree = fit_label_tree(
            X,
            classes,
            n_classes,
            self.loss_weights(rows),
            self.inverse_regularisation,
            self.seed,
            lambda: self.steps.end(stage),
        )
        return vectorizer, tree

    def classes(self, rows: Ints | None) -> Ints:
        """Return the class of some rows, or of all, (n_rows,)."""
        classes = self.data.class_matrix.argmax(axis=1)
        return classes if rows is None else classes[rows]

    def loss_weights(self, rows: Ints | None) -> Floats:
        """Return what multiplies the loss of each row, (n_rows,)."""
        data = self.data
        if data.loss_weights is None or data.sample_weights is None:
            return np.ones(len(data) if rows is None else len(rows))
        weights: Floats = data.loss_weights * data.sample_weights.mean()  # loss weights have a mean of 1
        return weights if rows is None else weights[rows]


def fit_classes_as_tree(fit: TreeFit, options: FitOptions) -> Fitted:
    """Fit a label tree; its ``seconds`` are those of the caller."""
    recipe, data = fit.recipe, fit.data
    folds, how = options.folds, "the rows named"
    if folds is None:
        folds, how = hold_out(recipe, data, options.seed, n_folds=1)
    folds = folds[:1]  # one of several suffices, as each has thousands of rows
    as_calibrated, held_out = None, None
    if folds:
        train, held = folds[0]
        vectorizer, tree = fit.learn(train, "training a label tree without held-out rows")
        X = vectorizer.weigh(fit.counts, held)
        if recipe.protocol.calibration != "none":
            tree = calibrated(tree, X, fit.classes(held), data.weights_of(held))
        as_calibrated = tree
        held_out = HeldOut(held, data.class_matrix[held], tree.top(X), how)
    learned_rows = None if (options.final and recipe.protocol.refit == "all") or not folds else folds[0][0]
    if learned_rows is None:
        vectorizer, tree = fit.learn(None, "training a label tree on all rows")
        if as_calibrated is not None:
            tree = tree.with_slopes(as_calibrated.slopes, as_calibrated.elsewhere)
    shown = held_out
    if held_out is not None and data.n_validation:
        given = held_out.rows >= len(data) - data.n_validation
        shown = HeldOut(held_out.rows[given], held_out.Y[given], held_out.proba[given], how)
    rule = DecisionRule()
    chosen: dict[str, Any] = {
        "model": tree.kind,
        **lengths_of(vectorizer),
        "min_df": fit.min_df,
        "C": fit.inverse_regularisation,
        "children": [round(float(np.diff(tree.starts)[level].mean())) for level in tree.levels],
        "temperatures": [round(1 / slope, 6) for slope in tree.slopes.tolist()],
        "threshold": rule.to_json(),
        "held_out": describe_held_out(data.class_matrix, folds, how) if folds else None,
        "tried": [],
        "learnt_from": len(data) if learned_rows is None else len(learned_rows),
    }
    novelty = None
    if options.final and held_out is not None:
        fitted_on = FinalFit(fit.blocks[0], fit.counts[0], fit.tokenizer, fit.min_df, learned_rows)
        novelty = held_out_novelty(data, folds, fitted_on, held_out.proba)
    return Fitted(
        vectorizer,
        tree,
        uncalibrated(),
        rule,
        chosen,
        shown,
        {},
        novelty=novelty,
        calibrated_on=held_out,
    )
