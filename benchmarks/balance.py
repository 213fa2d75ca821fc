"""What `--balance` does on imbalanced classes, beside a threshold, by cross-validation on training rows.

`python benchmarks/balance.py sms_spam.parquet sst2.parquet … --record`: the rows of each fold are predicted by models
of the others, without and with balanced class weights. Of two classes the rarer one is positive, and is also predicted
above a probability of 0.2. ``--share 0.05`` draws so many rows of it that it has this share.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from measure import parser, publish, table
from tagline import TextClassifier, load_dataset
from tagline.data.splits import copy_keys, fold_rows, strata, units
from tagline.metrics import expected_calibration_error
from tagline.task import Bools, Floats, Ints

PLAIN, BALANCED = None, "balanced"


def figures(y: Ints, predicted: Ints, proba: Floats) -> list[str]:
    """Return accuracy, macro F1, recall and precision of the rarest class, and calibration error, in per cent."""
    n_classes, rarest = proba.shape[1], int(np.bincount(y).argmin())
    right, given = np.bincount(y[predicted == y], minlength=n_classes), np.bincount(predicted, minlength=n_classes)
    true = np.bincount(y, minlength=n_classes)
    macro = np.mean(2 * right / np.maximum(1, given + true))
    shares = [np.mean(predicted == y), macro, right[rarest] / true[rarest], right[rarest] / max(1, given[rarest])]
    return [f"{100 * share:.2f}" for share in (*shares, expected_calibration_error(y, proba))]


def imbalanced(y: Ints, share: float | None) -> Ints:
    """Return the rows kept: all, or so many of the rarer of two classes that it has this share."""
    rare = y == np.bincount(y).argmin()
    if share is None:
        return np.arange(len(y))
    n = round(share / (1 - share) * int((~rare).sum()))
    kept: Bools = ~rare
    kept[np.random.default_rng(0).permutation(np.flatnonzero(rare))[:n]] = True
    return np.flatnonzero(kept)


def measured(path: str, recipe: str, n_folds: int, share: float | None) -> list[list[str]]:
    """Return a row of figures for each way to predict a data set."""
    data = load_dataset(path)
    classes = list(data.classes)
    y = np.array([classes.index(label) for label in data.train.labels])
    rows = imbalanced(y, share)
    texts, labels, y = data.train.texts[rows], data.train.labels[rows], y[rows]
    fold = fold_rows(units(copy_keys(texts), None), strata(pl.Series(y)), n_folds, seed=0)
    proba = {weight: np.zeros((len(y), len(classes))) for weight in (PLAIN, BALANCED)}
    for weight, found in proba.items():
        for k in range(n_folds):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            clf = TextClassifier(recipe, class_weight=weight).fit(texts[train], labels[train])
            found[test] = clf.predict_proba(texts[test])
    rare = int(np.bincount(y).argmin())

    def above(threshold: float) -> Callable[[Floats], Ints]:
        return lambda found: np.where(found[:, rare] > threshold, rare, 1 - rare)

    ways: dict[str, tuple[str | None, Callable[[Floats], Ints]]] = {
        "plain": (PLAIN, lambda found: found.argmax(axis=1)),
        "`--balance`": (BALANCED, lambda found: found.argmax(axis=1)),
    }
    if len(classes) == 2:
        ways["`--threshold 0.2`"] = (PLAIN, above(0.2))
    name = Path(path).stem + ("" if share is None else f", {100 * share:g} % {classes[rare]}")
    about = [name, f"{len(y):,}", f"{100 * np.mean(y == rare):.1f}"]
    table_rows = [
        [*about, way, *figures(y, decide(proba[weight]), proba[weight])] for way, (weight, decide) in ways.items()
    ]
    for row in table_rows:
        print(*row, file=sys.stderr, flush=True)
    return table_rows


def main() -> None:
    """Measure each data set and print a table."""
    options = parser(__doc__.splitlines()[0], rounds=1)
    options.add_argument("data", nargs="+", help="files, or names of built-in datasets, of one label a text")
    options.add_argument("--recipe", default="fast")
    options.add_argument("--folds", type=int, default=5)
    options.add_argument("--share", type=float, help="draw so many rows of the rarer of two classes")
    given = options.parse_args()
    header = ["data", "rows", "rarest class, %", "", "accuracy", "macro F1", "its recall", "its precision", "ECE, %"]
    rows = [row for path in given.data for row in measured(path, given.recipe, given.folds, given.share)]
    publish("Balanced class weights by cross-validation on training rows", table([header, *rows]), given.record)


if __name__ == "__main__":
    main()
