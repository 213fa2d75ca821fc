"""Calibration of probabilities, by nested cross-validation on training rows: temperature scaling and `auto`.

`python benchmarks/calibration.py data.parquet … --record`: rows of the outer folds are predicted by models that were
calibrated on rows that are held out of the others.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from measure import parser, publish, table
from tagline import TextClassifier, load_dataset
from tagline.data.splits import copy_keys, fold_rows, strata, units
from tagline.metrics import expected_calibration_error
from tagline.task import Bools, Floats, Ints, Task

METHODS = ("temperature", "auto")
_LEAST = 1e-15


def matrix(labels: pl.Series, classes: list[str]) -> Bools:
    """Return the class matrix of labels, (n_texts, n_classes)."""
    rows = labels.to_list() if isinstance(labels.dtype, pl.List) else [[label] for label in labels]
    return np.array([[name in row for name in classes] for row in rows])


def figures(Y: Bools, proba: Floats, threshold: Floats, task: Task) -> list[float]:
    """Return calibration error, log loss and accuracy in per cent, or micro F1 of label sets."""
    if task is Task.MULTILABEL:
        log_loss = -np.log(np.maximum(np.where(Y, proba, 1 - proba), _LEAST)).mean()
        given = proba > threshold
        return [100 * expected_calibration_error(Y, proba), log_loss, 200 * (Y & given).sum() / (Y.sum() + given.sum())]
    y = Y.argmax(axis=1)
    log_loss = -np.log(np.maximum(proba[Y], _LEAST)).mean()
    return [100 * expected_calibration_error(y, proba), log_loss, 100 * (proba.argmax(axis=1) == y).mean()]


def nested(path: str, recipe: str, n_folds: int, n_used: int) -> list[list[str]]:
    """Return a row of figures for each method, of ``n_used`` of ``n_folds`` outer folds."""
    data = load_dataset(path)
    texts, labels, classes = data.train.texts, data.train.labels, list(data.classes)
    Y = matrix(labels, classes)
    fold = fold_rows(units(copy_keys(texts), None), strata(pl.Series(Y.argmax(axis=1))), n_folds, seed=0)
    rows = []
    for method in METHODS:
        proba, threshold, kinds = np.zeros(Y.shape), np.full(Y.shape, 0.5), []
        for k in range(n_used):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            clf = TextClassifier(recipe, settings=[f"protocol.calibration={method}"])
            clf.fit(texts[train], labels[train])
            columns: Ints = np.array([classes.index(str(name)) for name in clf.classes_])
            proba[test[:, None], columns] = clf.predict_proba(texts[test])
            threshold[test[:, None], columns] = clf.threshold_
            kinds.append(clf.calibrator_.kind)
        used = np.flatnonzero(fold < n_used)
        ece, log_loss, accuracy = figures(Y[used], proba[used], threshold[used], Task(data.task))
        rows.append([Path(path).stem, str(len(texts)), method, " ".join(sorted(set(kinds)))])
        rows[-1] += [f"{ece:.2f}", f"{log_loss:.4f}", f"{accuracy:.2f}"]
        print(*rows[-1], file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Measure each data set and print a table."""
    options = parser(__doc__.splitlines()[0], rounds=1)
    options.add_argument("data", nargs="+", help="files, or names of built-in datasets")
    options.add_argument("--recipe", default="fast")
    options.add_argument("--folds", type=int, default=5)
    options.add_argument("--used", type=int, help="of the folds that are predicted; all by default")
    given = options.parse_args()
    rows = [["data", "train rows", "calibration", "chosen", "ECE, %", "log loss", "accuracy or micro F1, %"]]
    for path in given.data:
        rows += nested(path, given.recipe, given.folds, given.used or given.folds)
    publish("Calibration by nested cross-validation on training rows", table(rows), given.record)


if __name__ == "__main__":
    main()
