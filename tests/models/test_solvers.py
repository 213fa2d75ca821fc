"""The compiled solvers of linear models: liblinear decides, and scikit-learn's L-BFGS."""

import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tagline import parallel
from tagline.models.linear import logistic_regression, svm
from tagline.models.linear.logistic_regression import fit_logistic
from tagline.models.linear.problem import LinearProblem, LinearSolution, Prior
from tagline.models.linear.svm import fit_linear_svm


def unit_rows(n: int, n_columns: int, n_classes: int) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return rows like weighted n-grams, (n, n_columns), of unit length, and classes, (n,)."""
    rng = np.random.default_rng(0)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)])
    rates = rng.gamma(0.1, 0.6, (n_classes, n_columns)) + 20 / np.arange(10, n_columns + 10)
    X = sp.csr_matrix(np.log1p(rng.poisson(rates[y])))
    lengths = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags(1 / np.maximum(lengths, 1)) @ X), y


def svm_objectives(problem: LinearProblem, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Return the objective of each output, (n_outputs,)."""
    margins = np.where(problem.Y, 1, -1) * (problem.X @ coef + intercept)
    losses = problem.C * problem.weights @ np.square(np.maximum(0, 1 - margins))
    return (np.square(coef).sum(axis=0) + np.square(intercept)) / 2 + losses


def logistic_objective(problem: LinearProblem, coef: np.ndarray, intercept: np.ndarray) -> float:
    Z = problem.X @ coef + intercept
    if problem.exclusive:
        losses = np.logaddexp.reduce(Z, axis=1) - Z[problem.Y]
    else:
        losses = np.logaddexp(0, np.where(problem.Y, -Z, Z)).sum(axis=1)
    return float(np.square(coef).sum() / 2 + problem.C * problem.weights @ losses)


def svm_of_liblinear(problem: LinearProblem) -> tuple[np.ndarray, np.ndarray]:
    coef, intercept = [], []
    for y in problem.Y.T:
        model = LinearSVC(C=problem.C, tol=1e-5, max_iter=3_000, random_state=0)
        model.fit(problem.X, y, sample_weight=problem.weights)
        coef.append(model.coef_[0])
        intercept.append(model.intercept_[0])
    return np.column_stack(coef), np.array(intercept)


