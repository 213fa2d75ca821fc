"""Accuracy and calibration on other datasets: the recipe `fast` with default settings, fastText and scikit-learn.

The datasets are dev/*.parquet in TAGLINE_DATA. All contenders train on the train rows (dev rows are left out) and
are evaluated on the test rows, or with `--cross-validate` on five folds of the train rows, which is how defaults
are selected. Datasets without an official split are always cross-validated. For fastText, Chinese is split into
characters; scikit-learn's defaults do not split it.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import polars as pl

import measure
import peers

FOLDS = 5


@dataclass(frozen=True)
class Result:
    """One contender on one split: ``f1`` is the micro F1 of multi-label data, ``ece`` is None without probabilities."""

    accuracy: float
    f1: float | None
    ece: float | None
    fit: float
    predict: float


# A fitted contender: texts to predictions and probabilities (or None).
Predict = Callable[[pl.Series], tuple[Any, Any]]


def fit_tagline(texts: pl.Series, labels: pl.Series, classes: list[str]) -> Predict:
    """Fit `TextClassifier` with default settings."""
    from tagline import TextClassifier

    classifier = TextClassifier(recipe="fast", seed=0).fit(texts, labels)

    def predict(new: pl.Series) -> tuple[Any, Any]:
        proba = np.zeros((len(new), len(classes)))  # (n, n_classes), 0 for classes that are missing in the fold
        proba[:, np.searchsorted(classes, list(classifier.classes_))] = classifier.predict_proba(new)
        return decide(proba, labels), proba

    return predict


def fit_fasttext(texts: pl.Series, labels: pl.Series, classes: list[str]) -> Predict:
    """Fit fastText as its tutorial does."""
    model = peers.train_fasttext(texts, labels, peers.TUTORIAL)

    def predict(new: pl.Series) -> tuple[Any, Any]:
        proba = peers.fasttext_proba(model, new, classes)  # (n, n_classes)
        return decide(proba, labels), proba

    return predict


def fit_sklearn(features: Callable[[], Any]) -> Callable[[pl.Series, pl.Series, list[str]], Predict]:
    """Return a function that fits a linear SVM on ``features``; it has no probabilities."""

    def fit(texts: pl.Series, labels: pl.Series, classes: list[str]) -> Predict:
        multilabel = labels.dtype == pl.List
        model = peers.linear_svm(features(), multilabel).fit(texts.to_list(), encode(labels, classes))
        return lambda new: (model.predict(new.to_list()), None)

    return fit


CONTENDERS = {
    "tagline": fit_tagline,
    "fasttext": fit_fasttext,
    "words": fit_sklearn(peers.word_features),
    "words+characters": fit_sklearn(peers.word_and_character_features),
}


def encode(labels: pl.Series, classes: list[str]) -> Any:
    """Return the indices of the labels, (n,), or for multi-label data a 0/1 matrix, (n, n_classes)."""
    if labels.dtype != pl.List:
        return np.searchsorted(classes, labels.to_list())
    matrix = np.zeros((len(labels), len(classes)), int)  # (n, n_classes)
    for row, names in zip(matrix, labels.to_list(), strict=True):
        row[np.searchsorted(classes, names)] = 1
    return matrix


def decide(proba: Any, labels: pl.Series) -> Any:
    """Return the most probable class, (n,), or for multi-label data the classes above 0.5, (n, n_classes)."""
    return (proba > 0.5).astype(int) if labels.dtype == pl.List else proba.argmax(1)


def evaluate_contender(fit: Any, train: pl.DataFrame, test: pl.DataFrame, classes: list[str]) -> Result:
    """Fit on ``train``, predict ``test`` once, and return metrics and seconds."""
    from tagline.metrics import expected_calibration_error

    begin = time.perf_counter()
    predict = fit(train["text"], train["label"], classes)
    fitted = time.perf_counter()
    predicted, proba = predict(test["text"])
    done = time.perf_counter()
    truth = encode(test["label"], classes)
    correct = predicted == truth if truth.ndim == 1 else (predicted == truth).all(1)
    f1 = None if truth.ndim == 1 else float(2 * (predicted & truth).sum() / (predicted.sum() + truth.sum()))
    ece = None if proba is None else expected_calibration_error(truth, proba)
    return Result(float(correct.mean()), f1, ece, fitted - begin, done - fitted)


def splits(frame: pl.DataFrame, cross_validate: bool) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield train and test rows: the official split, or five stratified folds."""
    from sklearn.model_selection import StratifiedKFold

    if "test" in frame["split"] and not cross_validate:
        yield frame.filter(split="train"), frame.filter(split="test")
        return
    rows = frame.filter(pl.col("split") != "test", pl.col("split") != "dev")
    label = rows["label"].list.first() if rows["label"].dtype == pl.List else rows["label"]
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(np.zeros(len(rows)), label.to_numpy())
    for train, test in folds:
        yield rows[train], rows[test]


def mean(values: Sequence[float | None], shape: str) -> str:
    """Return the mean over the splits in the given format, or a dash if there are none."""
    return "-" if None in values else format(fmean(v for v in values if v is not None), shape)


def main() -> None:
    """Evaluate all contenders on all datasets and print a table."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=1)
    arguments.add_argument("--cross-validate", action="store_true", help="five folds of the train rows only")
    arguments.add_argument("--sets", nargs="+", metavar="NAME", help="only these datasets")
    arguments.add_argument("--only", nargs="+", choices=CONTENDERS, help="only these contenders")
    options = arguments.parse_args()
    folder = measure.original_data("dev")
    if folder is None:
        print("Nothing to measure: no folder in TAGLINE_DATA contains `dev`.", file=sys.stderr)
        return
    rows = [["set", "contender", "accuracy, %", "micro F1, %", "ECE, %", "fit, s", "predict, s"]]
    for path in sorted(folder.glob("*.parquet")):
        if options.sets and path.stem not in options.sets:
            continue
        frame = pl.read_parquet(path)
        labels = frame["label"].explode() if frame["label"].dtype == pl.List else frame["label"]
        classes = sorted(labels.unique())
        for name in options.only or CONTENDERS:
            fit = CONTENDERS[name]
            pairs = splits(frame, options.cross_validate)
            results = [evaluate_contender(fit, train, test, classes) for train, test in pairs]
            kind = path.stem + (f" ({FOLDS} folds)" if len(results) > 1 else "")
            figures = [
                mean([r.accuracy for r in results], ".2%"),
                mean([r.f1 for r in results], ".2%"),
                mean([r.ece for r in results], ".2%"),
                mean([r.fit for r in results], ".2f"),
                mean([r.predict for r in results], ".2f"),
            ]
            rows.append([kind, name, *(f.rstrip("%") for f in figures)])
            print(" ".join(rows[-1]), file=sys.stderr)
    what = f"{FOLDS} folds of the train rows" if options.cross_validate else "the test rows"
    text = f"Means over {what}. Multi-label accuracy is subset accuracy.\n\n{measure.table(rows)}"
    measure.publish("Other datasets", text, options.record)


if __name__ == "__main__":
    main()
