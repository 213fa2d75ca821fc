"""Thresholds of label sets beside LibMultiLabel's linear recipe, by nested cross-validation on training rows.

`python benchmarks/thresholds.py goemotions.parquet --peer PYTHON --record`: the rows of the outer folds are predicted
by models that were trained, and whose thresholds were chosen, on the others. `fast` with one threshold and with one for
each label, chosen on a tenth of the rows or on all in turn; and TF-IDF with `train_1vsrest`, `train_thresholding` and
`train_cost_sensitive` of LibMultiLabel, with its defaults, on the same folds; with `--tuned` also its thresholding with
features and `C` of the best macro F1 in a cross-validation. ``PYTHON`` is that of an environment with
`libmultilabel`, into which the script `--fold` reads texts and labels, and writes the predicted labels.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

PEERS = ("train_1vsrest", "train_thresholding", "train_cost_sensitive")
TUNED = "train_thresholding, tuned"
TUNED_FOLDS = 3
FEATURES = [{"ngram_range": (1, longest)} for longest in (1, 2)]
OPTIONS = [f"-s 2 -c {C}" for C in (0.5, 1, 2, 4)]
OURS = {
    "one threshold": ["protocol.thresholds=one"],
    "one for each label, chosen on a tenth": ["protocol.validation=0.1"],
    "one for each label": [],
}


def peer(path: str, name: str) -> None:
    """Train and predict with LibMultiLabel, in its own environment; writes the predicted labels."""
    given = json.loads(Path(path).read_text())
    started = time.perf_counter()
    if name == TUNED:
        classes, decided = tuned(given)
    else:
        classes, decided = by_defaults(name, given)
    found = [[classes[k] for k in np.flatnonzero(row)] for row in decided]
    Path(path).write_text(json.dumps({"labels": found, "seconds": time.perf_counter() - started}))


def by_defaults(name: str, given: dict[str, Any]) -> tuple[list[str], Any]:
    """Return the classes and the predicted matrix of a training function with its defaults."""
    from libmultilabel import linear

    prepared = linear.Preprocessor(tfidf_params={})
    parts = {"train": {"x": given["train"], "y": given["labels"]}, "test": {"x": given["test"], "y": given["truth"]}}
    data = prepared.fit_transform({"data_format": "txt", **parts})
    model = getattr(linear, name)(data["train"]["y"], data["train"]["x"], verbose=False)
    return list(prepared.label_mapping), np.asarray(linear.predict_values(model, data["test"]["x"]) > 0)


def tuned(given: dict[str, Any]) -> tuple[list[str], Any]:
    """Return the classes and the predicted matrix of the settings with the best macro F1 in a cross-validation."""
    from libmultilabel import linear
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import MultiLabelBinarizer

    def decide(train: Any, Y: Any, test: Any, features: dict[str, Any], options: Sequence[str]) -> list[Any]:
        tfidf = TfidfVectorizer(**features)
        X, asked = tfidf.fit_transform(train), tfidf.transform(test)
        models = [linear.train_thresholding(Y, X, options=one, verbose=False) for one in options]
        return [np.asarray(linear.predict_values(model, asked) > 0) for model in models]

    binarizer = MultiLabelBinarizer(sparse_output=True)
    Y, texts = binarizer.fit_transform(given["labels"]).astype("d").tocsr(), np.array(given["train"], dtype=object)
    folds = list(KFold(TUNED_FOLDS, shuffle=True, random_state=0).split(texts))
    best: tuple[float, dict[str, Any], str] = (-1.0, {}, "")
    for features in FEATURES:
        decided = [decide(texts[train], Y[train], texts[held], features, OPTIONS) for train, held in folds]
        for number, one in enumerate(OPTIONS):
            macro = [f1(Y[held].toarray() > 0, of[number])[1] for (_, held), of in zip(folds, decided, strict=True)]
            best = max(best, (float(np.mean(macro)), features, one), key=lambda found: found[0])
    print("chosen:", *best, file=sys.stderr, flush=True)
    return list(binarizer.classes_), decide(texts, Y, given["test"], best[1], [best[2]])[0]


def matrix(rows: list[list[str]], classes: list[str]) -> Any:
    """Return the boolean class matrix of lists of labels, (n_texts, n_classes)."""
    return np.array([[name in row for name in classes] for row in map(set, rows)])


def f1(Y: Any, given: Any) -> tuple[float, float]:
    """Return micro and macro F1 in per cent; a label that is neither true nor given has an F1 of 0."""
    right, both = (Y & given).sum(axis=0), Y.sum(axis=0) + given.sum(axis=0)
    return 200 * right.sum() / both.sum(), 100 * float(np.mean(2 * right / np.maximum(1, both)))


def predict(name: str, parts: dict[str, Any], python: str | None) -> tuple[list[list[str]], float, float | None]:
    """Return the labels that one method predicts for the test rows of a fold, its seconds and calibration error."""
    if name not in OURS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "fold.json")
            path.write_text(json.dumps(parts))
            subprocess.run([str(python), __file__, "--fold", str(path), name], check=True)
            found = json.loads(path.read_text())
        return found["labels"], found["seconds"], None
    from tagline import TextClassifier
    from tagline.metrics import expected_calibration_error

    started = time.perf_counter()
    clf = TextClassifier("fast", settings=OURS[name]).fit(parts["train"], parts["labels"])
    proba = clf.predict_proba(parts["test"])
    seconds = time.perf_counter() - started
    ece = expected_calibration_error(matrix(parts["truth"], clf.classes_.tolist()), proba)
    return clf.decide(proba).tolist(), seconds, 100 * ece


def main() -> None:
    """Measure each method on the same folds and print a table."""
    if sys.argv[1:2] == ["--fold"]:
        peer(*sys.argv[2:])
        return
    import polars as pl

    from measure import parser, publish, table
    from tagline import load_dataset
    from tagline.data.splits import copy_keys, fold_rows, strata, units

    options = parser(__doc__.splitlines()[0], rounds=1)
    options.add_argument("data", help="a file of texts with several labels, or the name of a built-in dataset")
    options.add_argument("--peer", help="the Python of an environment with libmultilabel")
    options.add_argument("--tuned", action="store_true", help="tune LibMultiLabel too: half an hour for 20,000 rows")
    options.add_argument("--rows", type=int, help="training rows, drawn at random; all by default")
    options.add_argument("--folds", type=int, default=5)
    given = options.parse_args()
    data = load_dataset(given.data)
    texts, labels, classes = data.train.texts, data.train.labels, list(data.classes)
    drawn = np.sort(np.random.default_rng(0).permutation(len(texts))[: given.rows])
    texts, labels = texts[drawn], labels[drawn]
    Y = matrix(labels.to_list(), classes)
    fold = fold_rows(units(copy_keys(texts), None), strata(pl.Series(Y.argmax(axis=1))), given.folds, seed=0)
    rows = [["method", "micro F1, %", "macro F1, %", "each fold: micro, macro", "ECE, %", "seconds a fold"]]
    for name in [*OURS, *(PEERS if given.peer else ()), *([TUNED] if given.peer and given.tuned else ())]:
        decided, seconds, by_fold, errors = np.zeros_like(Y), 0.0, [], []
        for k in range(given.folds):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            parts = {
                "train": texts[train].to_list(),
                "labels": labels[train].to_list(),
                "test": texts[test].to_list(),
                "truth": labels[test].to_list(),
            }
            found, taken, error = predict(name, parts, given.peer)
            decided[test] = matrix(found, classes)
            seconds += taken / given.folds
            by_fold.append("{:.1f} {:.1f}".format(*f1(Y[test], decided[test])))
            errors += [] if error is None else [error]
        micro, macro = f1(Y, decided)
        which = f"`fast`, {name}" if name in OURS else "LibMultiLabel `{}`{}{}".format(*name.partition(","))
        ece = f"{np.mean(errors):.2f}" if errors else "–"
        rows.append([which, f"{micro:.2f}", f"{macro:.2f}", "; ".join(by_fold), ece, f"{seconds:.1f}"])
        print(*rows[-1], file=sys.stderr, flush=True)
    title = f"Thresholds of label sets, {Path(given.data).stem}, {len(texts):,} training rows, {given.folds} folds"
    publish(title, table(rows), given.record)


if __name__ == "__main__":
    main()
