"""The fits of a recipe of n-grams, of each setting that is tried and of each fold, on n-grams counted once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer
from tagline.features.weighting import document_frequency, scale_columns, spread
from tagline.learners.base import Folds, TrainingData
from tagline.learners.progress import Steps
from tagline.models import HyperParameters, LinearModel, Model, fit_model
from tagline.models.blend import blended, fit_unit_bayes, norms
from tagline.models.linear import LINEAR_MODELS
from tagline.parallel import in_threads
from tagline.recipes import NgramFeatures, NgramModel
from tagline.task import Floats, Ints, Task

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_BLENDS = (0.0, 0.15, 0.3, 0.5)  # weights of complement naive Bayes to choose from
_MANY_OUTPUTS = 8  # so many outputs of a linear model keep the cores busy, and one matrix at a time needs less memory


@dataclass(frozen=True)
class Candidate:
    """Settings that are chosen on held-out rows.

    ``blocks`` are those of the counted blocks to use, ``value`` is that of the hyper-parameter ``NgramModel.tuned``,
    None if there is none, ``blend`` the weight of naive Bayes beside a linear SVM.
    """

    blocks: tuple[int, ...]
    value: float | None
    blend: float = 0.0


@dataclass(frozen=True, eq=False)
class NgramFit:
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
    steps: Steps

    @property
    def n_labels(self) -> int:
        """The number of outputs whose end is reported one by one: those of label sets. Classes are one step."""
        return self.data.n_outputs if self.data.task is Task.MULTILABEL else 1

    def of_blocks(self, *blocks: int) -> list[Candidate]:
        """Return a candidate for each value of the hyper-parameter, with these of the counted blocks.

        The value nearest to 1 comes first: it stays unless another is better.
        """
        values = sorted(self.settings.candidates, key=lambda value: abs(np.log(value)))
        blend = 0.0 if self.settings.blend == "auto" else self.settings.blend
        return [Candidate(blocks, value, blend) for value in values] or [Candidate(blocks, None)]

    @property
    def default(self) -> list[Candidate]:
        """The candidates with all blocks; the first one is used unless another is better."""
        return self.of_blocks(*range(len(self.blocks)))

    @property
    def words_alone(self) -> list[Candidate]:
        """The candidates without character n-grams, if these may be left out."""
        return self.of_blocks(0) if self.features.characters == "auto" and len(self.blocks) > 1 else []

    @property
    def chooses_blend(self) -> bool:
        """Whether the weight of naive Bayes is chosen; label sets do without, as they gained nothing."""
        settings = self.settings
        return settings.kind == "linear-svm" and settings.blend == "auto" and self.data.task is not Task.MULTILABEL

    def blends(self, candidate: Candidate) -> list[Candidate]:
        """Return the candidates that differ in the weight of naive Bayes: the one given, if it is not to be chosen."""
        return [replace(candidate, blend=blend) for blend in _BLENDS] if self.chooses_blend else [candidate]

    def learn(
        self, rows: Ints | None, candidate: Candidate, stage: str = "training on all rows"
    ) -> tuple[Vectorizer, Model]:
        """Learn scales and model from some rows, or all; ``stage`` names this for the progress."""
        self.steps.begin(stage)
        vectorizer = self._vectorizer(rows, candidate.blocks)
        X = self._weigh(vectorizer, rows, candidate.blocks)
        model = self._fit(rows, X, candidate, stage)
        if candidate.blend:
            assert isinstance(model, LinearModel)
            model = blended(model, self._fit_bayes(rows, X, vectorizer), candidate.blend)
        return vectorizer, model

    def held_out_logits(
        self, folds: Folds, candidates: Sequence[Candidate], stage: str = "training without held-out rows"
    ) -> list[Floats]:
        """Return the logits of each candidate for the held-out rows of all folds, one fold after the other.

        Candidates that differ in ``blend`` share a fit, and all of the same blocks share naive Bayes.
        """
        fits = list(dict.fromkeys(replace(candidate, blend=0.0) for candidate in candidates))
        blended_blocks = list(dict.fromkeys(candidate.blocks for candidate in candidates if candidate.blend))
        self.steps.expect(self.n_labels * len(folds) * len(fits))

        def of_fold(numbered: tuple[int, tuple[Ints, Ints]]) -> list[Floats]:
            number, (train, held) = numbered
            name = f"{stage}, fold {number} of {len(folds)}" if len(folds) > 1 else stage
            self.steps.begin(name)
            vectorizers = {blocks: self._vectorizer(train, blocks) for blocks in {each.blocks for each in fits}}
            X = {blocks: self._weigh(vectorizer, train, blocks) for blocks, vectorizer in vectorizers.items()}
            models: dict[Candidate, Model] = {}
            logits: dict[Candidate, Floats] = {}
            of_bayes: dict[tuple[int, ...], Floats] = {}

            def fit_model(fit: Candidate) -> None:
                models[fit] = self._fit(train, X[fit.blocks], fit, name)
                logits[fit] = self.logits(vectorizers[fit.blocks], models[fit], held, fit.blocks)

            def fit_bayes(blocks: tuple[int, ...]) -> None:
                bayes = self._fit_bayes(train, X[blocks], vectorizers[blocks])
                of_bayes[blocks] = self.logits(vectorizers[blocks], bayes, held, blocks)

            jobs = [partial(fit_model, fit) for fit in fits] + [partial(fit_bayes, blocks) for blocks in blended_blocks]
            self.run(jobs)

            def of_candidate(candidate: Candidate) -> Floats:
                fit = replace(candidate, blend=0.0)
                if not candidate.blend:
                    return logits[fit]
                model = models[fit]
                assert isinstance(model, LinearModel)
                return logits[fit] + candidate.blend * norms(model) * of_bayes[fit.blocks]

            return [of_candidate(candidate) for candidate in candidates]

        of_folds = self.each(of_fold, enumerate(folds, 1))
        return [np.vstack(logits) for logits in zip(*of_folds, strict=True)]

    def logits(self, vectorizer: Vectorizer, model: Model, rows: Ints, blocks: tuple[int, ...]) -> Floats:
        """Return the logits of some rows, (n_rows, n_outputs)."""
        return model.logits(vectorizer.weigh([self.counts[b] for b in blocks], rows))

    def each(self, function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Apply ``function``, which fits models, to each item: in threads unless one fit keeps all cores busy."""
        if self.settings.kind in LINEAR_MODELS and self.data.n_outputs >= _MANY_OUTPUTS:
            return [function(item) for item in items]
        return in_threads(function, items)

    def run(self, jobs: Sequence[Callable[[], _Result]]) -> list[_Result]:
        """Call each job, which fits models, as `each` does."""
        return self.each(lambda job: job(), jobs)

    def _vectorizer(self, rows: Ints | None, blocks: tuple[int, ...]) -> Vectorizer:
        """Learn the scales of the columns from some rows, or all."""
        data, features = self.data, self.features
        Y = data.Y if rows is None else data.Y[rows]
        weights = data.sample_weights if rows is None or data.sample_weights is None else data.sample_weights[rows]
        scales, spreads = [], []
        for counts in (self.counts[b] for b in blocks):
            df = document_frequency(counts, rows)
            scales.append(scale_columns(counts, df, Y, features.scale, features.floor, self.min_df, weights, rows=rows))
            spreads.append(spread(df, len(Y)))
        return Vectorizer(
            tuple(self.blocks[b] for b in blocks),
            tuple(scales),
            features.tf,
            features.unit,
            self.tokenizer,
            tuple(spreads),
        )

    def _weigh(self, vectorizer: Vectorizer, rows: Ints | None, blocks: tuple[int, ...]) -> sp.csr_matrix:
        """Return the features that models learn from, in single precision."""
        return vectorizer.weigh([self.counts[b] for b in blocks], rows, np.float32)

    def _fit(self, rows: Ints | None, X: sp.csr_matrix, candidate: Candidate, stage: str) -> Model:
        """Fit the model to the features of some rows, or all."""
        data, model = self.data, self.settings

        def label_fitted(n: int) -> None:
            self.steps.end(f"{stage}, label {n} of {self.n_labels}")

        tuned = {} if model.tuned is None or candidate.value is None else {model.tuned: candidate.value}
        fitted = fit_model(
            model.kind,
            X,
            data.Y if rows is None else data.Y[rows],
            self._model_weights(rows),
            HyperParameters(**tuned, max_depth=model.max_depth, n_trees=model.n_trees),
            task=data.task,
            seed=self.seed,
            label_fitted=label_fitted,
        )
        if data.task is not Task.MULTILABEL:
            self.steps.end(stage)
        return fitted

    def _fit_bayes(self, rows: Ints | None, X: sp.csr_matrix, vectorizer: Vectorizer) -> LinearModel:
        """Fit naive Bayes to the features of some rows, or all."""
        data = self.data
        Y, scale = data.Y if rows is None else data.Y[rows], np.concatenate(vectorizer.scales)
        return fit_unit_bayes(X, Y, self._model_weights(rows), scale, data.task)

    def _model_weights(self, rows: Ints | None) -> Floats:
        """Return what multiplies the loss of each row: a row of sample weight 2 is worth two."""
        data = self.data
        if data.loss_weights is None or data.sample_weights is None:
            return np.ones(len(data) if rows is None else len(rows))
        weights: Floats = data.loss_weights * data.sample_weights.mean()  # loss weights have a mean of 1
        return weights if rows is None else weights[rows]
