"""Key findings: what the user of a run should look at first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_MOST_SHOWN = 5
_MINOR = 0.01


class Kind(StrEnum):
    """What a key finding is about, the most serious first."""

    NO_BETTER_THAN_GUESSING = "no_better_than_guessing"
    ONE_CLASS = "one_class"
    NEVER_PREDICTED = "never_predicted"
    HARDLY_FOUND = "hardly_found"
    ENCODING = "encoding"
    COPIES_ACROSS_SPLITS = "copies_across_splits"
    SMALL_TEST = "small_test"
    FEW_TEST_ROWS = "few_test_rows"
    SPLITS_DISAGREE = "splits_disagree"
    COPIES_DOMINATE = "copies_dominate"
    UNTRAINED_CLASSES = "untrained_classes"
    POSITIVE_IS_FREQUENT = "positive_is_frequent"
    MANY_CLASSES = "many_classes"
    UNLABELLED = "unlabelled"
    CONFLICTING_LABELS = "conflicting_labels"
    MERGED_LABELS = "merged_labels"
    SIMILAR_LABELS = "similar_labels"
    UNREADABLE_ROWS = "unreadable_rows"
    ROWS_LEFT_OUT = "rows_left_out"
    TINY_CLASSES = "tiny_classes"


@dataclass(frozen=True)
class KeyFinding:
    """A key finding.

    Attributes:
        kind: What it is about.
        sentence: A whole sentence for terminal and report, with what to do.
        share: The share of the rows, of the texts or of the test rows that it concerns; below 1 % it is minor.
        of_training: Whether it concerns rows to train on only.
        measured: In place of a sentence of training, for rows that a model is only measured on; "" for nothing.
        listed_in: The file of a run that lists all rows that it concerns; "" if there is none or the sentence does.

    """

    kind: Kind
    sentence: str
    share: float = 1.0
    of_training: bool = False
    measured: str = ""
    listed_in: str = ""

    def to_json(self) -> dict[str, str]:
        """Return an item of ``findings`` of ``metrics.json``."""
        return {"kind": str(self.kind), "sentence": self.sentence}


def most_serious_first(findings: Iterable[KeyFinding]) -> list[KeyFinding]:
    """Sort findings: those that concern hardly any row last, and otherwise in the order of `Kind`."""
    ranks = {kind: rank for rank, kind in enumerate(Kind)}
    return sorted(findings, key=lambda finding: (finding.share < _MINOR, ranks[finding.kind]))


def shown_first(metrics: Mapping[str, Any]) -> list[str]:
    """Return the sentences under the headline, of the content of a ``metrics.json``: five at most.

    None for runs of earlier versions, which lack ``findings``.
    """
    return [str(finding["sentence"]) for finding in metrics.get("findings", ())[:_MOST_SHOWN]]
