"""Guarantees of abstention, of operating points and of prediction sets on unseen texts.

Each sample draws training texts and unseen texts from the train rows of a built-in data set, and is a complete fit of
`fast`.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from measure import table
from tagline import TextClassifier, load_dataset
from tagline.decisions.operating_point import PRECISION, RECALL, OperatingPoint
from tagline.errors import InputError

TITLE = "Guarantees of abstention, of operating points and of prediction sets on unseen texts"
ACCURACIES = (0.9, 0.95)
COVERAGES = (0.9, 0.95)
LEVELS = (0.8, 0.9)
SIZES = (200, 600, 1_200)
DATA = ("movie-snippets", "bbc-news")
_FITS_PER_SAMPLE = 20  # a fit takes long: of 1,000 samples 50 are fitted

Sample = tuple[TextClassifier, pl.Series, np.ndarray]


def draw(texts: pl.Series, labels: pl.Series, n: int, n_samples: int) -> Sequence[Sample]:
    """Return fitted classifiers, the texts that they have not seen, and the indices of the true classes of these."""
    samples = []
    for seed in range(n_samples):
        drawn = np.random.default_rng((seed, n)).permutation(len(texts))
        clf = TextClassifier().fit(texts[drawn[:n]], labels[drawn[:n]])
        unseen = drawn[n:]
        known = np.isin(labels[unseen].to_numpy(), clf.classes_)
        samples.append((clf, texts[unseen[known]], np.searchsorted(clf.classes_, labels[unseen[known]].to_numpy())))
    return samples


def abstention(samples: Sequence[Sample], accuracy: float) -> tuple[int, int, list[float]]:
    """Return how many models support an accuracy, how many of these miss it, and the shares that they answer."""
    n_missed, answered = 0, []
    for clf, texts, truth in samples:
        try:
            clf.abstention_threshold(accuracy)
        except InputError:
            continue
        found = clf.predict_selective(texts, accuracy=accuracy)
        given = np.array([label is not None for label in found])
        answered.append(float(given.mean()))
        n_missed += int(given.any() and (found[given] == clf.classes_[truth[given]]).mean() < accuracy)
    return len(answered), n_missed, answered


def operating_point(samples: Sequence[Sample], metric: str, level: float) -> tuple[int, int, list[float]]:
    """Return how many models support a level for their first class, how many of these miss it, and what they reach."""
    n_missed, reached = 0, []
    for clf, texts, truth in samples:
        held_out = clf.calibrated_on_
        try:
            assert held_out is not None
            point = OperatingPoint(metric, str(clf.classes_[0]), level)
            threshold = point.threshold(held_out.proba[:, 0], held_out.Y[:, 0])
        except InputError:
            continue
        said, is_class = clf.predict_proba(texts)[:, 0] > threshold, truth == 0
        hits = is_class[said] if metric == PRECISION else said[is_class]
        n_missed += int(len(hits) > 0 and hits.mean() < level)
        reached.append(float(hits.mean()) if len(hits) else 1.0)
    return len(reached), n_missed, reached


def sets(samples: Sequence[Sample], coverage: float, *, by_class: bool) -> tuple[float, float, float]:
    """Return the mean coverage of prediction sets, that of the class covered least, and their mean size."""
    covered, worst, size = [], [], []
    for clf, texts, truth in samples:
        proba = clf.predict_proba(texts)
        inside = clf.sets(proba, proba.argmax(axis=1), coverage, by_class=by_class)
        hits = inside[np.arange(len(truth)), truth]
        covered.append(hits.mean())
        worst.append([hits[truth == k].mean() for k in range(len(clf.classes_))])
        size.append(inside.sum(axis=1).mean())
    return float(np.mean(covered)), float(np.min(np.mean(worst, axis=0))), float(np.mean(size))


def report(n_samples: int) -> str:
    """Return how often the guarantees hold."""
    n_fits = max(10, n_samples // _FITS_PER_SAMPLE)
    answers = [["data", "training texts", "accuracy asked", "supported", "missed", "answered, %"]]
    points = [["data", "training texts", "of the first class", "supported", "missed", "reached, %"]]
    contents = [["data", "training texts", "coverage asked", "by class", "coverage, %", "least of a class, %", "size"]]
    for name in DATA:
        train = load_dataset(name).train
        frame = pl.DataFrame({"text": train.texts, "label": train.labels}).unique("text", maintain_order=True)
        for n in SIZES:
            if n + n // 4 > len(frame):
                continue
            samples = draw(frame["text"], frame["label"], n, n_fits)
            for accuracy in ACCURACIES:
                supported, missed, answered = abstention(samples, accuracy)
                share = f"{100 * np.mean(answered):.0f}" if answered else "–"
                answers.append([name, f"{n:,}", f"{accuracy:g}", f"{supported} of {n_fits}", str(missed), share])
            for metric in (PRECISION, RECALL):
                for level in LEVELS:
                    supported, missed, reached = operating_point(samples, metric, level)
                    mean = f"{100 * np.mean(reached):.1f}" if reached else "–"
                    asked = f"{metric} {level:g}"
                    points.append([name, f"{n:,}", asked, f"{supported} of {n_fits}", str(missed), mean])
            for coverage in COVERAGES:
                for by_class in (False, True):
                    found = sets(samples, coverage, by_class=by_class)
                    figures = [f"{100 * found[0]:.1f}", f"{100 * found[1]:.1f}", f"{found[2]:.2f}"]
                    contents.append([name, f"{n:,}", f"{coverage:g}", "yes" if by_class else "no", *figures])
    return (
        "Abstention: how many models can support the accuracy, how many of these miss it on the unseen texts (at most "
        f"5 % should), and what share they answer.\n\n{table(answers)}\n\nOperating points: the same for precision "
        f"and recall, and what is reached in the mean.\n\n{table(points)}\n\nPrediction sets.\n\n{table(contents)}"
    )
