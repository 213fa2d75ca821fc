"""The stages of the compiled core beside the NumPy path, and beside what the memory of the machine can move.

Each path runs in a process of its own, alternating, on all cores. The bytes of a stage are those that it must read and
write in arrays too large for the processor's cache, counting a whole line of 64 bytes for each random access; the share
is that of the bandwidth measured in the same process by copying arrays.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import measure

LINE = 64  # bytes of memory that are moved together
COPIED = 1 << 28  # bytes copied to measure the bandwidth
LONGEST, MIN_DF, FLOOR = 3, 2, 0.7  # as the recipe `fast`


class Stages:
    """Seconds and bytes of each stage."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, float]] = {}

    def run(self, name: str, call: Callable[[], Any], moved: Callable[[Any], float]) -> Any:
        """Time a stage; ``moved`` returns the bytes that it moves, given its result."""
        begin = time.perf_counter()
        result = call()
        self.of[name] = {"seconds": time.perf_counter() - begin, "bytes": float(moved(result))}
        return result


def bandwidth() -> float:
    """Return how many bytes a second all cores read and write together, at best of several copies."""
    import numpy as np

    from tagline.parallel import cores, in_threads

    parts = [
        (np.zeros(COPIED // cores(), dtype=np.uint8), np.ones(COPIED // cores(), dtype=np.uint8))
        for _ in range(cores())
    ]
    best = 0.0
    for _ in range(5):
        begin = time.perf_counter()
        in_threads(lambda part: np.copyto(*part), parts)
        best = max(best, 2 * COPIED / (time.perf_counter() - begin))
    return best


def run(train: str, test: str) -> None:
    """Run the stages in this process and print what they took as JSON."""
    import numpy as np
    import polars as pl

    from tagline.compiled import COMPILED
    from tagline.features.ngrams import WordNgrams
    from tagline.features.ngrams.tokens import tokens_as_codes
    from tagline.features.scorer import LinearScorer
    from tagline.features.tokenizer import Tokenizer
    from tagline.features.vectorizer import Vectorizer
    from tagline.features.weighting import document_frequency, scale_columns, weigh_blocks
    from tagline.models.linear import LinearModel

    rows, new = pl.read_parquet(train), pl.read_parquet(test)["text"]
    texts, size, new_size = rows["text"], rows["text"].str.len_bytes().sum(), new.str.len_bytes().sum()
    Y = np.column_stack([rows["label"].to_numpy() == name for name in rows["label"].unique().sort()])
    tokenizer, stages = Tokenizer(), Stages()

    codes = stages.run("tokens", lambda: tokens_as_codes(texts, tokenizer), lambda found: size + 8 * len(found[0]))[0]
    n = len(codes)
    # Each order above 1: three passes over prefixes and symbols, occurrences of 16 bytes written once and read four
    # times, numbers of 4 bytes; then each order is sorted in place, and written to rows of 8 bytes an entry.
    counted = stages.run(
        "tokens, n-grams and rows of counts",
        lambda: WordNgrams.fit(texts, tokenizer, LONGEST, MIN_DF),
        lambda found: size + 8 * n + (LONGEST - 1) * n * (24 + 80 + 4) + LONGEST * 12 * n + 8 * found[1].nnz,
    )
    block, counts = counted
    scale = stages.run(
        "scales",
        lambda: scale_columns(counts, document_frequency(counts), Y, "discriminative", FLOOR, MIN_DF),
        lambda _: 3 * 4 * counts.nnz + 40 * counts.shape[1],
    )
    stages.run(
        "weights",
        lambda: weigh_blocks([counts], [scale], "log", unit=True, dtype=np.float32),
        lambda X: 20 * X.nnz,
    )
    vectorizer = Vectorizer((block,), (scale,), "log", True, tokenizer)
    rng = np.random.default_rng(0)
    model = LinearModel.of(rng.normal(size=(counts.shape[1], 1)), np.zeros(1))

    def score() -> Any:
        if COMPILED:
            return LinearScorer(vectorizer, model.coef, model.intercept).score(new).logits
        return model.logits(vectorizer.transform(new))

    tokens = n * new_size / size
    found = counts.nnz * new_size / size
    # A line for each token, n-gram looked up, scale and coefficient.
    stages.run("scores of as many new texts", score, lambda _: new_size + LINE * (LONGEST * tokens + 2 * found))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before the bandwidth takes its own
    print(json.dumps({"stages": stages.of, "peak_mb": peak, "bandwidth": bandwidth()}))


def main() -> None:
    """Measure both paths and print a table."""
    if len(sys.argv) == 4 and sys.argv[1] == "--run":
        run(*sys.argv[2:])
        return
    import tempfile

    options = measure.parser(__doc__.splitlines()[0], rounds=3).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        train, test, what = measure.imdb_files(Path(folder))
        command = [sys.executable, __file__, "--run", str(train), str(test)]

        def path(compiled: str) -> measure.Cost:
            os.environ["TAGLINE_COMPILED"] = compiled
            return measure.run_process(command)

        costs = measure.alternate({"compiled": lambda: path("1"), "NumPy": lambda: path("0")}, options.rounds)
    compiled, numpy = ([cost.answer["stages"] for cost in costs[name]] for name in ("compiled", "NumPy"))
    limit = max(cost.answer["bandwidth"] for cost in costs["compiled"])
    rows = [["stage", "NumPy, s", "compiled, s", "ratio", "MB moved", "GB/s", "share of the bandwidth"]]
    for stage in compiled[0]:
        seconds = [round_[stage]["seconds"] for round_ in compiled]
        slow = [round_[stage]["seconds"] for round_ in numpy]
        moved = compiled[0][stage]["bytes"]
        speed = moved / median(seconds)
        rows.append(
            [
                stage,
                measure.spread(slow),
                measure.spread(seconds),
                f"{median(b / a for a, b in zip(seconds, slow, strict=True)):.1f}",
                f"{moved / 1e6:,.0f}",
                f"{speed / 1e9:.1f}",
                f"{100 * speed / limit:.0f} %",
            ]
        )
    peaks = [f"{name} {max(cost.answer['peak_mb'] for cost in costs[name]):,.0f} MB" for name in costs]
    text = (
        f"{what} Median of {options.rounds} rounds (lowest-highest). Copying on all cores moves {limit / 1e9:.1f} GB/s "
        f"here. Peak memory: {' and '.join(peaks)}.\n\n{measure.table(rows)}"
    )
    measure.publish("The compiled core by stage", text, options.record)


if __name__ == "__main__":
    main()
