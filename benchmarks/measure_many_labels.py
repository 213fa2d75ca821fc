"""Time and peak memory (beyond the inputs) of `measure` on a multi-label classifier with many labels.

python benchmarks/measure_many_labels.py --rows 20000 --labels 200
"""

import argparse
import time
import tracemalloc

import numpy as np

from tagline.metrics import measure


def main() -> None:
    """Evaluate random label sets and print time and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--labels", type=int, default=200)
    options = parser.parse_args()
    shape = (options.rows, options.labels)
    rng = np.random.default_rng(0)
    truth = rng.random(shape) < 0.03
    logits = 2 * rng.normal(size=shape) + 4 * truth - 4
    proba = 1 / (1 + np.exp(-logits))
    names = [f"label {k}" for k in range(options.labels)]

    start, cpu = time.perf_counter(), time.process_time()
    measure(truth, proba > 0.5, proba, names, task="multilabel")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    tracemalloc.start()
    measure(truth, proba > 0.5, proba, names, task="multilabel")
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    print(f"{options.rows:,} rows, {options.labels:,} labels: {seconds:.1f} s ({cpu:.1f} s CPU), peak {peak:,.0f} MB")


if __name__ == "__main__":
    main()