def logistic_of_scikit_learn(problem: LinearProblem) -> tuple[np.ndarray, np.ndarray]:
    coef, intercept = [], []
    for y in [problem.Y.argmax(axis=1)] if problem.exclusive else problem.Y.T:
        model = LogisticRegression(C=problem.C, tol=1e-6, max_iter=2_000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a judge that stops early is a milder one
            model.fit(problem.X, y, sample_weight=problem.weights)
        coef.append(model.coef_)
        intercept.append(model.intercept_)
    return np.vstack(coef).T, np.concatenate(intercept)


def problem_of(n_classes: int, *, n: int = 2_000, exclusive: bool = False, C: float = 1.0) -> LinearProblem:
    X, y = unit_rows(n, 800, n_classes)
    weights = np.random.default_rng(1).uniform(0.5, 2, n)
    Y = np.eye(n_classes, dtype=bool)[y]
    return LinearProblem(X, Y[:, 1:] if n_classes == 2 else Y, weights, C, 0, exclusive)


@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("n_classes", [2, 3, 6, 20])
def test_svms_reach_the_objective_of_liblinear(n_classes: int, C: float) -> None:
    problem = problem_of(n_classes, C=C)
    solution = fit_linear_svm(problem)
    coef, intercept = svm_of_liblinear(problem)
    reached, best = svm_objectives(problem, solution.coef, solution.intercept), svm_objectives(problem, coef, intercept)
    assert (reached * (1 - svm.GAP) < best * (1 + 1e-5)).all()  # which rounding to single precision may add
    ours, theirs = problem.X @ solution.coef + solution.intercept, problem.X @ coef + intercept
    assert ((ours > 0) == (theirs > 0)).mean() >= 0.999


@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
@pytest.mark.parametrize(("n_classes", "exclusive"), [(2, False), (3, True), (6, False), (20, True)])
def test_logistic_regressions_reach_the_objective_of_scikit_learn(n_classes: int, exclusive: bool, C: float) -> None:
    problem = problem_of(n_classes, exclusive=exclusive, C=C)
    solution = fit_logistic(problem)
    coef, intercept = logistic_of_scikit_learn(problem)
    best = logistic_objective(problem, coef, intercept)
    assert logistic_objective(problem, solution.coef, solution.intercept) < best * (1 + 1e-4)
    ours, theirs = problem.X @ solution.coef + solution.intercept, problem.X @ coef + intercept
    same = ours.argmax(axis=1) == theirs.argmax(axis=1) if exclusive else (ours > 0) == (theirs > 0)
    if exclusive:  # with a small C the best two of many classes may be as good as equal
        second, first = np.sort(theirs, axis=1)[:, -2:].T
        clear = first - second > 0.05 * theirs.std()
        assert clear.mean() > 0.8
        same = same[clear]
    assert same.mean() >= 0.999


@pytest.mark.parametrize("n_classes", [2, 6, 20])
def test_objectives_of_the_fallback_are_within_half_a_per_cent(n_classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the default strength; scikit-learn's solvers stop earlier than ours at weak regularisation."""
    problem = problem_of(n_classes)

    def objectives() -> np.ndarray:
        linear, logistic = fit_linear_svm(problem), fit_logistic(problem)
        of_svm = svm_objectives(problem, linear.coef, linear.intercept)
        return np.append(of_svm, logistic_objective(problem, logistic.coef, logistic.intercept))

    compiled = objectives()
    for module in (svm, logistic_regression):
        monkeypatch.setattr(module, "COMPILED", False)
    np.testing.assert_allclose(objectives(), compiled, rtol=5e-3)


@pytest.mark.parametrize("n_classes", [2, 6])
@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
def test_svms_with_a_prior_reach_the_objective_of_l_bfgs(
    n_classes: int, C: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also an output whose rows are all of one side, as of a class that the new texts lack."""
    problem = problem_of(n_classes, n=300, C=C)
    problem.Y[:, 0] = False
    n_columns, n_outputs = problem.X.shape[1], problem.Y.shape[1]
    rng = np.random.default_rng(2)
    prior = Prior(
        rng.normal(size=(n_columns, n_outputs)).astype(np.float32),
        rng.normal(size=n_outputs),
        rng.uniform(1, 50, n_columns),
        40.0,
    )
    problem = replace(problem, prior=prior)

    def objectives(solution: LinearSolution) -> np.ndarray:
        slack = np.maximum(0, 1 - np.where(problem.Y, 1, -1) * (problem.X @ solution.coef + solution.intercept))
        moved = prior.precision @ np.square(solution.coef - prior.coef)
        moved += prior.intercept_precision * np.square(solution.intercept - prior.intercept)
        return np.asarray(moved / 2 + C * problem.weights @ np.square(slack))

    reached = objectives(fit_linear_svm(problem))
    monkeypatch.setattr(svm, "COMPILED", False)
    best = objectives(fit_linear_svm(problem))
    assert (reached * (1 - svm.GAP) <= best * (1 + 1e-5) + 1e-9).all()
    assert (best <= reached * (1 + 1e-5) + 1e-9).all()


@st.composite
def small_problems(draw: st.DrawFn) -> LinearProblem:
    """Draw rows with copies and empty ones, weights of several magnitudes, outputs with a single row on a side."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_columns, n_outputs = draw(st.integers(2, 25)), draw(st.integers(1, 12)), draw(st.integers(1, 6))
    X = rng.normal(size=(n, n_columns)) * (rng.random((n, n_columns)) < draw(st.sampled_from([0.1, 0.5, 1.0])))
    X = X[rng.integers(0, n, n)] * draw(st.sampled_from([0.01, 1.0]))
    Y = rng.random((n, n_outputs)) < draw(st.sampled_from([0.05, 0.5]))
    Y[0], Y[1] = True, False  # both values, as the solvers expect
    weights = np.exp(rng.uniform(-1, 1, n))
    C = draw(st.sampled_from([1e-6, 1e-2, 1.0]))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    return LinearProblem(sp.csr_matrix(X.astype(kind)), Y, weights, C, draw(st.integers(0, 9)), exclusive=False)


@settings(max_examples=50, deadline=None)
@given(small_problems())
def test_small_svms_reach_the_objective_of_liblinear(problem: LinearProblem) -> None:
    solution = fit_linear_svm(problem)
    reached, best = svm_objectives(problem, solution.coef, solution.intercept), svm_of_liblinear(problem)
    assert (reached * (1 - svm.GAP) <= svm_objectives(problem, *best) * (1 + 1e-5) + 1e-12).all()


@settings(max_examples=15, deadline=None)
@given(small_problems())
def test_small_logistic_regressions_reach_the_objective_of_scikit_learn(problem: LinearProblem) -> None:
    solution = fit_logistic(problem)
    best = logistic_objective(problem, *logistic_of_scikit_learn(problem))
    assert logistic_objective(problem, solution.coef, solution.intercept) <= best * (1 + 1e-3) + 1e-12


@pytest.mark.parametrize("fit", [fit_linear_svm, fit_logistic])
@pytest.mark.parametrize("C", [1e-30, 1e-9, 1e9, 1e30, 1e39, 1e300])
def test_extreme_regularisation_gives_finite_numbers(fit: Callable[[LinearProblem], LinearSolution], C: float) -> None:
    problem = problem_of(3, n=60, C=C, exclusive=True)
    solution = fit(problem)
    assert np.isfinite(solution.coef).all()
    assert np.isfinite(solution.intercept).all()
    if C > 1:
        logits = problem.X @ solution.coef + solution.intercept
        assert (logits.argmax(axis=1) == problem.Y.argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize("fit", [fit_linear_svm, fit_logistic])
@pytest.mark.parametrize(("n_classes", "exclusive"), [(2, False), (20, False), (37, True)])
def test_any_number_of_threads_gives_the_same_bits(
    fit: Callable[[LinearProblem], LinearSolution], n_classes: int, exclusive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = problem_of(n_classes, n=500, exclusive=exclusive)
    solutions = []
    for n_cores in (1, 2, 4):
        monkeypatch.setattr(parallel, "_available", lambda n_cores=n_cores: n_cores)
        solutions.append(fit(problem))
    for first, second in pairwise(solutions):
        assert np.array_equal(first.coef, second.coef)
        assert np.array_equal(first.intercept, second.intercept)


@pytest.mark.parametrize("fit", [fit_linear_svm, fit_logistic])
def test_an_output_does_not_depend_on_those_beside_it(fit: Callable[[LinearProblem], LinearSolution]) -> None:
    every = problem_of(20, n=500)
    some = LinearProblem(every.X, every.Y[:, 5:8], every.weights, every.C, every.seed, exclusive=False)
    assert np.array_equal(fit(some).coef, fit(every).coef[:, 5:8])


@pytest.mark.parametrize("module", [svm, logistic_regression])
def test_ctrl_c_ends_a_fit(module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(20, n=1_000, exclusive=False)
    # They would run on for hours.
    monkeypatch.setattr(svm, "GAP", -1.0)
    monkeypatch.setattr(svm, "_MOST_PASSES", 10**9)
    monkeypatch.setattr(logistic_regression, "_FORCING", 0.0)
    monkeypatch.setattr(logistic_regression, "_MOST_PRODUCTS", 10**9)
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have turned it off
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            (fit_linear_svm if module is svm else fit_logistic)(problem)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("columns", "starts", "message"),
    [
        ([0, 3], [0, 1, 2], "not below 3"),
        ([0, -1], [0, 1, 2], "not below 3"),
        ([0, 2**31 - 1], [0, 1, 2], "not below 3"),
        ([0, 1], [0, 2, 1], "row pointers"),
        ([0, 1], [1, 1, 2], "row pointers"),
        ([0, 1], [0, 1, 3], "row pointers"),
        ([0, 1], [0, -1, 2], "row pointers"),
        ([0, 1, 2], [0, 1, 2], "row pointers"),
        ([], [], "row pointers"),
    ],
)
def test_forged_rows_are_refused(columns: list[int], starts: list[int], message: str) -> None:
    from tagline.models.linear._solvers import Rows

    with pytest.raises(ValueError, match=message):
        Rows(np.ones(2, np.float32), np.array(columns, np.int32), np.array(starts, np.int64), 3)


def test_arrays_that_do_not_fit_are_refused() -> None:
    from tagline.models.linear._solvers import DualDescent, Rows, add_gram_products, add_transposed_products

    rows = Rows(np.ones(2, np.float32), np.array([0, 2], np.int32), np.array([0, 1, 2], np.int64), 3)
    a, b = np.zeros((3, 4), np.float32), np.zeros((2, 4), np.float32)
    add_gram_products(rows, a, a.copy(), 0, 2)
    for product, arrays in [
        (add_gram_products, (a, b, 0, 2)),
        (add_gram_products, (b, b.copy(), 0, 2)),
        (add_gram_products, (a, a.copy(), 0, 3)),
        (add_gram_products, (np.zeros((3, 5), np.float32), np.zeros((3, 5), np.float32), 0, 2)),
        (add_transposed_products, (a, a.copy(), 0, 2)),
        (add_transposed_products, (a, b, -1, 2)),
    ]:
        with pytest.raises(ValueError, match="do not fit together"):
            product(rows, *arrays)
    shapes = {
        "targets": ((2, 4), np.int8),
        "ridge": ((2,), np.float32),
        "weights": ((3, 4), np.float32),
        "intercept": ((4,), np.float32),
        "active": ((2,), np.uint16),
        "threshold": ((4,), float),
        "progress": ((3, 4), float),
    }
    arrays = {name: np.ones(shape, kind) for name, (shape, kind) in shapes.items()}
    descent = DualDescent(rows, **arrays)
    with pytest.raises(IndexError):
        descent.sweep(np.array([0, 2], np.int32), 0, 0b1111)
    for name, array in arrays.items():
        with pytest.raises(ValueError, match="do not fit together"):
            DualDescent(rows, **(arrays | {name: array[:-1].copy()}))


def test_scikit_learn_is_not_imported() -> None:
    code = (
        "import sys; import numpy as np; from tagline import TextClassifier; "
        "TextClassifier('fast').fit(['good film', 'bad film'] * 30, ['pos', 'neg'] * 30); "
        "print(sorted(m for m in sys.modules if m.startswith('sklearn'))[:3])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
