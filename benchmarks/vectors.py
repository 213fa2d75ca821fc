"""Where pretrained word vectors help: networks on few and many reviews, with random, GloVe and own vectors.

::

    TAGLINE_DATA=... python benchmarks/vectors.py 500 2000 20000 --record

Only the training reviews of IMDB and its 50,000 unlabelled reviews are read: 5,000 of the training reviews are for
evaluation, subsets of the rest for training. The networks are those of the recipes `embedding-average-glove` and
`lstm-glove` with different initial vectors. The own vectors are trained once, on the unlabelled reviews alone, as in
`tagline train --unlabelled`; that takes minutes, and `--own FILE.npz` stores them. An LSTM is slow: beyond 500 reviews
it has one seed, and beyond 5,000 it trains for 3 epochs without selecting them on validation rows.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import polars as pl

import measure
from tagline import TextClassifier
from tagline.features.vectors.skip_gram import learn_vectors

MEASURED = 5_000
FEW, MANY = 500, 5_000  # rows up to which an LSTM has all seeds; rows beyond which it has few epochs
SIZE = 50  # dimensions of the GloVe vectors
AVERAGE, LSTM = "embedding-average-glove", "lstm-glove"
FROZEN = {"model.frozen": True, "training.learning_rate": 0.01}  # few weights are trained, which needs larger steps
QUICKLY = {"protocol.validation": "none", "training.epochs": 3, "training.early_stopping": 0}


@dataclass(frozen=True)
class Measured:
    """Accuracy in per cent and seconds of fitting of each seed of one system."""

    accuracy: list[float]
    seconds: list[float]


def main() -> None:
    """Fit every system on every number of rows and print the accuracy on the same 5,000 other rows."""
    options = measure.parser(__doc__.partition("\n")[0])
    options.add_argument("rows", nargs="*", type=int, default=[500, 2_000, 20_000], help="numbers of training reviews")
    options.add_argument("--own", type=Path, help="a file to store the vectors of the unlabelled reviews")
    arguments = options.parse_args()
    folder = measure.original_data("imdb")
    if folder is None:
        sys.exit("error: the original IMDB set is missing. Set TAGLINE_DATA to a folder that contains `imdb`.")
    rows = pl.read_parquet(folder / "train.parquet", columns=["text", "label"])
    rows = rows.sample(fraction=1, shuffle=True, seed=0)
    measured = rows.tail(MEASURED)
    with tempfile.TemporaryDirectory() as place:
        own = arguments.own or Path(place) / "own.npz"
        if not own.exists():
            learn(folder / "unsupervised.parquet", own)
        systems = systems_of(own)
        found = {
            n: {name: fit(*system, rows.head(n), measured, arguments.rounds) for name, system in systems.items()}
            for n in arguments.rows
        }
    table = [["accuracy, %", *(f"{n:,} reviews" for n in arguments.rows), f"s at {arguments.rows[-1]:,}"]]
    for name in systems:
        accuracy = [spread(found[n][name].accuracy) for n in arguments.rows]
        table.append([name, *accuracy, f"{mean(found[arguments.rows[-1]][name].seconds):.0f}"])
    text = (
        f"Accuracy on {MEASURED:,} other training reviews; mean of {arguments.rounds} seeds (lowest-highest); for the "
        f"LSTM one seed beyond {FEW:,} reviews, and at most {QUICKLY['training.epochs']} epochs beyond {MANY:,}.\n\n"
    )
    measure.publish("Where word vectors help", text + measure.table(table), arguments.record)


def systems_of(own: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return recipe and settings of each system by name; ``own`` is the file of own vectors."""
    random_vectors = {"model.vectors": "none", "model.embedding": SIZE, "model.frozen": False}
    return {
        "n-grams (`fast`)": ("fast", {}),
        "average, random vectors": (AVERAGE, random_vectors),
        "average, GloVe frozen": (AVERAGE, FROZEN),
        f"average, GloVe fine-tuned (`{AVERAGE}`)": (AVERAGE, {}),
        "average, own vectors frozen": (AVERAGE, {"model.vectors": str(own), **FROZEN}),
        "average, own vectors fine-tuned": (AVERAGE, {"model.vectors": str(own)}),
        "LSTM, random vectors": (LSTM, random_vectors),
        f"LSTM, GloVe frozen (`{LSTM}`)": (LSTM, {}),
    }


def learn(unlabelled: Path, target: Path) -> None:
    """Train vectors on unlabelled reviews and write them to a file."""
    start = time.perf_counter()
    vectors = learn_vectors(pl.read_parquet(unlabelled)["text"], SIZE, seed=0)
    np.savez(target, words=np.array(vectors.words.to_list()), vectors=vectors.table)
    print(f"trained {len(vectors.words):,} vectors in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def fit(recipe: str, settings: dict[str, Any], rows: pl.DataFrame, measured: pl.DataFrame, seeds: int) -> Measured:
    """Fit a system with each seed and evaluate it."""
    found = Measured([], [])
    if recipe == LSTM and len(rows) > MANY:
        settings = settings | QUICKLY
    for seed in range(1 if recipe == LSTM and len(rows) > FEW else seeds):
        start = time.perf_counter()
        clf = TextClassifier(recipe, settings=settings, seed=seed).fit(rows["text"], rows["label"])
        found.seconds.append(time.perf_counter() - start)
        found.accuracy.append(100 * clf.score(measured["text"], measured["label"]))
        words = f"{len(rows):,} rows, {recipe} {settings}, seed {seed}: {found.accuracy[-1]:.2f} %"
        print(words, f"{found.seconds[-1]:.0f} s, epochs {clf.chosen_.get('epochs')}", file=sys.stderr, flush=True)
    return found


def spread(values: list[float]) -> str:
    """Return mean and range of several values."""
    middle = f"{mean(values):.1f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.1f}-{max(values):.1f})"


if __name__ == "__main__":
    main()
