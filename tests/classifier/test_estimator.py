"""scikit-learn's own checks of estimators.

They hand over matrices of numbers, so the estimator that is checked writes each row of numbers as a text first.
"""

import string
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from tagline import TextClassifier


class NumbersAsTexts(TextClassifier, BaseEstimator):
    """`TextClassifier` on rows of numbers: a word for each number says its column, sign and size."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "NumbersAsTexts":
        super().fit(texts_of(X), y, sample_weight)
        return self

    @property
    def partial_fit(self) -> Any:  # type: ignore[override]  # hidden from the checks
        raise AttributeError("naive Bayes is not continued")

    def predict(self, X: Any) -> Any:
        return super().predict(texts_of(X))

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(texts_of(X))

    def decision_function(self, X: Any) -> Any:
        return super().decision_function(texts_of(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        return super().score(texts_of(X), y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.string = False
        return tags


def texts_of(X: Any) -> Any:
    array = np.asarray(X)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        return X
    return [" ".join(word_of(column, value) for column, value in enumerate(row)) for row in array.tolist()]


def word_of(column: int, value: float) -> str:
    return f"{string.ascii_lowercase[column % 26]}{'p' if value > 0 else 'n'}{int(min(9, abs(value)))}"


NUMBERS_ARE_CHECKED = "a text holds no numbers whose type, shape or finiteness could be checked"
ANY_TEXT = "a text has no number of features: every text can be predicted"
NOT_FOR_TEXT = {
    "check_complex_data": NUMBERS_ARE_CHECKED,
    "check_dtype_object": NUMBERS_ARE_CHECKED,
    "check_estimators_nan_inf": NUMBERS_ARE_CHECKED,
    "check_fit2d_predict1d": NUMBERS_ARE_CHECKED,
    "check_estimator_sparse_tag": "texts are not a sparse matrix",
    "check_estimator_sparse_array": "texts are not a sparse matrix",
    "check_estimator_sparse_matrix": "texts are not a sparse matrix",
    "check_estimators_empty_data_messages": "rows without a column are empty texts, which have a message of their own",
    "check_n_features_in": ANY_TEXT,
    "check_n_features_in_after_fitting": ANY_TEXT,
    "check_classifiers_train": ANY_TEXT,
    "check_classifier_multioutput": "labels have thresholds, fitted on held-out rows, and not 0.5",
}


@parametrize_with_checks(
    [NumbersAsTexts("naive-bayes")], expected_failed_checks=lambda estimator: NOT_FOR_TEXT, xfail_strict=True
)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)
