"""Trees as arrays: scikit-learn's own predictions decide."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from tagline.models import HyperParameters, TreeModel
from tagline.models.trees import fit_forest, fit_tree


def sample(n_classes: int, n: int = 700) -> tuple[sp.csr_matrix, np.ndarray]:
    rng = np.random.default_rng(n_classes)
    y = rng.integers(0, n_classes, n)
    X = rng.poisson(0.3 + 0.2 * rng.random((n_classes, 30))[y]) * rng.uniform(0.1, 1, (n, 30))
    return sp.csr_matrix(X), y


@pytest.fixture(params=[(kind, n) for kind in ("tree", "forest") for n in (2, 4)], ids=str)
def fitted(request: pytest.FixtureRequest):
    kind, n_classes = request.param
    X, y = sample(n_classes)
    Y, weights = np.eye(n_classes, dtype=bool)[y], np.random.default_rng(0).uniform(0.5, 2, len(y))
    if kind == "tree":
        model = fit_tree(X[:500], Y[:500], weights[:500], HyperParameters(max_depth=6), 3)
        other = DecisionTreeClassifier(max_depth=6, min_samples_leaf=2, random_state=3)
    else:
        model = fit_forest(X[:500], Y[:500], weights[:500], HyperParameters(max_depth=6, n_trees=7), 3)
        other = RandomForestClassifier(7, max_depth=6, min_samples_leaf=2, random_state=3)
    return model, other.fit(X[:500].astype(np.float32), y[:500], sample_weight=weights[:500]), X


def test_probabilities_are_scikit_learns(fitted) -> None:
    model, other, X = fitted
    expected = other.predict_proba(X.astype(np.float32))
    proba = model.proba(X)
    np.testing.assert_allclose(proba, expected[:, 1:] if expected.shape[1] == 2 else expected, atol=1e-6)
    assert len(np.unique(proba.round(6))) > 5


def test_alone_equals_in_a_batch(fitted) -> None:
    model, _, X = fitted
    batch = model.logits(X)
    for row in range(0, X.shape[0], 7):
        assert np.array_equal(model.logits(X[row])[0], batch[row])
    assert model.logits(X[:0]).shape == (0, batch.shape[1])


def test_logits_are_finite_log_odds_or_log_probabilities(fitted) -> None:
    model, _, X = fitted
    proba, logits = model.proba(X), model.logits(X)
    assert np.isfinite(logits).all()
    inner = (proba > 1e-5) & (proba < 1 - 1e-5)
    back = 1 / (1 + np.exp(-logits)) if proba.shape[1] == 1 else np.exp(logits)
    np.testing.assert_allclose(back[inner], proba[inner], rtol=1e-9)


def test_contributions_add_up_and_name_only_columns_on_the_way(fitted) -> None:
    model, _, X = fitted
    for row in range(60):
        root, added = model.path_contributions(X[row])
        total = root + sum(added.values())
        np.testing.assert_allclose(total, model.proba(X[row])[0], atol=1e-6)
        assert set(added) <= set(model.feature[model.feature >= 0].tolist())
        assert added


def test_arrays_come_back(fitted) -> None:
    model, _, X = fitted
    again = TreeModel.restore({}, {name: value.copy() for name, value in model.arrays().items()}, {})
    assert np.array_equal(again.logits(X), model.logits(X))


def test_a_threshold_between_neighbouring_numbers_still_parts_them() -> None:
    """In single precision the number halfway between these two is the upper one."""
    lower = np.nextafter(np.float32(4), np.float32(5))
    upper = np.nextafter(lower, np.float32(5))
    assert np.float32((float(lower) + float(upper)) / 2) == upper
    X = sp.csr_matrix(np.array([[lower], [upper]] * 3))
    model = fit_tree(X, np.eye(2, dtype=bool)[[0, 1] * 3], np.ones(6), HyperParameters(), 0)
    assert model.proba(X)[:, 0].tolist() == [0, 1] * 3


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_tree_of_one_leaf_gives_the_shares(n_classes: int) -> None:
    X, y = sample(n_classes)
    model = fit_tree(sp.csr_matrix(X.shape), np.eye(n_classes, dtype=bool)[y], np.ones(len(y)), HyperParameters(), 0)
    shares = np.bincount(y) / len(y)
    assert model.feature.tolist() == [-1]
    np.testing.assert_allclose(model.proba(X[:2]), [shares[1:] if n_classes == 2 else shares] * 2, atol=1e-6)
    root, added = model.path_contributions(X[0])
    assert not added
    np.testing.assert_allclose(root, model.proba(X[0])[0])


def test_a_class_without_rows_has_no_share() -> None:
    X, y = sample(3)
    Y = np.column_stack([np.eye(3, dtype=bool)[y], np.zeros(len(y), dtype=bool)])
    model = fit_forest(X, Y, np.ones(len(y)), HyperParameters(n_trees=5), 0)
    assert not model.proba(X)[:, 3].any()
    assert (model.logits(X)[:, 3] < -13).all()


def test_forests_side_by_side_leave_the_users_warnings_alone() -> None:
    """The threads of scikit-learn reset the filters of the process for each tree, and miss what others have reset."""
    X, y = sample(2, n=60)
    Y, weights, before = np.eye(2, dtype=bool)[y], np.ones(len(y)), list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: fit_forest(X, Y, weights, HyperParameters(max_depth=2, n_trees=40), seed), range(8)))
    assert list(warnings.filters) == before
