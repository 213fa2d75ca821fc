"""Coverage of the interval of the score of a search's winner, corrected for selection bias."""

import numpy as np
from scipy.special import ndtri

from coverage_intervals import Hits
from measure import table
from tagline.experiments.tune.objective import METRICS
from tagline.experiments.tune.selection_bias import corrected_score

TITLE = "Coverage of the corrected interval of a search"
SEARCHES = (
    ("100 equally good", 100, 0.85, 0.0),
    ("100, a little different", 100, 0.85, 0.01),
    ("30, different", 30, 0.90, 0.03),
    ("30, one far better", 30, 0.80, 0.10),
    ("3", 3, 0.95, 0.01),
    ("1", 1, 0.85, 0.0),
)
SIZES = (60, 200, 1000)


def simulate_search(n_candidates: int, accuracy: float, spread: float, n: int, n_samples: int) -> Hits:
    """Return the hits of the corrected interval: whether it contains the true accuracy of the chosen candidate.

    Candidates have true accuracies between ``accuracy`` and ``spread`` less. Whether one has a row right depends on the
    row, for all alike, as much as on the candidate.
    """
    rng, hits, metric = np.random.default_rng(0), Hits(), METRICS["accuracy"]
    truth = accuracy - spread * np.linspace(0, 1, n_candidates) ** 0.5
    for sample in range(n_samples):
        difficulty = rng.normal(size=n)
        own = rng.normal(size=(n_candidates, n))
        kept = list(((difficulty + own) / 2**0.5 < ndtri(truth)[:, None]).astype(np.float32))
        scores = [float(rows.mean()) for rows in kept]
        found = corrected_score(kept, scores, metric, sample)
        hits.add([found.low, found.high], float(truth[int(np.argmax(scores))]))
    return hits


def report(n_samples: int) -> str:
    """Simulate all searches and return the coverage in per cent."""
    rows = [["candidates", *(f"{n:,} rows" for n in SIZES)]]
    for name, n_candidates, accuracy, spread in SEARCHES:
        found = [simulate_search(n_candidates, accuracy, spread, n, n_samples) for n in SIZES]
        rows.append([name, *(f"{hits}, {100 * hits.width / hits.given:.1f} wide" for hits in found)])
    return (
        f"How many of {n_samples:,} searches, in per cent, have a corrected 95 % interval that contains the true "
        "accuracy of the candidate that they choose, and its mean width in points.\n\n" + table(rows)
    )
