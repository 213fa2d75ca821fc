"""Coverage of 95 % intervals on data with copies: how often they contain the value of the whole population.

Samples of distinct texts, each with all of its copies, are drawn from populations whose numbers of copies are even,
skewed or very skewed; predictions are simulated.
"""

from collections.abc import Callable

import numpy as np

from measure import table
from tagline.metrics import measure
from tagline.metrics.comparison.compare import difference, resample
from tagline.metrics.comparison.mcnemar import paired_test
from tagline.metrics.units import Units
from tagline.task import Floats, Ints

TITLE = "Coverage of 95 % intervals on data with copies"
CLASSES = ("a", "b", "c")
SHARES = (0.5, 0.3, 0.2)
METRICS = ("accuracy", "macro_f1", "weighted_f1", "mcc", "log_loss", "brier", "roc_auc", "pr_auc", "ece")


def _by_rank(n: int, rng: np.random.Generator) -> Ints:
    return np.ceil(22 * 456 / 6.7 / rng.integers(1, 457, n)).astype(np.int64)


COPIES: dict[str, Callable[[int, np.random.Generator], Ints]] = {
    "none": lambda n, rng: np.ones(n, np.int64),
    "22 each": lambda n, rng: np.full(n, 22),
    "geometric, mean 5": lambda n, rng: rng.geometric(0.2, n),
    "log-normal, at most 100": lambda n, rng: np.ceil(rng.lognormal(0.5, 1.0, n)).clip(1, 100).astype(np.int64),
    "40 of one text in ten": lambda n, rng: np.where(rng.random(n) < 0.1, 40, 1),
    "by rank (Zipf)": _by_rank,
}


def predictions(n: int, rng: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Return the truth of texts, ``(n,)``, and the probabilities of two similar models, ``(n, n_classes)`` each."""
    truth = rng.choice(len(CLASSES), n, p=SHARES)
    shared = rng.normal(size=(n, len(CLASSES)))
    shared[np.arange(n), truth] += 1.8
    logits = (shared + 0.6 * rng.normal(size=shared.shape) for _ in range(2))
    first, second = (np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in logits)
    return truth, first, second


def coverage(
    copies: str, n_texts: int, n_samples: int, *, n_population: int = 100_000, by_rows: bool = False
) -> dict[str, float]:
    """Return the share of samples of ``n_texts`` whose interval contains the value of all texts, by metric.

    ``difference`` is the paired difference in accuracy of two models; ``p <= 0.05`` the share of samples in which the
    test of two equally accurate models is significant. ``by_rows``: intervals of rows, as if there were no copies.
    """
    rng = np.random.default_rng(0)
    sizes = COPIES[copies](n_population, rng)
    truth, *models = predictions(n_population, rng)

    def rows_of(texts: Ints) -> tuple[Ints, list[Floats], Ints]:
        rows = np.repeat(texts, sizes[texts])
        return truth[rows], [proba[rows] for proba in models], np.repeat(np.arange(len(texts)), sizes[texts])

    y, (first, second), _ = rows_of(np.arange(n_population))
    whole = measure(y, first.argmax(1), first, CLASSES, task="multiclass", n_bootstrap=1)
    gap = float((second.argmax(1) == y).mean() - (first.argmax(1) == y).mean())
    hits = dict.fromkeys((*METRICS, "difference", "p <= 0.05"), 0)
    for sample in range(n_samples):
        y, (first, second), unit = rows_of(rng.integers(0, n_population, n_texts))
        drawn = None if by_rows else unit
        block = measure(y, first.argmax(1), first, CLASSES, task="multiclass", seed=sample, units=drawn)
        for name in METRICS:
            low, high = block[f"{name}_ci95"] or (np.nan, np.nan)
            hits[name] += bool(low <= whole[name] <= high)
        answers, units = (first.argmax(1), second.argmax(1)), Units.repeated(drawn)
        low, high = difference(resample(y, answers, len(CLASSES), sample, units), "accuracy", 0, 1).interval or (0, 0)
        hits["difference"] += bool(low <= gap <= high)
        swapped = (rng.random(n_texts) < 0.5)[unit]  # then both are equally accurate
        one, other = (np.where(swapped, *pair) == y for pair in (answers, answers[::-1]))
        hits["p <= 0.05"] += paired_test(one, other, units) <= 0.05
    return {name: n / n_samples for name, n in hits.items()}


def report(n_samples: int, n_texts: int = 456) -> str:
    """Simulate every kind of copies and return the coverage in per cent."""
    rows = [["copies", "drawn", *(name.replace("_", " ") for name in (*METRICS, "difference", "p <= 0.05"))]]
    for copies in COPIES:
        for by_rows in (False, True) if copies != "none" else (False,):
            # Samples of rows take longer, and differ more.
            found = coverage(copies, n_texts, max(n_samples // 10, 1) if by_rows else n_samples, by_rows=by_rows)
            rows.append([copies, "rows" if by_rows or copies == "none" else "texts"])
            rows[-1] += [f"{100 * share:.1f}" for share in found.values()]
    return (
        f"How many of {n_samples:,} samples of {n_texts:,} distinct texts, in per cent, have a 95 % interval "
        "that contains the value of the whole population; the last column is the share in which the test of two "
        "equally accurate models has p <= 0.05. Where rows are drawn, as if there were no copies, of a tenth of the "
        "samples.\n\n" + table(rows)
    )
