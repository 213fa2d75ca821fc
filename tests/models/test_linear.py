"""Linear models and naive Bayes: scikit-learn decides."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.svm import LinearSVC

from tagline.errors import RecipeError
from tagline.models import HyperParameters, fit_model
from tagline.models.estimators import fit_linear
from tagline.models.linear import LinearModel, _products
from tagline.models.linear import model as linear_model
from tagline.models.linear.problem import LinearProblem
from tagline.models.linear.svm import fit_linear_svm
from tagline.models.naive_bayes import fit_complement, fit_multinomial
from tagline.task import Task


def sample(n_classes: int, n: int = 150, n_columns: int = 60, seed: int = 0) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return counts (n, n_columns) and the class of each row, (n,)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    rates = rng.gamma(0.3, 0.5, (n_classes, n_columns))
    return sp.csr_matrix(rng.poisson(rates[y]).astype(np.float64)), y


def classes(y: np.ndarray) -> np.ndarray:
    return np.eye(y.max() + 1, dtype=bool)[y]


def predicted(model: LinearModel, X: sp.csr_matrix) -> np.ndarray:
    logits = model.logits(X)
    return (logits[:, 0] > 0).astype(int) if logits.shape[1] == 1 else logits.argmax(axis=1)


def log_proba(model: LinearModel, X: sp.csr_matrix) -> np.ndarray:
    logits = model.logits(X)
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("alpha", [1.0, 0.1])
@pytest.mark.parametrize(("fit", "peer"), [(fit_multinomial, MultinomialNB), (fit_complement, ComplementNB)])
def test_naive_bayes_is_scikit_learns(n_classes: int, alpha: float, fit, peer) -> None:
    X, y = sample(n_classes)
    weights = np.random.default_rng(3).uniform(0.5, 2, len(y))
    model = fit(X, classes(y), weights, alpha)
    other = peer(alpha=alpha).fit(X, y, sample_weight=weights)
    assert (predicted(model, X) == other.predict(X)).all()
    # Coefficients are in half precision, a relative 2**-11 of each.
    np.testing.assert_allclose(log_proba(model, X), other.predict_log_proba(X), atol=0.03)


@pytest.mark.parametrize("fit", [fit_multinomial, fit_complement])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_naive_bayes_ignores_columns_without_counts(fit, n_classes: int) -> None:
    X, y = sample(n_classes)
    wider = sp.hstack([X, sp.csr_matrix((X.shape[0], 40))], format="csr")
    ones = np.ones(len(y))
    small, large = fit(X, classes(y), ones, 1.0), fit(wider, classes(y), ones, 1.0)
    seen = X.shape[1]
    assert np.array_equal(small.coef, large.coef[:seen])
    assert not large.coef[seen:].any()


PEERS = {
    "linear-svm": LinearSVC(C=0.5, tol=1e-6, max_iter=100_000, dual=True, random_state=0),
    "logistic-regression": LogisticRegression(C=0.5, tol=1e-8, max_iter=10_000),
}


def assert_is(model: LinearModel, other: LinearSVC | LogisticRegression, outputs: list[int]) -> None:
    # The solvers stop before the last digits.
    np.testing.assert_allclose(model.coef[:, outputs].T, other.coef_, atol=0.04 * np.abs(other.coef_).max())
    np.testing.assert_allclose(model.intercept[outputs], other.intercept_, atol=0.04 * np.abs(other.coef_).max())


@pytest.mark.parametrize("kind", PEERS)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_linear_models_are_scikit_learns(kind: str, n_classes: int) -> None:
    X, y = sample(n_classes)
    model = fit_model(
        kind,
        X,
        classes(y),
        np.ones(len(y)),
        HyperParameters(C=0.5, alpha=0.5),
        task=Task.of(classes(y).shape[1]),
        seed=0,
    )
    assert model.coef.shape == (60, 1 if n_classes == 2 else n_classes)
    assert_is(model, PEERS[kind].fit(X, y), list(range(model.coef.shape[1])))


@pytest.mark.parametrize("kind", PEERS)
def test_each_label_is_learned_by_itself(kind: str) -> None:
    X, y = sample(3)
    Y = np.column_stack([y == 0, y != 2, y == 2, np.zeros(len(y), dtype=bool), np.ones(len(y), dtype=bool)])
    model = fit_model(kind, X, Y, np.ones(len(y)), HyperParameters(C=0.5, alpha=0.5), task=Task.MULTILABEL, seed=0)
    for label in range(3):
        assert_is(model, PEERS[kind].fit(X, Y[:, label]), [label])
    assert not model.coef[:, 3:].any()
    assert model.intercept[3] < -10
    assert model.intercept[4] > 10


@pytest.mark.parametrize("kind", PEERS)
@pytest.mark.parametrize(("present", "n_classes"), [([0, 2], 3), ([1, 3, 4], 5), ([1], 2), ([0], 2), ([2], 4)])
def test_classes_without_rows_leave_the_others_what_they_are(kind: str, present: list[int], n_classes: int) -> None:
    """A fold may lack a class, or hold one alone."""
    X, y = sample(len(present))
    Y = np.eye(n_classes, dtype=bool)[np.array(present)[y]]
    model = fit_model(kind, X, Y, np.ones(len(y)), HyperParameters(C=0.5, alpha=0.5), task=Task.of(Y.shape[1]), seed=0)
    given = np.array(present)[y]
    if len(present) == 1:
        assert (predicted(model, X) == present[0]).all()
        return
    other = PEERS[kind].fit(X, given)
    assert (predicted(model, X) == other.predict(X)).all()
    absent = np.setdiff1d(np.arange(n_classes), present)
    assert (model.logits(X)[:, absent].max(axis=1) < model.logits(X)[:, present].max(axis=1) - 3).all()
    if len(present) > 2:
        assert_is(model, other, present)


def test_two_of_several_classes_have_the_probabilities_of_a_softmax() -> None:
    X, y = sample(2)
    Y = np.eye(3, dtype=bool)[2 * y]
    model = fit_model("logistic-regression", X, Y, np.ones(len(y)), HyperParameters(C=0.5), task=Task.of(3), seed=0)
    # The softmax has half the penalty of the sigmoid, as |-w/2|² + |w/2|² = |w|² / 2.
    other = LogisticRegression(C=1.0, tol=1e-8, max_iter=1_000).fit(X, y)
    np.testing.assert_allclose(log_proba(model, X)[:, [0, 2]], other.predict_log_proba(X), atol=0.02)


@pytest.mark.parametrize("kind", ["linear-svm", "logistic-regression", "multinomial-nb", "complement-nb"])
@pytest.mark.parametrize("multilabel", [False, True])
def test_a_class_without_rows_is_far_below(kind: str, multilabel: bool) -> None:
    X, y = sample(3)
    Y = np.column_stack([classes(y), np.zeros(len(y), dtype=bool)])
    model = fit_model(
        kind,
        X,
        Y,
        np.ones(len(y)),
        HyperParameters(C=1.0, alpha=1.0),
        task=Task.of(Y.shape[1], multilabel=multilabel),
        seed=0,
    )
    logits = model.logits(X)
    assert (logits[:, 3] < logits[:, :3].max(axis=1) - 3).all()
    if multilabel:
        assert (logits[:, 3] < -3).all()


@pytest.mark.parametrize("kind", ["linear-svm", "logistic-regression", "multinomial-nb", "complement-nb"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_weight_two_is_the_row_twice_and_weight_zero_no_row(kind: str, n_classes: int) -> None:
    X, y = sample(n_classes)
    weights = np.random.default_rng(5).integers(0, 3, len(y)).astype(float)
    rows = np.repeat(np.arange(len(y)), weights.astype(int))

    def fit(X: sp.csr_matrix, y: np.ndarray, weights: np.ndarray) -> LinearModel:
        return fit_model(kind, X, classes(y), weights, HyperParameters(C=0.01, alpha=0.01), task=Task.of(3), seed=0)

    weighted, repeated = fit(X, y, weights), fit(X[rows], y[rows], np.ones(len(rows)))
    plain = fit(X, y, np.ones(len(y)))
    apart = np.abs(weighted.logits(X) - repeated.logits(X)).max()
    assert apart < 0.2 * np.abs(weighted.logits(X) - plain.logits(X)).max()  # the solvers stop early


@pytest.mark.parametrize("kind", ["linear-svm", "logistic-regression", "multinomial-nb", "complement-nb"])
def test_a_class_without_weight_is_far_below(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    X, y = sample(3)
    model = fit_model(
        kind,
        X,
        classes(y),
        (y != 1).astype(float),
        HyperParameters(C=1.0, alpha=1.0),
        task=Task.of(classes(y).shape[1]),
        seed=0,
    )
    assert (model.logits(X)[:, 1] < -3).all()
    assert capfd.readouterr() == ("", "")


def test_logits_are_the_same_alone_and_in_a_batch() -> None:
    rng = np.random.default_rng(0)
    X = sp.random(300, 900, 0.2, format="csr", random_state=0)
    X = sp.vstack([X, sp.csr_matrix((1, 900))], format="csr")  # a row of nothing
    model = LinearModel.of(rng.normal(size=(900, 3)), rng.normal(size=3))
    batch = model.logits(X)
    np.testing.assert_allclose(batch, X.toarray() @ model.coef.astype(float) + model.intercept, atol=1e-9)
    for row in range(301):
        assert np.array_equal(model.logits(X[row])[0], batch[row])
    assert model.logits(X[:0]).shape == (0, 3)


@pytest.mark.parametrize("n_outputs", [1, 3, 40])
def test_compiled_logits_are_scipys_products_to_the_last_bit(n_outputs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(n_outputs)
    model = LinearModel.of(rng.normal(size=(50, n_outputs)), rng.normal(size=n_outputs))
    X = sp.random(400, 50, 0.2, format="csr", rng=rng)
    monkeypatch.setattr(linear_model, "_ENTRIES", 100)
    for rows in (X, X[:0], X[:1], sp.csr_matrix((3, 50)), X.astype(np.float32)):
        compiled = model.logits(rows)
        with monkeypatch.context() as patch:
            patch.setattr(linear_model, "COMPILED", False)
            assert np.array_equal(compiled, model.logits(rows))


@pytest.mark.parametrize(
    ("ends", "indices"), [([0, 9], [0, 1]), ([0, -1], [0, 1]), ([2, 1], [0, 1]), ([0, 2], [0, 5]), ([0, 2], [0, -1])]
)
def test_a_forged_matrix_reaches_no_memory(ends: list[int], indices: list[int]) -> None:
    coef = np.ones((5, 1), dtype=np.float32)
    arrays = np.array(ends), np.array(indices, dtype=np.int32), np.ones(2)
    with pytest.raises(ValueError, match=r"row ends before|has no coefficients"):
        _products.write_logits(*arrays, coef, np.zeros(1), 0, 1, np.empty((1, 1)))
    for room in (np.empty((0, 1)), np.empty((1, 2))):
        with pytest.raises(ValueError, match="fit together"):
            _products.write_logits(*arrays, coef, np.zeros(1), 0, 1, room)
    of_counts = *arrays[:2], np.ones(2, dtype=np.float32)
    with pytest.raises(ValueError, match=r"row ends before|no such class or column"):
        _products.add_class_counts(*of_counts, np.zeros(1, dtype=np.int64), np.ones(1), 0, 1, np.zeros((1, 5)))
    with pytest.raises(ValueError, match="no such class"):
        _products.add_class_counts(*of_counts, np.ones(1, dtype=np.int64), np.ones(1), 0, 1, np.zeros((1, 5)))
    with pytest.raises(ValueError, match="fit together"):
        _products.add_class_counts(*of_counts, np.zeros(1, dtype=np.int64), np.ones(1), 0, 2, np.zeros((1, 5)))


def test_coefficients_are_rounded_once_and_restored() -> None:
    coef = np.array([[0.1, 1e-9], [6e4, -6e4], [2**-24, 1 / 3]])
    model = LinearModel.of(coef, np.array([0.1, 1 / 3]))
    assert model.coef.dtype == np.float32
    assert np.array_equal(model.coef, coef.astype(np.float16).astype(np.float32))
    arrays = model.arrays()
    assert set(arrays) == {"coef", "intercept"}
    assert arrays["coef"].dtype == np.float16
    again = LinearModel.restore({}, arrays, {})
    assert np.array_equal(again.coef, model.coef)
    assert np.array_equal(again.intercept, model.intercept)


@pytest.mark.parametrize("largest", [1e-30, 1e-8, 6.1e-5, 6.104e-5, 1e-3, 65504.0, 65519.0, 65520.0, 1e9])
def test_coefficients_outside_the_range_of_half_precision_are_scaled(largest: float) -> None:
    coef = np.random.default_rng(0).normal(size=(200, 3))
    coef *= [1.0, largest / np.abs(coef[:, 1]).max(), 0.0]
    model = LinearModel.of(coef, np.zeros(3))
    assert model.coef.flags.c_contiguous
    fits = 6.103e-5 < largest < 65520
    # 2⁻²⁵ is half the distance of the smallest numbers of half precision.
    big = np.abs(coef[:, 1]) > np.abs(coef[:, 1]).max() / 1000
    np.testing.assert_allclose(model.coef[big, 1], coef[big, 1], rtol=2**-11, atol=2**-25 if fits else 0)
    assert np.array_equal(model.coef[:, [0, 2]], coef[:, [0, 2]].astype(np.float16).astype(np.float32))
    arrays = model.arrays()
    assert ("coef" in arrays) == fits
    again = LinearModel.restore({}, arrays, {})
    assert np.array_equal(again.coef, model.coef)
    assert np.array_equal(LinearModel.of(model.coef, model.intercept).coef, model.coef)


@pytest.mark.parametrize("kind", ["linear-svm", "logistic-regression"])
@pytest.mark.parametrize("multilabel", [False, True])
def test_a_strongly_regularised_model_keeps_its_coefficients(kind: str, multilabel: bool) -> None:
    X, y = sample(3)
    X = X / 100  # rows as short as those of TF-IDF
    model = fit_model(
        kind, X, classes(y), np.ones(len(y)), HyperParameters(C=1e-8), task=Task.of(3, multilabel=multilabel), seed=0
    )
    assert model.coef.any(axis=0).all()
    logits = LinearModel.restore({}, model.arrays(), {}).logits(X) - model.intercept
    assert (logits.argmax(axis=1) == y).mean() > 0.8


def test_fits_side_by_side_are_the_fits_alone() -> None:
    X, y = sample(2, n=3000, n_columns=400)

    def fit(seed: int) -> list[float]:
        solution = fit_linear_svm(LinearProblem(X, classes(y)[:, 1:], np.ones(len(y)), 3.0, seed, exclusive=False))
        return [*solution.coef[:, 0], *solution.intercept]

    alone = [fit(seed) for seed in range(12)]
    assert alone[0] != alone[1]  # the order of the rows is random
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert list(pool.map(fit, range(12))) == alone


def test_fits_side_by_side_leave_the_users_warnings_alone() -> None:
    X, y = sample(2)
    problem = LinearProblem(X, classes(y)[:, 1:], np.ones(len(y)), 10.0, 0, exclusive=False)
    estimators = [LinearSVC(C=10.0), LogisticRegression(C=10.0, max_iter=2)] * 20
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda estimator: fit_linear(estimator, problem, lambda n: None), estimators))
    assert list(warnings.filters) == before


@pytest.mark.parametrize("kind", ["decision-tree", "random-forest"])
def test_trees_give_one_label(kind: str) -> None:
    X, y = sample(3)
    with pytest.raises(RecipeError, match=r"one label.*`fast`"):
        fit_model(kind, X, classes(y), np.ones(len(y)), HyperParameters(C=1.0, alpha=1.0), task=Task.MULTILABEL, seed=0)
