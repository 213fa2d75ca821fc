"""Confusions of a block of ``metrics.json``: which classes are predicted for which."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def confusion_counts(block: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    """Return ``(truth, prediction, rows)`` of the non-zero cells of single-label data."""
    if block["confusion_matrix"] is None:
        cells = block["confusion"]
        return list(zip(cells["rows"], cells["columns"], cells["counts"], strict=True))
    return [(i, j, n) for i, row in enumerate(block["confusion_matrix"]) for j, n in enumerate(row) if n]


def most_confused(
    block: Mapping[str, Any], classes: Sequence[str], most: int = 15
) -> list[tuple[str, str, int, float]]:
    """Return ``(truth, prediction, rows, share of the truth)`` of the largest cells off the diagonal."""
    cells, totals = confusion_counts(block), Counter[int]()
    for i, _, n in cells:
        totals[i] += n
    pairs = [(classes[i], classes[j], n, n / totals[i]) for i, j, n in cells if i != j]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3], pair[0], pair[1]))[:most]
