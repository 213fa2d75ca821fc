"""Which figures people see, in which order, under which names and with how many digits."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ALL = ("binary", "multiclass", "multilabel")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Headline:
    """A figure as people read it.

    Attributes:
        key: Its key in the block.
        name: ``"Accuracy"``.
        value: ``"92.4 %"``, or ``"–"`` where the rows do not allow the figure.
        interval: ``"92.1 to 92.7"``, or the empty string.
        meaning: A few words on what it says and which way is better.

    """

    key: str
    name: str
    value: str
    interval: str
    meaning: str


# key, name, tasks, meaning
_FIGURES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("accuracy", "Accuracy", ("binary", "multiclass"), "rows that are right"),
    ("accuracy", "Exact match", ("multilabel",), "rows with the whole set right"),
    ("hamming_loss", "Hamming loss", ("multilabel",), "single labels wrong; 0 is best"),
    ("precision", "Precision", ("binary",), "right among predicted {positive}"),
    ("recall", "Recall", ("binary",), "found among true {positive}"),
    ("f1", "F1", ("binary",), "precision and recall in one"),
    ("specificity", "Specificity", ("binary",), "left alone among the others"),
    ("false_positive_rate", "False positive rate", ("binary",), "false alarms; 0 is best"),
    ("macro_f1", "Macro F1", _ALL, "every class counts the same"),
    ("micro_f1", "Micro F1", ("multilabel",), "every single label counts"),
    ("weighted_f1", "Weighted F1", ("multiclass", "multilabel"), "classes count by their rows"),
    ("macro_precision", "Macro precision", ("multiclass", "multilabel"), "mean over classes"),
    ("macro_recall", "Macro recall", ("multiclass", "multilabel"), "mean over classes"),
    ("roc_auc", "ROC AUC", _ALL, "right ones rank above others"),
    ("pr_auc", "PR AUC", _ALL, "average precision"),
    ("mcc", "MCC", _ALL, "correlation; 0 is chance"),
    ("log_loss", "Log loss", _ALL, "in nats; 0 is best"),
    ("brier", "Brier score", _ALL, "squared error; 0 is best"),
    ("ece", "Calibration error", _ALL, "ECE; 0 is best"),
)
_NOT_FROM_0_TO_1 = {"log_loss", "brier", "mcc"}
_SAME = 1e-5  # ends of an interval that differ by less than this share are one
NO_INTERVAL = "no interval from these rows"
_SHARES = {"accuracy", "hamming_loss", "precision", "recall", "specificity", "false_positive_rate"}


def task_of(block: Mapping[str, Any]) -> str:
    """Return the task a block of ``measure`` was made for."""
    if "hamming_loss" in block:
        return "multilabel"
    return "binary" if "positive" in block else "multiclass"


def headlines(block: Mapping[str, Any]) -> list[Headline]:
    """Return the figures of a block in the order in which people should read them.

    >>> from tagline.metrics import measure
    >>> block = measure([0, 1, 1, 0], [0, 1, 0, 0], None, ["neg", "pos"], task="binary")
    >>> headlines(block)[0].name, headlines(block)[0].value
    ('Accuracy', '75.0 %')
    """
    task = task_of(block)
    positive = f"“{display_name(block['positive'], 12)}”" if task == "binary" else ""
    found = []
    for key, name, tasks, meaning in _FIGURES:
        if task in tasks and key in block:
            interval = block.get(f"{key}_ci95")
            text = meaning.format(positive=positive)
            found.append(Headline(key, name, format_figure(key, block[key]), format_interval(key, interval), text))
    return found


def format_figure(key: str, value: float | None) -> str:
    """Format shares as per cent with one decimal, other figures with three.

    >>> format_figure("accuracy", 0.9241), format_figure("log_loss", 0.20449), format_figure("roc_auc", None)
    ('92.4 %', '0.204', '–')
    """
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if key in _SHARES else f"{value:.3f}"


def format_interval(key: str, interval: list[float] | None) -> str:
    """Format an interval in the unit of its figure; one without width or without bounds says nothing and is empty.

    >>> format_interval("accuracy", [0.921, 0.927])
    '92.1 to 92.7'
    >>> format_interval("precision", [0.0, 1.0]), format_interval("log_loss", [4.7791, 4.7791])
    ('', '')
    """
    if not interval:
        return ""
    low, high = interval
    without_bounds = low <= 0 and high >= 1 and key not in _NOT_FROM_0_TO_1
    if without_bounds or high - low <= _SAME * max(abs(low), abs(high)):
        return ""
    return f"{100 * low:.1f} to {100 * high:.1f}" if key in _SHARES else f"{low:.3f} to {high:.3f}"


def display_name(name: str, longest: int | None = None) -> str:
    """Return a class name that holds no control character or invisible mark, shortened in the middle.

    The middle goes first because many names differ at their ends only.

    >>> display_name("balance_not_updated_after_cheque", longest=16)
    'balance_…_cheque'
    """
    clean = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", name) or "(empty)"
    if longest is None or len(clean) <= longest:
        return clean
    head = longest // 2
    return clean[:head] + "…" + clean[head + 1 - longest :]


def listed(names: Sequence[str]) -> str:
    """Join names to words: commas, and `and` before the last.

    >>> listed(["joy", "fear", "rage"])
    'joy, fear and rage'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def worst_classes(per_class: Mapping[str, Mapping[str, Any]], most: int) -> list[str]:
    """Return the ``most`` classes of lowest F1, worst first, among those that the rows hold."""
    held = [name for name, row in per_class.items() if row["support"] > 0]
    return sorted(held, key=lambda name: (per_class[name]["f1"], -per_class[name]["support"]))[:most]


def confusion_counts(block: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    """Return ``(truth, prediction, rows)`` of the cells that are not 0 of a block of single-label data."""
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
