"""Novelty of texts for a classifier: how its scores are computed, see `tagline.decisions.novelty`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from tagline.classifier.estimator import Estimator
from tagline.decisions.held_out import no_held_out_rows
from tagline.decisions.novelty import Novelty
from tagline.errors import InputError
from tagline.features.base import Featurizer
from tagline.features.vectorizer import Vectorizer
from tagline.many_classes import Probabilities
from tagline.task import Floats


class NoveltyMethods(Estimator):
    """The methods of `TextClassifier` that tell texts unlike the training texts."""

    classes_: NDArray[Any]
    vectorizer_: Featurizer
    novelty_: Novelty | None

    if TYPE_CHECKING:

        def proba_and_coverage(self, texts: Iterable[Any]) -> tuple[Probabilities, Floats]:
            """See `ScoringMethods`, as for the attributes above."""

    def novelty_p_values(self, texts: Iterable[Any], proba: Probabilities | None = None) -> Floats:
        """Return a p-value of each text, (n_texts,): small if it is unlike the training texts.

        Texts drawn like those have one of at most ``alpha`` in at most a share ``alpha`` of cases; see
        `tagline.decisions.novelty`. ``proba`` are the probabilities of the texts, (n_texts, n_classes), if known.
        Raises `InputError` if the model has no held-out rows to compare texts with: ``novelty_`` is None.
        """
        if proba is None:
            return self.predict_proba_and_novelty(texts)[1]
        novelty = self.check_novelty()
        return novelty.p_values(proba.max(axis=1), self.proba_and_coverage(texts)[1])

    def predict_proba_and_novelty(self, texts: Iterable[Any]) -> tuple[Probabilities, Floats]:
        """Return ``probabilities`` and ``novelty_p_values`` of texts, whose n-grams are counted once."""
        novelty = self.check_novelty()
        proba, coverage = self.proba_and_coverage(texts)
        return proba, novelty.p_values(proba.max(axis=1), coverage)

    def check_novelty(self) -> Novelty:
        """Return the scores of held-out rows.

        Raises:
            InputError: it has no held-out rows to compare texts with.

        """
        self._check_fitted()
        if not isinstance(self.vectorizer_, Vectorizer):
            raise InputError("Novelty needs a model of n-grams, and this is a network: train one, for example `fast`.")
        if self.novelty_ is None:
            raise no_held_out_rows("to compare texts with")
        return self.novelty_
