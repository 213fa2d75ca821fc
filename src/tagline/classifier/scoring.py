"""Logits and probabilities of texts: by compiled code for linear models of n-grams, else by features and model."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.calibration import Calibrator
from tagline.classifier.estimator import Estimator
from tagline.errors import InputError
from tagline.features.base import Featurizer
from tagline.features.ngrams.tokens import is_compiled
from tagline.features.scorer import LinearScorer, Scores
from tagline.features.sequences import Sequences
from tagline.features.vectorizer import Vectorizer
from tagline.inputs.texts import as_inputs
from tagline.many_classes import Probabilities, check_array, joined, probability_array, top_classes
from tagline.models import LabelTree, LinearModel, Model
from tagline.task import Floats, Task

BATCH = 16_384  # texts turned into features at a time


class CompiledScorer:
    """Keeps the `LinearScorer` of a model of n-grams, which takes a while to make."""

    def __init__(self) -> None:
        self._made: tuple[Featurizer, Model, LinearScorer] | None = None

    def of(self, features: Featurizer, model: Model) -> LinearScorer | None:
        """Return the scorer, None if this model is not of the kind that compiled code reads."""
        if not (
            isinstance(features, Vectorizer) and isinstance(model, LinearModel) and is_compiled(features.tokenizer)
        ):
            return None
        made = self._made
        if made is None or made[0] is not features or made[1] is not model:
            made = self._made = (features, model, LinearScorer(features, model.coef, model.intercept))
        return made[2]


class ScoringMethods(Estimator):
    """The methods of `TextClassifier` that compute logits and probabilities."""

    classes_: NDArray[Any]
    task_: Task
    vectorizer_: Featurizer
    model_: Model
    calibrator_: Calibrator
    _compiled: "CompiledScorer"

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code turns texts into logits: that of linear models of n-grams."""
        self._check_fitted()
        return self._scorer() is not None

    def logits(self, texts: Iterable[Any]) -> Floats:
        """Return calibrated logits, (n_texts, n_outputs): one output for two classes, else one a class."""
        self._check_fitted()
        return self.calibrator_.apply(np.vstack(list(self._logits(texts))))

    def decision_function(self, texts: Iterable[Any]) -> Floats:
        """Return calibrated logits: (n_texts,) for two classes, positive for the second; else (n_texts, n_classes)."""
        self._check_fitted()
        return self.task_.scores(self.logits(texts))

    def predict_proba(self, texts: Iterable[Any]) -> Floats:
        """Return the probability of each class, (n_texts, n_classes), in the order of ``classes_``.

        Rows add up to 1, except where a text may have several labels.
        """
        return probability_array(self.probabilities(texts))

    def probabilities(self, texts: Iterable[Any]) -> Probabilities:
        """Return ``predict_proba``, of a label tree as `TopProbabilities`, which has no entry for each class."""
        self._check_fitted()
        if (scorer := self._scorer()) is not None:
            return self._probabilities(self._scored(scorer, texts).logits)
        return joined([self._proba_of_features(X) for X in self._features(texts)])

    def predict_top(self, texts: Iterable[Any], k: int = 5) -> tuple[NDArray[Any], Floats]:
        """Return the ``k`` most probable classes of each text and their probabilities, (n_texts, k), best first.

        Of more than 3,000 classes the model of `fast` is a label tree, which has up to 10.

        Raises:
            InputError: ``k`` is not a number of classes, or the model gives several labels a text.

        """
        if self.task_ is Task.MULTILABEL:
            raise InputError("A model of several labels a text has no most probable class: take `predict_proba`.")
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise InputError(f"`k` is a number of classes from 1 on, not `{k}`.")
        top = top_classes(self.probabilities(texts), int(k))
        return self.classes_[top.classes], top.values

    def predict_log_proba(self, texts: Iterable[Any]) -> Floats:
        """Return the logarithm of ``predict_proba``, (n_texts, n_classes)."""
        with np.errstate(divide="ignore"):  # the logarithm of 0 is -inf
            return np.asarray(np.log(self.predict_proba(texts)))

    def proba_and_coverage(self, texts: Iterable[Any]) -> tuple[Probabilities, Floats]:
        """Return the probabilities and the share of known n-grams of texts, (n_texts,), for a model of n-grams."""
        if (scorer := self._scorer()) is not None:
            scores = self._scored(scorer, texts)
            return self._probabilities(scores.logits), scores.coverage
        assert isinstance(self.vectorizer_, Vectorizer)
        column = _column(texts)
        proba, coverage = [], [np.empty(0)]
        for start in range(0, max(1, len(column)), BATCH):
            X, known = self.vectorizer_.transform_with_coverage(column.slice(start, BATCH))
            proba.append(self._proba_of_features(X))
            coverage.append(known)
        return joined(proba), np.concatenate(coverage)

    def _logits(self, texts: Iterable[Any]) -> Iterator[Floats]:
        """Yield the logits of texts, before calibration, batch by batch."""
        if (scorer := self._scorer()) is not None:
            yield self._scored(scorer, texts).logits
        else:
            for X in self._features(texts):
                if isinstance(self.model_, LabelTree):
                    check_array(X.shape[0], len(self.classes_), 8, "`predict_top`, or fewer texts at a time")
                yield self.model_.logits(X)

    def _scorer(self) -> LinearScorer | None:
        """Return what scores texts by compiled code, None if this model is not of that kind."""
        return self._compiled.of(self.vectorizer_, self.model_)

    def _scored(self, scorer: LinearScorer, texts: Iterable[Any]) -> Scores:
        if type(texts) is list and set(map(type, texts)) <= {str}:  # as most are: no column is made of them
            try:
                return scorer.score(texts)
            except UnicodeEncodeError:  # half of a surrogate pair, which `as_inputs` replaces
                pass
        return scorer.score(_column(texts))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle contains: compiled scorers are made again."""
        return {name: value for name, value in vars(self).items() if name != "_compiled"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a pickle contains."""
        vars(self).update(state)
        self._compiled = CompiledScorer()

    def _features(self, texts: Iterable[Any]) -> Iterator[Any]:
        column = as_inputs(texts)
        if isinstance(column, Sequences):
            yield self.vectorizer_.transform_ids(column)
            return
        for start in range(0, max(1, len(column)), BATCH):
            yield self.vectorizer_.transform(column.slice(start, BATCH))

    def _proba_of_features(self, X: Any) -> Probabilities:
        if isinstance(self.model_, LabelTree):
            return self.model_.top(X)
        proba = self.model_.probabilities(X)
        return self._probabilities(self.model_.logits(X)) if proba is None else proba

    def _probabilities(self, logits: Floats) -> Floats:
        return self.task_.probabilities(self.calibrator_.apply(logits))


def _column(texts: Iterable[Any]) -> pl.Series:
    column = as_inputs(texts)
    if isinstance(column, Sequences):
        raise InputError("This model was trained on texts and takes no word ids: pass texts.")
    return column
