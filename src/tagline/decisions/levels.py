"""The usual levels of abstention and prediction sets, and the thresholds of those that held-out rows support."""

from dataclasses import asdict, dataclass
from typing import Any

from tagline.decisions.abstention import answered, lowest_threshold
from tagline.decisions.held_out import HeldOutScores
from tagline.decisions.sets import rows_for_sets, set_threshold

ACCURACIES = (0.9, 0.95, 0.98, 0.99)
COVERAGES = (0.9, 0.95)


@dataclass(frozen=True)
class AbstentionLevel:
    """An accuracy that is guaranteed for answers whose probability is at least ``threshold``.

    ``answered`` is the share of the held-out rows that have such a probability.
    """

    accuracy: float
    threshold: float
    answered: float


@dataclass(frozen=True)
class SetLevel:
    """A coverage that is guaranteed for sets of the class predicted and those of a probability of ``threshold``."""

    coverage: float
    threshold: float


def abstention_levels(scores: HeldOutScores | None) -> list[AbstentionLevel]:
    """Return the levels of `ACCURACIES` that the held-out rows of a classifier, its ``held_out_``, support."""
    if scores is None:
        return []
    levels = []
    for accuracy in ACCURACIES:
        threshold = lowest_threshold(scores.confidence, scores.right, accuracy)
        if threshold is not None:
            levels.append(AbstentionLevel(accuracy, threshold, answered(scores, threshold).share))
    return levels


def set_levels(scores: HeldOutScores | None) -> list[SetLevel]:
    """Return the levels of `COVERAGES` that the held-out rows of a classifier, its ``held_out_``, support."""
    if scores is None:
        return []
    return [SetLevel(each, set_threshold(scores, each)) for each in COVERAGES if len(scores) >= rows_for_sets(each)]


def levels_to_json(scores: HeldOutScores | None) -> dict[str, Any] | None:
    """Return the levels that held-out rows support, for cards and pages; None without such rows."""
    if scores is None:
        return None
    return {
        "held_out_rows": len(scores),
        "abstention": [asdict(level) for level in abstention_levels(scores)],
        "sets": [asdict(level) for level in set_levels(scores)],
    }
