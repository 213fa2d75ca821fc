"""The peers, each used as in its own documentation: fastText, and scikit-learn's TF-IDF with LinearSVC.

::

    python benchmarks/peers.py fasttext TRAIN.parquet TEST.parquet      the whole job in one process
    python benchmarks/peers.py fasttext-defaults TRAIN.parquet TEST.parquet
    python benchmarks/peers.py sklearn TRAIN.parquet TEST.parquet

Each prints one JSON document with its test accuracy and the seconds of its stages.
"""

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

LABEL = "__label__"

THREADS = os.cpu_count() or 1

# The settings of fastText's classification-results.sh, which computes table 1 of its paper (arXiv 1607.01759):
# -dim 10 -wordNgrams 2 -minCount 1 -bucket 10000000 -epoch 5, and a learning rate of 0.05, 0.1, 0.25 or 0.5, selected
# on held-out training rows. On 5,000 of IMDB's 25,000 they give 70.8, 84.8, 89.0 and 89.7 %, so the rate is 0.5.
PUBLISHED = {
    "dim": 10,
    "lr": 0.5,
    "wordNgrams": 2,
    "minCount": 1,
    "bucket": 10_000_000,
    "epoch": 5,
    "thread": THREADS,
}

# The library's own defaults (vectors of 100, 2M buckets) with bigrams, 5 epochs and the same learning rate.
DEFAULTS = {"lr": 0.5, "wordNgrams": 2, "epoch": 5, "thread": THREADS}

# For small datasets: the final settings of fastText's tutorial on text classification.
TUTORIAL = {"lr": 0.5, "wordNgrams": 2, "epoch": 25, "bucket": 200_000, "dim": 50, "thread": THREADS}


def normalize_text(texts: pl.Series) -> pl.Series:
    """Normalise as ``normalize_text`` of classification-results.sh: lower case, punctuation separated.

    In addition, in fastText's favour, each Chinese character becomes a token.
    """
    return (
        texts.str.to_lowercase()
        .str.replace_all('"', "", literal=True)
        .str.replace_all("<br />", " ", literal=True)
        .str.replace_all(r"(['.,()!?])", " $1 ")
        .str.replace_all("[;:]", " ")
        .str.replace_all(r"(\p{Han})", " $1 ")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


def normalize_one(text: str) -> str:
    """Normalise one text; a polars column would cost more than fastText itself."""
    text = text.lower().replace('"', "").replace("<br />", " ")
    text = re.sub(r"(['.,()!?\u3400-\u4dbf\u4e00-\u9fff])", r" \1 ", text)
    return " ".join(re.sub("[;:]", " ", text).split())


def write_fasttext(path: Path, texts: pl.Series, labels: pl.Series, seed: int) -> None:
    """Write the training file of fastText: one text per line, shuffled, preceded by its labels.

    Labels must not contain spaces.
    """
    marked = labels if labels.dtype == pl.List else labels.to_frame("l").select(pl.concat_list("l"))["l"]
    marks = pl.DataFrame({"l": marked}).select(
        pl.col("l").list.eval(pl.concat_str(pl.lit(LABEL), pl.element())).list.join(" ")
    )["l"]
    lines = (marks + " " + normalize_text(texts)).shuffle(seed)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def train_fasttext(texts: pl.Series, labels: pl.Series, settings: dict[str, Any], seed: int = 0) -> Any:
    """Train fastText on texts and labels; one-vs-all for multi-label data."""
    multilabel = {"loss": "ova"} if labels.dtype == pl.List else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.txt")
        write_fasttext(path, texts, labels, seed)
        return supervised(path, seed, **settings, **multilabel)


def supervised(path: Path, seed: int, **settings: Any) -> Any:
    """Train fastText on its text file; its threads race, and if a run diverges the next seed is used."""
    import fasttext

    fasttext.FastText.eprint = lambda *_, **__: None
    for attempt in range(4):
        try:
            return fasttext.train_supervised(str(path), verbose=0, seed=seed + attempt, **settings)
        except RuntimeError as error:  # "Encountered NaN"
            print(f"fastText: {error}; trying the next seed", file=sys.stderr)
    raise RuntimeError("fastText diverged four times.")


def fasttext_proba(model: Any, texts: pl.Series, classes: Sequence[str]) -> Any:
    """Return fastText's probabilities, (n, n_classes), columns in the order of ``classes``."""
    column = {LABEL + name: i for i, name in enumerate(classes)}
    proba = np.zeros((len(texts), len(classes)))  # (n, n_classes)
    found, values = model.predict(normalize_text(texts).to_list(), k=len(classes))
    for row, (names, p) in enumerate(zip(found, values, strict=True)):
        proba[row, [column[name] for name in names]] = p
    return np.clip(proba, 0, 1)  # fastText adds 1e-5 to each probability


def word_features() -> Any:
    """Return TF-IDF of word 1- and 2-grams with scikit-learn's defaults."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2))


def word_and_character_features() -> Any:
    """Return TF-IDF of word 1- and 2-grams and of character 2- to 5-grams within words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    return make_union(word_features(), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))


def linear_svm(features: Any, multilabel: bool = False) -> Any:
    """Return a pipeline of ``features`` and LinearSVC with scikit-learn's defaults; one per label if ``multilabel``."""
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    return make_pipeline(features, OneVsRestClassifier(LinearSVC()) if multilabel else LinearSVC())


@dataclass
class Stopwatch:
    """Seconds of each stage."""

    last: float
    seconds: dict[str, float]

    def stage(self, name: str) -> None:
        """Record the time since the last stage as that of ``name``."""
        now = time.perf_counter()
        self.seconds[name] = round(now - self.last, 3)
        self.last = now


def read(path: str) -> tuple[pl.Series, pl.Series]:
    """Return texts and labels of a Parquet file."""
    frame = pl.read_parquet(path, columns=["text", "label"])
    return frame["text"], frame["label"]


def fasttext_job(train: str, test: str, watch: Stopwatch, settings: Any = PUBLISHED) -> float:
    """Read, write fastText's two files, train, test. The model is not saved."""
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("train.txt", "test.txt")]
        for source, path in zip((train, test), paths, strict=True):
            write_fasttext(Path(path), *read(source), seed=0)
        watch.stage("prepare")
        model = fasttext.train_supervised(paths[0], verbose=0, seed=0, **settings)
        watch.stage("fit")
        accuracy = model.test(paths[1])[1]
        watch.stage("test")
    return float(accuracy)


def sklearn_job(train: str, test: str, watch: Stopwatch) -> float:
    """Read, compute TF-IDF features, fit a linear SVM, test."""
    texts, labels = read(train)
    test_texts, test_labels = read(test)
    watch.stage("prepare")
    model = linear_svm(word_features()).fit(texts.to_list(), labels.to_numpy())
    watch.stage("fit")
    accuracy = model.score(test_texts.to_list(), test_labels.to_numpy())
    watch.stage("test")
    return float(accuracy)


def main() -> None:
    """Run the whole job of one peer on two Parquet files."""
    watch = Stopwatch(time.perf_counter(), {})
    job = {
        "fasttext": fasttext_job,
        "fasttext-defaults": partial(fasttext_job, settings=DEFAULTS),
        "sklearn": sklearn_job,
    }[sys.argv[1]]
    accuracy = job(sys.argv[2], sys.argv[3], watch)
    print(json.dumps({"accuracy": accuracy, "seconds": watch.seconds}))


if __name__ == "__main__":
    main()
