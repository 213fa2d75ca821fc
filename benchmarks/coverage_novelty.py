"""False alarms of novelty: how many unseen texts have a p-value of at most a share.

Each sample draws training texts and unseen texts from the train rows of a built-in data set.
"""

import numpy as np
import polars as pl

from measure import table
from tagline import TextClassifier, load_dataset

TITLE = "False alarms of novelty on unseen texts"
SHARES = (0.02, 0.04, 0.1, 0.3)
SIZES = (60, 200, 1_000)
DATA = ("movie-snippets", "bbc-news")
_UNSEEN = 400
_FITS_PER_SAMPLE = 20  # a fit takes long: of 1,000 samples 50 are fitted


def false_alarms(texts: pl.Series, labels: pl.Series, n: int, n_samples: int) -> tuple[list[float], list[float]]:
    """Return the mean shares of unseen texts that are called novel, and their standard errors."""
    found = []
    for seed in range(n_samples):
        drawn = np.random.default_rng((seed, n)).permutation(len(texts))
        clf = TextClassifier().fit(texts[drawn[:n]], labels[drawn[:n]])
        p = clf.novelty_p_values(texts[drawn[n : n + _UNSEEN]])
        found.append([(p <= share).mean() for share in SHARES])
    return np.mean(found, axis=0).tolist(), (np.std(found, axis=0) / np.sqrt(n_samples)).tolist()


def report(n_samples: int) -> str:
    """Return the shares of false alarms in per cent, with their standard errors."""
    n_fits = max(10, n_samples // _FITS_PER_SAMPLE)
    rows = [["data", "training texts", "samples", *(f"at most {100 * share:g} %" for share in SHARES)]]
    for name in DATA:
        train = load_dataset(name).train
        frame = pl.DataFrame({"text": train.texts, "label": train.labels}).unique("text", maintain_order=True)
        for n in SIZES:
            if n + _UNSEEN > len(frame):
                continue
            means, errors = false_alarms(frame["text"], frame["label"], n, n_fits)
            cells = [f"{100 * mean:.1f} ± {100 * error:.1f}" for mean, error in zip(means, errors, strict=True)]
            rows.append([name, f"{n:,}", str(n_fits), *cells])
    return f"Texts called novel, in per cent, with the standard error.\n\n{table(rows)}"
