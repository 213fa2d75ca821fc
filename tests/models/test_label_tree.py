"""Label trees: against one linear SVM for each class, by hand, and against forged arrays."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.models.label_tree import LabelTree, calibrated, fit_label_tree
from tagline.models.label_tree.clustering import class_centroids, ordered_groups
from tagline.models.linear.problem import LinearProblem
from tagline.models.linear.svm import fit_linear_svm
from tagline.task import Ints

N_CLASSES, N_COLUMNS = 400, 600


def rows_of_classes(n: int, seed: int) -> tuple[sp.csr_matrix, Ints]:
    """Return rows of norm 1 with columns of their class, of its group of 20 classes, and of all classes."""
    rng = np.random.default_rng(seed)
    own = np.random.default_rng(0).integers(0, N_COLUMNS, (N_CLASSES, 4))
    y = np.arange(n) % N_CLASSES
    group = y // 20
    columns = np.column_stack(
        [
            own[y, rng.integers(0, 4, n)],
            own[y, rng.integers(0, 4, n)],
            group * 3 + rng.integers(0, 3, n),
            rng.integers(0, N_COLUMNS, (n, 2)),
        ]
    )
    X = sp.csr_matrix((np.ones(columns.size), (np.repeat(np.arange(n), 5), columns.ravel())), (n, N_COLUMNS))
    norms = np.sqrt(X.multiply(X).sum(axis=1)).A.ravel()
    return sp.csr_matrix(sp.diags(1 / norms) @ X).astype(np.float32), y


@pytest.fixture(scope="module")
def tree() -> LabelTree:
    """Return a calibrated tree."""
    X, y = rows_of_classes(8_000, 1)
    held, truth = rows_of_classes(2_000, 2)
    return calibrated(fit_label_tree(X, y, N_CLASSES, np.ones(len(y)), 1.0, 0), held, truth, np.ones(len(truth)))


def test_a_tree_is_as_accurate_as_one_svm_for_each_class(tree: LabelTree) -> None:
    X, y = rows_of_classes(8_000, 1)
    test, truth = rows_of_classes(3_000, 3)
    solved = fit_linear_svm(LinearProblem(X, y[:, np.newaxis] == np.arange(N_CLASSES), np.ones(len(y)), 1.0, 0, True))
    of_svms = float(((test @ solved.coef + solved.intercept).argmax(axis=1) == truth).mean())
    of_tree = float((tree.top(test).classes[:, 0] == truth).mean())
    assert of_svms > 0.6
    assert of_tree > of_svms - 0.02


def test_probabilities_are_calibrated_and_add_up_to_one(tree: LabelTree) -> None:
    test, truth = rows_of_classes(3_000, 4)
    proba = tree.top(test)
    right = proba.classes[:, 0] == truth
    assert abs(float(proba.values[:, 0].mean()) - float(right.mean())) < 0.04
    assert (np.diff(proba.values, axis=1) <= 0).all()
    np.testing.assert_allclose(proba.dense().sum(axis=1), 1.0)
    np.testing.assert_allclose(proba[np.arange(len(truth)), truth], proba.dense()[np.arange(len(truth)), truth])
    np.testing.assert_allclose(proba.sums_of_squares(), np.square(proba.dense()).sum(axis=1))


def test_the_search_is_that_of_the_reference_and_of_single_rows(
    tree: LabelTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    test, _ = rows_of_classes(300, 5)
    proba = tree.top(test)
    for row in range(5):
        alone = tree.top(test[row])
        assert (alone.classes[0] == proba.classes[row]).all()
        assert (alone.values[0] == proba.values[row]).all()
    monkeypatch.setattr("tagline.models.label_tree.tree.COMPILED", False)
    reference = tree.top(test)
    assert (reference.classes == proba.classes).all()
    np.testing.assert_allclose(reference.values, proba.values, rtol=1e-9)


def test_probabilities_are_the_softmax_of_the_losses_on_all_paths() -> None:
    """Two nodes below the root, of two classes each; computed by hand."""
    tree = LabelTree(
        starts=np.array([0, 2, 4, 6]),
        classes=np.array([3, 0, 2, 1]),
        row_starts=np.array([0, 1, 2, 2]),
        columns=np.array([0, 1], np.int32),
        entry_starts=np.array([0, 1, 2]),
        children=np.array([1, 0], np.uint16),
        weights=np.array([1.0, 0.5], np.float32),
        bias=np.array([0.0, 0.25, 0.0, 0.0, 1.5, 0.0], np.float32),
        slopes=np.array([1.0, 2.0]),
        elsewhere=2.0,
        n_classes=4,
    )
    X = sp.csr_matrix(np.array([[0.5, 1.0]]))
    # Scores below 1 at the root: 0 and 0.5 + 0.25; at the first node 0.5 and 0, at the second one 1.5 and 0.
    losses = {3: 1.0 + 2 * 0.25, 0: 1.0 + 2 * 1.0, 2: 0.0625 + 2 * 0.0, 1: 0.0625 + 2 * 1.0}
    total = sum(np.exp(-loss) for loss in losses.values()) + np.exp(-2.0)
    expected = {k: np.exp(-loss) / total for k, loss in losses.items()}
    proba = tree.top(X)
    assert tree.k == 4
    assert proba.classes[0].tolist() == [2, 3, 1, 0]
    assert dict(zip(proba.classes[0].tolist(), proba.values[0].tolist(), strict=True)) == pytest.approx(expected)
    np.testing.assert_allclose(np.exp(tree.logits(X))[0], [expected[k] for k in range(4)])
    found = tree.contributions(X, 2, 1.0)
    assert (found.intercept, found.score) == pytest.approx((0.25 + 2 * 1.5, 0.75 + 2 * 1.5))
    assert found.values.tolist() == [0.5, 0.0]


def test_groups_are_of_equal_size_and_hold_similar_classes() -> None:
    X, y = rows_of_classes(8_000, 1)
    groups = ordered_groups(class_centroids(X, y, N_CLASSES), 4, 0)
    assert {len(group) for group in groups} == {25}
    assert sorted(np.concatenate(groups).tolist()) == list(range(N_CLASSES))
    neighbours = [np.bincount(group // 20).max() for group in groups]  # classes of one of the 20 groups
    assert np.mean(neighbours) > 8  # 3.6 by chance


def test_the_same_tree_on_any_number_of_threads_and_from_a_bundle(
    tree: LabelTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = rows_of_classes(2_000, 1)
    first = fit_label_tree(X, y, N_CLASSES, np.ones(len(y)), 1.0, 0)
    monkeypatch.setattr("tagline.parallel._limit", 1, raising=True)
    second = fit_label_tree(X, y, N_CLASSES, np.ones(len(y)), 1.0, 0)
    assert all((first.arrays()[name] == array).all() for name, array in second.arrays().items())
    restored = LabelTree.restore(tree.settings(), tree.arrays(), {})
    test, _ = rows_of_classes(200, 6)
    assert (restored.top(test).values == tree.top(test).values).all()


def test_classes_without_rows_have_no_leaf_but_a_probability() -> None:
    X, y = rows_of_classes(2_000, 1)
    known = y % 10 != 0
    tree = fit_label_tree(X[known], y[known], N_CLASSES, np.ones(known.sum()), 1.0, 0)
    held, truth = rows_of_classes(500, 2)
    tree = calibrated(tree, held, truth, np.ones(len(truth)))
    proba = tree.top(held)
    assert not (proba.classes % 10 == 0).any()
    unknown = truth % 10 == 0
    assert (proba[np.flatnonzero(unknown), truth[unknown]] == proba.rest[unknown]).all()


def forged(tree: LabelTree, name: str, values: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
    return {**tree.arrays(), name: values}


def test_forged_arrays_are_refused(tree: LabelTree) -> None:
    arrays = tree.arrays()
    changed = {
        "widths": arrays["widths"] + 1,
        "classes": np.zeros_like(arrays["classes"]),
        "rows": arrays["rows"][::-1][1:],
        "columns": arrays["columns"][::-1].copy(),
        "entries": arrays["entries"] + 1,
        "children": np.full_like(arrays["children"], 60_000),
        "bias": np.full_like(arrays["bias"], 1e30),
        "slopes": np.array([1.0, -1.0]),
        "elsewhere": np.array([np.inf]),
    }
    for name, values in changed.items():
        with pytest.raises(ValueError, match="of a label tree"):
            LabelTree.restore(tree.settings(), forged(tree, name, values), {})
    with pytest.raises(ValueError, match="label tree"):
        LabelTree.restore(tree.settings(), forged(tree, "slopes", np.ones(3)), {})
    with pytest.raises(ValueError, match="wrong type"):
        LabelTree.restore(tree.settings(), forged(tree, "children", arrays["children"].astype(float)), {})
    with pytest.raises(ValueError, match="number of classes"):
        LabelTree.restore({"classes": -1}, arrays, {})
    with pytest.raises(ValueError, match="features"):
        tree.check(10, N_CLASSES)


def test_there_is_no_onnx_graph(tree: LabelTree) -> None:
    with pytest.raises(InputError, match="has no ONNX graph"):
        tree.to_graph(None, None)  # type: ignore[arg-type]  # raised before it is used
