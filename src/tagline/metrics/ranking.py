"""Figures that follow from ranking rows by a score: ROC and precision-recall curves and their areas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.task import Bools, Floats, Ints


@dataclass(frozen=True)
class Ranking:
    """Rows sorted by one class's score, equal scores taken together.

    Attributes:
        thresholds: The distinct scores, highest first, ``(n_groups,)``.
        tp: Positives with a score of at least the threshold, ``(n_groups,)``.
        fp: Negatives with a score of at least the threshold, ``(n_groups,)``.
        group: Which threshold each row has, ``(n,)``.
        positive: The truth of each row, ``(n,)``.

    """

    thresholds: Floats
    tp: Floats
    fp: Floats
    group: Ints
    positive: Bools

    @property
    def n_positive(self) -> float:
        """Rows of the class."""
        return float(self.tp[-1])

    @property
    def n_negative(self) -> float:
        """Rows of the other classes."""
        return float(self.fp[-1])


def rank(positive: Bools, score: Floats) -> Ranking | None:
    """Sort once; ``None`` if there are no positive or no negative rows.

    Args:
        positive: Truth, ``(n,)``.
        score: Larger for more likely positive, ``(n,)``.

    """
    if len(positive) == 0 or positive.all() or not positive.any():
        return None
    order = np.argsort(-score)
    ranked = score[order]
    last_of_group = np.r_[np.flatnonzero(np.diff(ranked)), len(ranked) - 1]
    tp = np.cumsum(positive[order])[last_of_group].astype(float)
    group = np.empty(len(score), np.int64)
    group[order] = np.repeat(np.arange(len(last_of_group)), np.diff(last_of_group, prepend=-1))
    return Ranking(ranked[last_of_group], tp, last_of_group + 1.0 - tp, group, positive)


def rank_classes(
    y_true: NDArray[Any], proba: Floats, classes: Sequence[str], *, positive: str | None = None
) -> dict[str, Ranking]:
    """Rank the rows for each class, or only for ``positive``; classes that cannot be ranked are left out.

    Args:
        y_true: Class indices ``(n,)``, or booleans ``(n, n_classes)``.
        proba: ``(n, n_classes)``.
        classes: Names in the order of the columns.
        positive: Of two classes, the one whose curve is drawn.

    """
    rankings = {}
    for k, name in enumerate(classes):
        if positive in (None, name):
            ranking = rank(y_true[:, k].astype(bool) if y_true.ndim == 2 else y_true == k, proba[:, k])
            if ranking is not None:
                rankings[name] = ranking
    return rankings


def roc_curve(ranking: Ranking) -> tuple[Floats, Floats]:
    """Return false and true positive rates from (0, 0) to (1, 1), each ``(n_groups + 1,)``."""
    fpr = np.r_[0.0, ranking.fp] / ranking.n_negative
    tpr = np.r_[0.0, ranking.tp] / ranking.n_positive
    return fpr, tpr


def precision_recall_curve(ranking: Ranking) -> tuple[Floats, Floats]:
    """Return recall (rising) and precision at each threshold, each ``(n_groups,)``."""
    return ranking.tp / ranking.n_positive, ranking.tp / (ranking.tp + ranking.fp)


def roc_auc(ranking: Ranking) -> tuple[float, Floats]:
    """Return the area under the ROC curve and the influence of each row, ``(n,)``.

    AUC = P(score of a positive > score of a negative), ties counting one half.
    The influences are DeLong's structural components: the variance of the AUC is the sum of their squares.
    Source: E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44 (1988); in one sort after
    X. Sun, W. Xu, IEEE Signal Processing Letters 21 (2014).
    """
    m, n = ranking.n_positive, ranking.n_negative
    p, q = np.diff(ranking.tp, prepend=0.0), np.diff(ranking.fp, prepend=0.0)
    v10 = (n - ranking.fp + q / 2) / n  # share of the negatives that rank below
    v01 = (ranking.tp - p / 2) / m  # share of the positives that rank above
    area = float((p * v10).sum() / m)
    influence = np.where(
        ranking.positive,
        ((v10 - area) / np.sqrt(m * max(m - 1, 1)))[ranking.group],
        ((v01 - area) / np.sqrt(n * max(n - 1, 1)))[ranking.group],
    )
    return area, influence


def average_precision(ranking: Ranking) -> tuple[float, Floats]:
    """Return the average precision, the area under the precision-recall curve, and the influence of each row.

    AP = (1/m) Σ_{positives i} P(s_i) with P(s) = T(s) / N(s), T positives and N rows that score at least s.
    The influences are its derivatives with respect to the rows' weights, so that the sum of their squares is the
    variance of AP, ``(n,)``. Source: the infinitesimal jackknife, L. Jaeckel, Bell Laboratories
    memorandum (1972).
    """
    m = ranking.n_positive
    T, N = ranking.tp, ranking.tp + ranking.fp
    p = np.diff(T, prepend=0.0)
    area = float((p * T / N).sum() / m)
    at_or_below = slice(None, None, -1)
    gained = np.cumsum((p / N)[at_or_below])[at_or_below]
    diluted = np.cumsum((p * T / N**2)[at_or_below])[at_or_below]
    of_positive = (T / N - area + gained - diluted) / m
    of_negative = -diluted / m
    return area, np.where(ranking.positive, of_positive[ranking.group], of_negative[ranking.group])


def average_precision_bias(ranking: Ranking) -> float:
    """Return by about how much the average precision is too high: each positive counts itself in its precision.

    A positive whose precision is P = T / N among N rows would have (T - 1) / (N - 1) without itself; (1 - P) / N is
    what it adds to the precision of the population at its score.
    """
    p, N = np.diff(ranking.tp, prepend=0.0), ranking.tp + ranking.fp
    return float((p * (1 - ranking.tp / N) / N).sum() / ranking.n_positive)
