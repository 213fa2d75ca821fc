"""Thousands of classes: a label tree beside one linear SVM for each class, complement naive Bayes and fastText.

The titles are made up. Classes belong to shelves, and these to departments; a few classes have most of the titles
(Zipf's law). A title has words of its class, which other classes have too, of its shelf and department, and of all.
Each model is trained in a process of its own. fastText learns words and bigrams for 25 epochs with hierarchical
softmax.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import measure

SIZES = (1_000, 3_000, 10_000, 100_000)
ROWS_OF_CLASS, MOST_ROWS, TEST_ROWS = 20, 500_000, 10_000
MOST_CLASSES = {"one-vs-rest": 3_000, "complement-nb": 10_000}  # more take hours, or more memory than there is
_OF_CLASS, _OF_DEPARTMENT, _OF_SHELF, _OF_ALL = 0.3, 0.15, 0.2, 0.35  # shares of the words of a title


def made_up_titles(n_classes: int, n_rows: int, seed: int = 0) -> tuple[pl.Series, pl.Series]:
    """Return titles of 4 to 11 words and their labels; each class has one, if there are enough."""
    rng = np.random.default_rng(seed)
    n_departments, n_shelves = max(4, round(n_classes ** (1 / 3))), max(8, round(n_classes ** (2 / 3)))
    shelf_of_class, department_of_shelf = (
        rng.integers(n_shelves, size=n_classes),
        rng.integers(n_departments, size=n_shelves),
    )
    frequency = 1 / (np.arange(n_classes) + 10.0) ** 0.8
    drawn = rng.choice(n_classes, max(0, n_rows - n_classes), p=frequency / frequency.sum())
    y = rng.permutation(np.concatenate([np.arange(n_classes), drawn])[:n_rows])
    length = rng.integers(4, 12, n_rows)
    row, n_words = np.repeat(np.arange(n_rows), length), int(length.sum())
    kind = rng.choice(4, n_words, p=[_OF_CLASS, _OF_DEPARTMENT, _OF_SHELF, _OF_ALL])
    of_class = rng.integers(2 * n_classes, size=(n_classes, 5))
    shelf = shelf_of_class[y[row]]
    common = 1 / (np.arange(5_000) + 5.0)
    rank = rng.geometric(0.3, n_words) - 1
    words = [
        of_class[y[row], rank.clip(max=4)],
        20 * department_of_shelf[shelf] + rank.clip(max=19),
        10 * shelf + rank.clip(max=9),
        rng.choice(5_000, n_words, p=common / common.sum()),
    ]
    numbers = pl.Series(np.choose(kind, words)).cast(pl.String)
    tokens = pl.DataFrame({"row": row, "word": pl.Series(np.array(["c", "d", "s", "w"])[kind]) + numbers})
    titles = tokens.group_by("row", maintain_order=True).agg(pl.col("word").str.join(" "))["word"]
    return titles, "k" + pl.Series(y).cast(pl.String).str.zfill(6)


def fit_tagline(texts: pl.Series, labels: pl.Series, recipe: str) -> Callable[[pl.Series], Any]:
    """Return what predicts labels, or the labels of the five best classes."""
    from tagline import TextClassifier

    clf = TextClassifier(recipe).fit(texts, labels)
    return lambda titles: clf.predict_top(titles, 5)[0]


def fit_tree(texts: pl.Series, labels: pl.Series) -> Callable[[pl.Series], Any]:
    """Return the predictions of a label tree, also of few classes."""
    import tagline.learners.ngram

    tagline.learners.ngram.MOST_DENSE_CLASSES = 100
    return fit_tagline(texts, labels, "fast")


def fit_fasttext(texts: pl.Series, labels: pl.Series) -> Callable[[pl.Series], Any]:
    """Return the predictions of fastText with hierarchical softmax."""
    import peers

    model = peers.train_fasttext(texts, labels, peers.TUTORIAL | {"loss": "hs"})

    def predict(titles: pl.Series) -> Any:
        found, _ = model.predict(titles.to_list(), k=5)
        return [[name.removeprefix(peers.LABEL) for name in names] + [""] * (5 - len(names)) for names in found]

    return predict


MODELS: dict[str, Callable[[pl.Series, pl.Series], Callable[[pl.Series], Any]]] = {
    "label tree": fit_tree,
    "one-vs-rest": lambda texts, labels: fit_tagline(texts, labels, "fast"),
    "complement-nb": lambda texts, labels: fit_tagline(texts, labels, "complement-nb"),
    "fastText, hs": fit_fasttext,
}


def job(model: str, n_classes: int, n_rows: int) -> dict[str, float]:
    """Train and measure a model."""
    texts, labels = made_up_titles(n_classes, n_rows + TEST_ROWS)
    train, test = slice(0, n_rows), slice(n_rows, None)
    begin, cpu = time.perf_counter(), time.process_time()
    predict = MODELS[model](texts[train], labels[train])
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    predict(texts[test].head(10))
    begin = time.process_time()
    best = np.array(predict(texts[test]))  # (n_test, 5)
    of_texts = time.process_time() - begin
    right = best == labels[test].to_numpy()[:, np.newaxis]
    return {
        "seconds": seconds,
        "cpu": cpu,
        "accuracy": float(right[:, 0].mean()),
        "top5": float(right.any(axis=1).mean()),
        "us": 1e6 * of_texts / TEST_ROWS,
    }


def main() -> None:
    """Print a table, or with ``--job`` the figures of one model."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=1)
    arguments.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of classes")
    arguments.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), metavar="NAME")
    arguments.add_argument("--job", nargs=3, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.job:
        print(json.dumps(job(options.job[0], *map(int, options.job[1:]))))
        return
    head = ["model", "rows", "fit, s", "CPU s", "memory, MB", "accuracy, %", "top 5, %", "a text, µs of CPU"]
    rows = [["classes", *head]]
    for n_classes in options.sizes:
        n_rows = min(ROWS_OF_CLASS * n_classes, MOST_ROWS)
        for name in options.models:
            if n_classes > MOST_CLASSES.get(name, n_classes):
                continue
            cost = measure.run_process(
                [sys.executable, str(Path(__file__)), "--job", name, str(n_classes), str(n_rows)]
            )
            of = cost.answer
            shown = [f"{of['seconds']:.1f}", f"{of['cpu']:.1f}", f"{cost.peak_rss_mb:,.0f}"]
            shown += [f"{100 * of['accuracy']:.1f}", f"{100 * of['top5']:.1f}", f"{of['us']:.0f}"]
            rows.append([f"{n_classes:,}", name, f"{n_rows:,}", *shown])
            print(rows[-1], file=sys.stderr)
    measure.publish("Thousands of classes", measure.table(rows), options.record)


if __name__ == "__main__":
    main()
