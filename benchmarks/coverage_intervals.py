"""Coverage of the intervals of `measure` and `compare` on test sets that are drawn from a pool of 25,000 rows."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from coverage_pools import N_ROWS, POOLS, Pool, Predictions, simulate
from measure import table
from tagline.metrics import measure
from tagline.metrics.comparison.compare import difference, resample, right_rows
from tagline.metrics.comparison.mcnemar import paired_test
from tagline.metrics.registry import METRICS
from tagline.task import Floats

TITLE = "Coverage of 95 % intervals"
SIZES = (60, 200, 1000)
LETTERS = "ABCDEFGHIJK"
ALPHA = 0.05


@dataclass
class Hits:
    """How often an interval was given, and how often it contained the truth; of several classes, of all together."""

    asked: int = 0
    given: int = 0
    held: int = 0
    above: int = 0
    width: float = 0.0

    def add(self, interval: list[float] | None, truth: float) -> None:
        """Count one interval, which may be missing."""
        self.asked += 1
        if interval is not None:
            self.given += 1
            self.held += interval[0] <= truth <= interval[1]
            self.above += interval[0] > truth
            self.width += interval[1] - interval[0]

    @property
    def coverage(self) -> float:
        """The share of the given intervals that contain the truth; not a number if none was given."""
        return self.held / self.given if self.given else float("nan")

    def __str__(self) -> str:
        if not self.given:
            return "none"
        given = "" if self.given == self.asked else f" ({100 * self.given / self.asked:.0f})"
        return f"{100 * self.coverage:.1f}{given}"


def simulate_intervals(pool: Pool, n: int, n_samples: int) -> dict[str, Hits]:
    """Return the hits of each figure on test sets of ``n`` rows.

    ``class …``: of the figures of single classes that the pool has; ``difference …``: of paired differences;
    ``no contradiction``: given as often as sets were compared, held where McNemar's test and the interval of the
    difference agree.
    """
    rng = np.random.default_rng(1)
    rows = simulate(pool)
    whole = _measure(pool, rows, 0, n_bootstrap=1)
    gaps = {name: values[1] - values[0] for name, values in _compared(pool, rows).value.items()}
    hits: defaultdict[str, Hits] = defaultdict(Hits)
    for sample in range(n_samples):
        drawn = rows.rows(rng.integers(0, len(rows.truth), n))
        block = _measure(pool, drawn, sample)
        for name in METRICS:
            if f"{name}_ci95" in block:
                hits[name].add(block[f"{name}_ci95"], whole[name])
            for of_class, figures in block["per_class"].items():
                if f"{name}_ci95" in figures and whole["per_class"][of_class][name] is not None:
                    hits[f"class {name}"].add(figures[f"{name}_ci95"], whole["per_class"][of_class][name])
        samples = _compared(pool, drawn, sample)
        one, other = (right_rows(drawn.truth, decided) for decided in drawn.decided)
        for name, gap in gaps.items():
            of = difference(samples, name, 0, 1)
            hits[f"difference {name}"].add(of.interval, gap)
            if name == "accuracy":
                p = paired_test(one, other)
                low, high = of.interval or (0.0, 0.0)
                agrees = (low > 0 or high < 0) == (p <= ALPHA)
                hits["no contradiction"].add([0, 0], 0.0 if agrees else 1.0)
    return dict(hits)


def _measure(pool: Pool, rows: Predictions, seed: int, n_bootstrap: int = 1000) -> dict[str, Any]:
    return measure(
        rows.truth,
        rows.decided[0],
        rows.proba[0],
        pool.classes,
        task=pool.task,
        positive=pool.classes[-1],
        seed=seed,
        n_bootstrap=n_bootstrap,
        costs=_costs(len(pool.classes)),
    )


def _costs(n_classes: int) -> Floats:
    """Return a cost of 1 for each mistake, and of 20 for the last class called the first."""
    costs: Floats = 1 - np.eye(n_classes)
    costs[-1, 0] = 20
    return costs


def _compared(pool: Pool, rows: Predictions, seed: int = 0) -> Any:
    return resample(rows.truth, rows.decided, len(pool.shares), seed)


def report(n_samples: int) -> str:
    """Simulate all pools and return the coverage of each figure in per cent, by size of the test set."""
    parts = [
        f"How many of {n_samples:,} test sets, in per cent, have a 95 % interval that contains the figure of the pool "
        f"of {N_ROWS:,} rows; in brackets the per cent of test sets that have an interval at all, if not all of them. "
        "`class …` are the figures of single classes, of all together; `difference …` the paired differences of two "
        "models; `no contradiction` counts the test sets in which McNemar's test and the interval of the difference in "
        "accuracy agree. Pools by column: "
        + "; ".join(
            f"{letter} {pool.name}, accuracy {pool.accuracy:.2f}" for letter, pool in zip(LETTERS, POOLS, strict=True)
        )
        + ". Of labels it is the share of right cells."
    ]
    for n in SIZES:
        found = [simulate_intervals(pool, n, n_samples) for pool in POOLS]
        rows = [[f"{n:,} rows", *LETTERS]]
        rows += [
            [figure.replace("_", " "), *(str(hits.get(figure, "")) for hits in found)]
            for figure in dict.fromkeys(name for hits in found for name in hits)
        ]
        parts.append(table(rows))
    return "\n\n".join(parts)
