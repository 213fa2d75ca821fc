"""Labels: read from cells in the ways people write them, their spellings merged, and checked."""

from tagline.data.labels.advice import without_option
from tagline.data.labels.characters import visible
from tagline.data.labels.check import check_labels, sorted_classes
from tagline.data.labels.column import LabelOptions, Labels
from tagline.data.labels.formats import LABEL_FORMATS, read_labels, spaces_trimmed
from tagline.data.labels.spelling import match_classes, match_values, spelling_key, unify_labels

__all__ = [
    "LABEL_FORMATS",
    "LabelOptions",
    "Labels",
    "check_labels",
    "match_classes",
    "match_values",
    "read_labels",
    "sorted_classes",
    "spaces_trimmed",
    "spelling_key",
    "unify_labels",
    "visible",
    "without_option",
]
