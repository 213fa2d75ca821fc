"""`TextClassifier.partial_fit`: texts in parts, next to a fit of all of them, on the training rows of the dev sets."""

import numpy as np
import polars as pl

import measure
from tagline import TextClassifier
from tagline.data.builtin.samples import read_movie_snippets

SETS = ("snippets", "sst2", "trec6", "banking77")
PARTS = (3, 6, 20)
HELD_OUT = 5  # one row in so many


def main() -> None:
    """Print a table of accuracies."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=1)
    arguments.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="NAME", help="only these sets")
    options = arguments.parse_args()
    rows = [["set", "first part of 20, %", *(f"{n} parts, %" for n in PARTS), "all at once, %"]]
    for name in options.sets:
        frame = _rows(name).sample(fraction=1, shuffle=True, seed=7)
        texts, labels = frame["text"].to_list(), frame["label"].cast(pl.String).to_list()
        n_held = len(texts) // HELD_OUT
        whole = TextClassifier().fit(texts[n_held:], labels[n_held:])
        held = texts[:n_held], labels[:n_held]
        scores, first = [], 0.0
        for n_parts in PARTS:
            clf = TextClassifier()
            for part in np.array_split(np.arange(n_held, len(texts)), n_parts):
                clf.partial_fit([texts[i] for i in part], [labels[i] for i in part])
                first = clf.score(*held) if part[0] == n_held else first
            scores.append(clf.score(*held))
        rows.append([name, *(f"{100 * score:.1f}" for score in (first, *scores, whole.score(*held)))])
    measure.publish("A model that learns in parts", measure.table(rows), options.record)


def _rows(name: str) -> pl.DataFrame:
    """Return rows to learn from; no test row is read."""
    if name == "snippets":
        return read_movie_snippets().frame
    path = measure.original_data(f"dev/{name}.parquet")
    if path is None:
        raise SystemExit(f"There is no dev/{name}.parquet below TAGLINE_DATA.")
    return pl.read_parquet(path).filter(pl.col("split") == "train")


if __name__ == "__main__":
    main()
