"""Novelty of texts for a classifier: how its scores are computed, see `tagline.decisions.novelty`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.classifier.estimator import Estimator
from tagline.decisions.held_out import no_held_out_rows
from tagline.decisions.novelty import Novelty
from tagline.errors import InputError
from tagline.features.base import Featurizer
from tagline.features.sequences import Sequences
from tagline.features.vectorizer import Vectorizer
from tagline.inputs.texts import as_inputs
from tagline.task import Floats

_BATCH = 16_384  # texts turned into n-grams at a time


class NoveltyMethods(Estimator):
    """The methods of `TextClassifier` that tell texts unlike the training texts."""

    classes_: NDArray[Any]
    vectorizer_: Featurizer
    novelty_: Novelty | None

    if TYPE_CHECKING:

        def predict_proba(self, texts: Iterable[Any]) -> Floats:
            """See `TextClassifier`, as for the attributes above."""

        def proba_of_features(self, X: Any) -> Floats:
            """See `TextClassifier`."""

    def novelty_p_values(self, texts: Iterable[Any], proba: Floats | None = None) -> Floats:
        """Return a p-value of each text, (n_texts,): small if it is unlike the training texts.

        Texts drawn like those have one of at most ``alpha`` in at most a share ``alpha`` of cases; see
        `tagline.decisions.novelty`. ``proba`` are the probabilities of the texts, (n_texts, n_classes), if known.
        Raises `InputError` if the model has no held-out rows to compare texts with: ``novelty_`` is None.
        """
        if proba is None:
            return self.predict_proba_and_novelty(texts)[1]
        novelty, vectorizer = self.check_novelty()
        parts = [vectorizer.coverage(part) for part in _batches(texts)]
        return novelty.p_values(np.asarray(proba).max(axis=1), np.concatenate([np.empty(0), *parts]))

    def predict_proba_and_novelty(self, texts: Iterable[Any]) -> tuple[Floats, Floats]:
        """Return ``predict_proba`` and ``novelty_p_values`` of texts, whose n-grams are counted once."""
        novelty, vectorizer = self.check_novelty()
        proba, coverage = [np.empty((0, len(self.classes_)))], [np.empty(0)]
        for part in _batches(texts):
            X, known = vectorizer.transform_with_coverage(part)
            proba.append(self.proba_of_features(X))
            coverage.append(known)
        return np.vstack(proba), novelty.p_values(np.vstack(proba).max(axis=1), np.concatenate(coverage))

    def check_novelty(self) -> tuple[Novelty, Vectorizer]:
        """Return the scores of held-out rows and what counts n-grams.

        Raises:
            InputError: it has no held-out rows to compare texts with.

        """
        self._check_fitted()
        if not isinstance(self.vectorizer_, Vectorizer):
            raise InputError("Novelty needs a model of n-grams, and this is a network: train one, for example `fast`.")
        if self.novelty_ is None:
            raise no_held_out_rows("to compare texts with")
        return self.novelty_, self.vectorizer_


def _batches(texts: Iterable[Any]) -> list[pl.Series]:
    column = as_inputs(texts)
    if isinstance(column, Sequences):
        raise InputError("Novelty needs texts, and these are word ids.")
    return [column.slice(start, _BATCH) for start in range(0, len(column), _BATCH)]
