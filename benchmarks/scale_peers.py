"""The peers of `scale.py`, each in its own process, on files that it reads without conversion.

::

    python benchmarks/scale_peers.py fasttext TRAIN.fasttext TEST.fasttext    bigrams, 5 epochs, as in its paper
    python benchmarks/scale_peers.py sgd TRAIN.csv TEST.csv                   HashingVectorizer and SGD, block by block
    python benchmarks/scale_peers.py vw TRAIN.vw TEST.vw                      Vowpal Wabbit, bigrams, one pass

Each prints one JSON document with its test accuracy and the seconds of its stages.
"""

import csv
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from peers import PUBLISHED, Stopwatch, supervised

BLOCK = 10_000  # rows that SGD sees at once
HASHED_BITS = 22  # of HashingVectorizer
VW_BITS = 24


def fasttext_job(train: str, test: str, watch: Stopwatch) -> float:
    """Train and test fastText."""
    model = supervised(Path(train), 0, **PUBLISHED)
    watch.stage("fit")
    accuracy = model.test(test)[1]
    watch.stage("test")
    return float(accuracy)


def sgd_job(train: str, test: str, watch: Stopwatch) -> float:
    """Train a linear SVM by one pass of stochastic gradient descent over hashed 1- and 2-grams, block by block."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    hashed = HashingVectorizer(ngram_range=(1, 2), n_features=2**HASHED_BITS, alternate_sign=False)
    model = SGDClassifier(alpha=1e-6, average=True, random_state=0)
    for texts, labels in _blocks(train):
        model.partial_fit(hashed.transform(texts), labels, classes=["neg", "pos"])
    watch.stage("fit")
    right = n = 0
    for texts, labels in _blocks(test):
        right += sum(a == b for a, b in zip(model.predict(hashed.transform(texts)), labels, strict=True))
        n += len(labels)
    watch.stage("test")
    return right / n


def vw_job(train: str, test: str, watch: Stopwatch) -> float:
    """Train Vowpal Wabbit by one pass over 1- and 2-grams."""
    from vowpalwabbit import Workspace

    model = f"{train}.model"
    Workspace(f"-d {train} --loss_function logistic --ngram 2 -b {VW_BITS} --quiet -f {model}").finish()
    watch.stage("fit")
    tested = Workspace(f"-d {test} -t -i {model} --binary --quiet")
    accuracy = 1 - tested.get_sum_loss() / tested.get_weighted_examples()
    tested.finish()
    Path(model).unlink()
    watch.stage("test")
    return float(accuracy)


def _blocks(path: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield texts and labels of a CSV, so many rows at a time."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        texts: list[str] = []
        labels: list[str] = []
        for text, label in rows:
            texts.append(text)
            labels.append(label)
            if len(texts) == BLOCK:
                yield texts, labels
                texts, labels = [], []
        if texts:
            yield texts, labels


JOBS = {"fasttext": fasttext_job, "sgd": sgd_job, "vw": vw_job}


def main() -> None:
    """Run the whole job of one peer."""
    watch = Stopwatch(time.perf_counter(), {})
    accuracy = JOBS[sys.argv[1]](sys.argv[2], sys.argv[3], watch)
    print(json.dumps({"accuracy": accuracy, "seconds": watch.seconds}))


if __name__ == "__main__":
    main()
