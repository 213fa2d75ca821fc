"""Learnt attributes of a classifier under the names that scikit-learn and Keras give them.

Where a model has no such attribute, reading it raises an `AttributeError` that says why, so that ``hasattr`` is right.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.calibration import Calibrator, TemperatureScaling
from tagline.classifier.estimator import Estimator
from tagline.features.base import Featurizer
from tagline.models import Model
from tagline.models.linear import LinearModel
from tagline.task import Floats

if TYPE_CHECKING:
    from tagline.learners import TrainingRecord

_NO_METRICS = ("epoch", "seconds")  # columns that Keras's history lacks


class LearntAttributes(Estimator):
    """Attributes of a fitted classifier that depend on the kind of its model."""

    model_: Model
    vectorizer_: Featurizer
    calibrator_: Calibrator
    training_: "TrainingRecord | None"

    @property
    def temperature_(self) -> float:
        """The temperature that the logits are divided by, where they are calibrated by temperature scaling."""
        self._check_fitted()
        if isinstance(self.calibrator_, TemperatureScaling):
            return self.calibrator_.temperature
        raise AttributeError(f"The model is calibrated by `{self.calibrator_.kind}`: see `calibrator_`.")

    @property
    def coef_(self) -> Floats:
        """The coefficients of a linear model, (n_outputs, n_features), of its calibrated logits.

        With rows of features ``X``, ``X @ coef_.T + intercept_`` is ``decision_function``, or, with the calibration
        ``sigmoid`` of several classes, the argument of the sigmoids whose logarithms it returns.
        """
        model = self._linear("coef_")
        return model.coef.T.astype(np.float64) * self.calibrator_.line(model.coef.shape[1])[0][:, None]

    @property
    def intercept_(self) -> Floats:
        """The intercepts of a linear model, (n_outputs,), of its calibrated logits."""
        model = self._linear("intercept_")
        slope, intercept = self.calibrator_.line(model.coef.shape[1])
        return np.asarray(model.intercept * slope + intercept)

    @property
    def n_features_in_(self) -> int:
        """How many features a linear model has: the columns of ``coef_``, not those of the input, which is one."""
        return len(self._linear("n_features_in_").coef)

    @property
    def get_feature_names_out(self) -> Callable[..., NDArray[np.object_]]:
        """A method that returns the n-gram of each feature, (n_features,); character n-grams are quoted."""
        self._check_fitted()
        if self.vectorizer_.kind != "ngrams":
            raise AttributeError("A network has no `get_feature_names_out`: its features are word ids.")
        return self._ngram_names

    def _ngram_names(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the n-gram of each feature, (n_features,); ``input_features`` is ignored, as in scikit-learn."""
        return np.array(self.vectorizer_.names(np.arange(self.vectorizer_.n_columns)), dtype=object)

    @property
    def history_(self) -> dict[str, list[float]]:
        """The metrics of each epoch of a network, as in Keras's ``History.history``: ``loss``, ``val_loss``, …."""
        self._check_fitted()
        if self.training_ is None:
            raise AttributeError(
                "There is no `history_`: only networks are trained in epochs, and a saved model does not keep it "
                "(`history.csv` of its run does)."
            )
        return {name: list(column) for name, column in self.training_.history.items() if name not in _NO_METRICS}

    def _linear(self, name: str) -> LinearModel:
        self._check_fitted()
        if isinstance(self.model_, LinearModel):
            return self.model_
        raise AttributeError(f"Only a linear model has `{name}`, and this one is of kind `{self.model_.kind}`.")
