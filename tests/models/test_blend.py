"""Complement naive Bayes beside a linear model: scikit-learn's coefficients, and what must not change."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.naive_bayes import ComplementNB

from tagline.models import HyperParameters, LinearModel, blend, fit_model
from tagline.models.blend import blended, fit_unit_bayes, norms
from tagline.task import Bools, Task

SCALE = np.linspace(0.7, 3.0, 40).astype(np.float32)


def sample(n_classes: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return weighted rows of unit length, of columns that the classes prefer, and the classes."""
    rng = np.random.default_rng(n_classes)
    y = np.arange(240) % n_classes
    rates = 0.05 + 0.4 * rng.random((n_classes, 40)) ** 2
    values = (rng.random((240, 40)) < rates[y]) * SCALE * rng.integers(1, 4, (240, 40))
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    return sp.csr_matrix(values.astype(np.float32)), y


def both(X: sp.csr_matrix, Y: Bools, task: Task) -> tuple[LinearModel, LinearModel]:
    """Return a linear SVM, and naive Bayes of the same rows."""
    weights = np.ones(len(Y))
    svm = fit_model("linear-svm", X, Y, weights, HyperParameters(), task=task, seed=0)
    assert isinstance(svm, LinearModel)
    return svm, fit_unit_bayes(X, Y, weights, SCALE, task)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_coefficients_are_those_of_scikit_learn_over_scales(n_classes: int) -> None:
    X, y = sample(n_classes)
    bayes = fit_unit_bayes(X, np.eye(n_classes, dtype=bool)[y], np.ones(len(y)), SCALE, Task.of(n_classes))
    other = ComplementNB(alpha=0.3).fit(X > 0, y).feature_log_prob_.T
    other = other[:, 1:] - other[:, :1] if n_classes == 2 else other - other.mean(axis=1, keepdims=True)
    other = other / SCALE[:, np.newaxis]
    other /= np.linalg.norm(other, axis=0)
    np.testing.assert_allclose(bayes.coef, other, rtol=1e-3)  # half precision
    np.testing.assert_allclose(bayes.logits(X).mean(axis=0), 0.0, atol=1e-7)


def test_the_logits_of_a_blend_are_a_sum() -> None:
    X, y = sample(3)
    svm, bayes = both(X, np.eye(3, dtype=bool)[y], Task.MULTICLASS)
    expected = svm.logits(X) + 0.5 * norms(svm) * bayes.logits(X)
    np.testing.assert_allclose(blended(svm, bayes, 0.5).logits(X), expected, atol=5e-3)


def test_a_label_is_blended_as_one_of_two_classes() -> None:
    X, y = sample(3)
    Y = np.column_stack([y == 0, y != 2, np.zeros(len(y), dtype=bool)])
    svm, bayes = both(X, Y, Task.MULTILABEL)
    for label in range(2):
        binary = np.column_stack([~Y[:, label], Y[:, label]])
        one = fit_unit_bayes(X, binary, np.ones(len(y)), SCALE, Task.BINARY)
        assert np.array_equal(one.coef[:, 0], bayes.coef[:, label])
    assert not norms(svm)[2]  # no row has the label: its certain logit stays


@pytest.mark.parametrize("present", [[1], [0, 3], [0, 1, 3]])
def test_classes_without_rows_keep_their_logits(present: list[int]) -> None:
    X, y = sample(len(present))
    Y = np.eye(4, dtype=bool)[np.array(present)[y]]
    svm, bayes = both(X, Y, Task.MULTICLASS)
    absent = np.setdiff1d(np.arange(4), present)
    assert np.array_equal(blended(svm, bayes, 0.5).logits(X)[:, absent], svm.logits(X)[:, absent])
    assert bayes.coef[:, present].any() == (len(present) > 1)


def test_a_row_of_weight_two_counts_as_two_and_one_of_weight_zero_as_none() -> None:
    X, y = sample(3)
    Y, weights = np.eye(3, dtype=bool)[y], np.arange(240) % 3.0
    bayes = fit_unit_bayes(X, Y, weights, SCALE, Task.MULTICLASS)
    rows = np.repeat(np.arange(240), weights.astype(np.int64))
    copied = fit_unit_bayes(X[rows], Y[rows], np.ones(len(rows)), SCALE, Task.MULTICLASS)
    np.testing.assert_allclose(bayes.coef, copied.coef, rtol=1e-3)
    np.testing.assert_allclose(bayes.intercept, copied.intercept, atol=1e-5)


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL])
def test_compiled_counts_are_scipys(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = sample(4)
    X.data[X.indices == 5] = 0.0
    weights = np.arange(240) % 3.0
    compiled = fit_unit_bayes(X, np.eye(4, dtype=bool)[y], weights, SCALE, task)
    monkeypatch.setattr(blend, "COMPILED", False)
    plain = fit_unit_bayes(X, np.eye(4, dtype=bool)[y], weights, SCALE, task)
    assert np.array_equal(compiled.coef, plain.coef)
    assert np.array_equal(compiled.intercept, plain.intercept)


def test_a_column_of_scale_zero_stays_without_a_coefficient() -> None:
    X, y = sample(2)
    X.data[X.indices == 5] = 0.0  # as `weigh` leaves it
    scale = np.where(np.arange(40) == 5, 0, SCALE).astype(np.float32)
    bayes = fit_unit_bayes(X, np.eye(2, dtype=bool)[y], np.ones(240), scale, Task.BINARY)
    assert bayes.coef[5, 0] == 0.0
    assert np.count_nonzero(bayes.coef) == 39
