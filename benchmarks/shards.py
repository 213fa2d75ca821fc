"""Linear SVMs whose rows are divided among machines: block averaging and consensus ADMM, next to one machine.

Vocabulary, scales and `C` are those of all rows, as exact sums over shards would give them; what is compared is the
learner. With K shards, block averaging fits each with K C, so that the mean has as much of the penalty as of the loss.
Consensus ADMM (Boyd et al. 2011, section 7.1.1) fits each shard again and again with a penalty on the distance from
what all have found, which `Prior` describes, and sends coefficients once a round. A fifth of the train rows is held
out; no test row is read. Excess: of the objective over that of one machine.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import scipy.sparse as sp

import measure
from solvers import SVM, objective
from tagline import TextClassifier
from tagline.models.linear import LINEAR_MODELS
from tagline.models.linear.problem import LinearProblem, LinearSolution, Prior
from tagline.task import Bools

SETS = {"IMDB": "imdb/train.parquet", "20 newsgroups": "dev/20ng.parquet"}
SHARDS = (4, 16)
ROUNDS = (1, 3, 10, 20)
HELD_OUT = 5  # one row in so many
SETTINGS = {"protocol.validation": "none", "protocol.calibration": "none", "model.C": 1.0, "model.blend": 0.0}


def main() -> None:
    """Print a table of accuracies."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=1)
    options = arguments.parse_args()
    rows = [["set", "shards", "learner", "rounds", "accuracy, %", "excess, %"]]
    for name, path in SETS.items():
        rows += rows_of(name, path)
    measure.publish("Linear SVMs of divided rows", measure.table(rows), options.record)


def rows_of(name: str, path: str) -> list[list[str]]:
    """Return the rows of the table for one set."""
    problem, X, Y = problem_of(path)
    best = LINEAR_MODELS[SVM](problem, lambda n: None)
    least = objective(problem, best, SVM)

    def row(shards: str, learner: str, n_rounds: str, found: LinearSolution) -> list[str]:
        excess = objective(problem, found, SVM) / least - 1
        return [name, shards, learner, n_rounds, f"{100 * accuracy(found, X, Y):.2f}", f"{100 * excess:.2f}"]

    rows = [row("1", "one machine", "", best)]
    for n_shards in SHARDS:
        shards = divided(problem, n_shards)
        rows.append(row(str(n_shards), "block averaging", "1", averaged(shards)))
        for number, found in enumerate(consensus(shards, 1 / n_shards), 1):
            if number in ROUNDS:
                rows.append(row(str(n_shards), "consensus ADMM", str(number), found))
            if number == ROUNDS[-1]:
                break
    return rows


def problem_of(path: str) -> tuple[LinearProblem, sp.csr_matrix, Bools]:
    """Return what `fast` gives its solver, and features and classes of the held-out rows."""
    found = measure.original_data(path)
    if found is None:
        raise SystemExit(f"There is no {path} below TAGLINE_DATA.")
    frame = pl.read_parquet(found)
    if "split" in frame.columns:
        frame = frame.filter(split="train")
    frame = frame.select("text", pl.col("label").cast(pl.String)).sample(fraction=1, shuffle=True, seed=7)
    held, learned = frame.head(len(frame) // HELD_OUT), frame.tail(-(len(frame) // HELD_OUT))
    problems: list[LinearProblem] = []
    solver = LINEAR_MODELS[SVM]
    LINEAR_MODELS[SVM] = lambda problem, fitted: (problems.append(problem), solver(problem, fitted))[1]
    try:
        clf = TextClassifier("fast", settings=SETTINGS).fit(learned["text"], learned["label"])
    finally:
        LINEAR_MODELS[SVM] = solver
    classes = held["label"].to_numpy()[:, np.newaxis] == clf.classes_
    return problems[-1], clf.vectorizer_.transform(held["text"]), classes


def divided(problem: LinearProblem, n_shards: int) -> list[LinearProblem]:
    """Divide the rows at random."""
    of_shard = np.random.default_rng(0).integers(n_shards, size=problem.X.shape[0])
    parts = [np.flatnonzero(of_shard == shard) for shard in range(n_shards)]
    return [replace(problem, X=problem.X[p], Y=problem.Y[p], weights=problem.weights[p]) for p in parts]


def averaged(shards: list[LinearProblem]) -> LinearSolution:
    """Return the mean of the solutions of all shards."""
    fit = partial(LINEAR_MODELS[SVM], fitted=lambda n: None)
    found = [fit(replace(shard, C=shard.C * len(shards))) for shard in shards]
    return LinearSolution(
        np.mean([one.coef for one in found], axis=0), np.mean([one.intercept for one in found], axis=0)
    )


def consensus(shards: list[LinearProblem], rho: float) -> Iterator[LinearSolution]:
    """Yield what the shards agree on after each round; ``rho`` multiplies the penalty of the distance from it."""
    n_columns, n_outputs = shards[0].X.shape[1], shards[0].Y.shape[1]
    z = np.zeros((n_columns + 1, n_outputs))  # the last row are the intercepts
    u = [np.zeros_like(z) for _ in shards]
    precision = np.full(n_columns, rho)
    while True:
        w = []
        for shard, own in zip(shards, u, strict=True):
            start = z - own
            prior = Prior(start[:-1].astype(np.float32), start[-1], precision, rho)
            found = LINEAR_MODELS[SVM](replace(shard, prior=prior), lambda n: None)
            w.append(np.vstack([found.coef, found.intercept]))
        z = rho * sum(a + b for a, b in zip(w, u, strict=True)) / (1 + rho * len(shards))
        for own, found_by in zip(u, w, strict=True):
            own += found_by - z
        yield LinearSolution(z[:-1], z[-1])


def accuracy(solution: LinearSolution, X: sp.csr_matrix, Y: Bools) -> float:
    """Return the share of rows whose class has the largest logit."""
    logits = X @ solution.coef + solution.intercept
    if logits.shape[1] == 1:
        logits = np.hstack([-logits, logits])
    return float(Y[np.arange(len(Y)), logits.argmax(axis=1)].mean())


if __name__ == "__main__":
    main()
