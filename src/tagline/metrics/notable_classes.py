"""The classes of a block of ``metrics.json`` to look at first, of many: the most frequent, the best and the worst."""

from collections.abc import Mapping
from typing import Any

NOTABLE = 20  # classes of each kind
_PerClass = Mapping[str, Mapping[str, Any]]


def worst_classes(per_class: _PerClass, most: int) -> list[str]:
    """Return the ``most`` classes of lowest F1, worst first, among those that have rows."""
    return sorted(_held(per_class), key=lambda name: (per_class[name]["f1"], -per_class[name]["support"]))[:most]


def best_classes(per_class: _PerClass, most: int) -> list[str]:
    """Return the ``most`` classes of highest F1, best first, among those that have rows."""
    return sorted(_held(per_class), key=lambda name: (-per_class[name]["f1"], -per_class[name]["support"]))[:most]


def most_frequent_classes(per_class: _PerClass, most: int) -> list[str]:
    """Return the ``most`` classes with the most rows, most frequent first."""
    return sorted(_held(per_class), key=lambda name: -per_class[name]["support"])[:most]


def notable_classes(per_class: _PerClass) -> list[str]:
    """Return the most frequent, the best and the worst classes, each once, in the order of ``per_class``."""
    found = {
        *most_frequent_classes(per_class, NOTABLE),
        *best_classes(per_class, NOTABLE),
        *worst_classes(per_class, NOTABLE),
    }
    return [name for name in per_class if name in found]


def _held(per_class: _PerClass) -> list[str]:
    return [name for name, row in per_class.items() if row["support"] > 0]
