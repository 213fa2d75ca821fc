"""Our solvers of linear models beside liblinear and scikit-learn's L-BFGS, on the same matrices.

Each matrix has the training rows of a dataset, as the recipe weighs them. Four fifths of the rows are learned from, the
others decide how often both give the same answer; no test row is read. Time is compared with the peer at the tolerance
that tagline used before, objective and answers with the peer at a tight one. Seconds are those of the clock and, in
brackets, of all processors: with other work on the machine the latter say more.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

import measure

SVM, LOGISTIC = "linear-svm", "logistic-regression"
RECIPES = {SVM: "fast", LOGISTIC: "logistic-regression"}


def capture(name: str, kind: str) -> Any:
    """Return the `LinearProblem` that the recipe makes of a dataset."""
    from tagline import TextClassifier
    from tagline.models.linear import LINEAR_MODELS

    path = measure.original_data("imdb/train.parquet" if name == "imdb" else f"dev/{name}.parquet")
    if path is None:
        raise SystemExit(f"{name} is not in TAGLINE_DATA")
    frame = pl.read_parquet(path)
    if "split" in frame.columns:
        frame = frame.filter(split="train")
    found = []

    def keep(problem: Any, fitted: Callable[[int], None]) -> Any:
        found.append(problem)
        raise StopIteration

    solver, LINEAR_MODELS[kind] = LINEAR_MODELS[kind], keep
    settings = {
        "protocol.validation": "none",
        "protocol.calibration": "none",
        "model.C": 10.0 if kind == LOGISTIC else 1.0,
    }
    try:
        TextClassifier(RECIPES[kind], settings=settings).fit(frame["text"], frame["label"])
    except StopIteration:
        pass
    finally:
        LINEAR_MODELS[kind] = solver
    return found[0]


def peer(problem: Any, kind: str, *, exact: bool = False) -> Any:
    """Solve as tagline did before it had solvers of its own, or until scikit-learn's solver has converged."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    from tagline.models.estimators import fit_linear

    if kind == LOGISTIC:
        settings = {"max_iter": 5000, "tol": 1e-6} if exact else {"max_iter": 200}
        return fit_linear(LogisticRegression(C=problem.C, **settings), problem, lambda n: None)
    settings = {"max_iter": 2000, "tol": 1e-4} if exact else {"max_iter": 60, "tol": 0.1}
    return fit_linear(LinearSVC(C=problem.C, dual=True, random_state=0, **settings), problem, lambda n: None)


def objective(problem: Any, solution: Any, kind: str) -> float:
    """Return the sum of the objectives of all outputs."""
    Z = problem.X @ solution.coef + solution.intercept
    penalty = np.square(solution.coef, dtype=np.float64).sum()
    if kind == SVM:
        losses = np.square(np.maximum(0, 1 - np.where(problem.Y, Z, -Z))).sum(axis=1)
        penalty += np.square(solution.intercept).sum()
    elif problem.exclusive:
        losses = np.logaddexp.reduce(Z, axis=1) - Z[problem.Y]
    else:
        losses = np.logaddexp(0, np.where(problem.Y, -Z, Z)).sum(axis=1)
    return float(penalty / 2 + problem.C * problem.weights @ losses)


def compare(name: str, kind: str) -> list[str]:
    """Return a row of the table."""
    from dataclasses import replace

    from tagline.models.linear import LINEAR_MODELS

    problem = capture(name, kind)
    n = problem.X.shape[0]
    held = np.random.default_rng(0).permutation(n) < n // 5
    train = replace(problem, X=problem.X[~held], Y=problem.Y[~held], weights=problem.weights[~held])
    solutions, seconds = [], []
    for solve in (lambda: LINEAR_MODELS[kind](train, lambda n: None), lambda: peer(train, kind)):
        begin, busy = time.perf_counter(), time.process_time()
        solutions.append(solve())
        seconds.append((time.perf_counter() - begin, time.process_time() - busy))
    exact = peer(train, kind, exact=True)
    ours, theirs = (problem.X[held] @ s.coef + s.intercept for s in (solutions[0], exact))
    same = ours.argmax(axis=1) == theirs.argmax(axis=1) if problem.exclusive else (ours > 0) == (theirs > 0)
    apart = objective(train, solutions[0], kind) / objective(train, exact, kind) - 1
    print(name, kind, seconds, file=sys.stderr)
    return [
        f"{name}, {kind}",
        f"{train.X.nnz / 1e6:.1f}",
        str(train.Y.shape[1]),
        *(f"{wall:.2f} ({busy:.2f})" for wall, busy in seconds),
        f"{seconds[0][0] / seconds[1][0]:.2f} ({seconds[0][1] / seconds[1][1]:.2f})",
        f"{apart:+.1e}",
        f"{100 * same.mean():.2f}",
    ]


def main() -> None:
    """Compare on each dataset."""
    options = measure.parser(__doc__.splitlines()[0])
    options.add_argument("jobs", nargs="*", default=["imdb", "banking77", "20ng", "goemotions"], help="datasets")
    options.add_argument("--logistic", action="store_true", help="logistic regression in place of the SVM")
    arguments = options.parse_args()
    header = ["data", "entries, m", "outputs", "ours, s", "peer, s", "ratio", "objective", "same answers, %"]
    rows = [compare(name, LOGISTIC if arguments.logistic else SVM) for name in arguments.jobs]
    measure.publish("Solvers of linear models beside scikit-learn's", measure.table([header, *rows]), arguments.record)


if __name__ == "__main__":
    main()
