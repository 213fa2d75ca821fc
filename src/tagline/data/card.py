"""What a notebook shows of a dataset."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tagline import notebook
from tagline.data.splits import SPLITS
from tagline.data.wording import counted
from tagline.task import Task

if TYPE_CHECKING:
    from tagline.data.dataset import Dataset, Split

_MOST_CLASSES = 12
_EXAMPLES = 3
_LONGEST = 160  # characters of an example
_MOST_WARNINGS = 5


def dataset_card(data: "Dataset") -> str:
    """Return rows by class and split, the first texts of the training set, and warnings, as HTML."""
    text = notebook.text
    n_rows = sum(len(split) for split in _splits(data).values())
    kind = f"{data.task}, {_classes(len(data.classes))}"
    head = f'<strong>{text(data.name)}</strong> <span class="quiet">{counted(n_rows, "row")}, {kind}</span>'
    warnings = [notebook.sentence(warning) for warning in data.facts.warnings]
    more = [f"{len(warnings) - _MOST_WARNINGS:,} more"] if len(warnings) > _MOST_WARNINGS else []
    return notebook.card(
        head,
        _counts(data),
        notebook.paragraph(
            f"Splits: {text(data.facts.split)}. Columns: {notebook.sentence(data.facts.chosen)}.", quiet=True
        ),
        notebook.details("First texts", _examples(data.train)),
        notebook.items([*warnings[:_MOST_WARNINGS], *more]),
    )


def _classes(n: int) -> str:
    return "1 class" if n == 1 else f"{n:,} classes"


def _splits(data: "Dataset") -> "dict[str, Split]":
    """Return the splits that have rows, by name."""
    given = zip(SPLITS, (data.train, data.validation, data.test), strict=True)
    return {name: split for name, split in given if split is not None}


def _counts(data: "Dataset") -> str:
    """Return the rows of each class in each split; of many classes the most frequent ones."""
    splits = _splits(data)
    counts: Mapping[str, Mapping[str, int]] = data.facts.class_counts
    rows = {name: [counts.get(split, {}).get(name, 0) for split in splits] for name in data.classes}
    shown = data.classes
    if len(shown) > _MOST_CLASSES:
        shown = sorted(shown, key=lambda name: -sum(rows[name]))[:_MOST_CLASSES]
    table = [(notebook.text(name, 60), *(f"{n:,}" for n in rows[name])) for name in shown]
    others = len(data.classes) - len(shown)
    if others:
        rest = [sum(rows[name][k] for name in data.classes if name not in shown) for k in range(len(splits))]
        table.append((f"other {_classes(others)}", *(f"{n:,}" for n in rest)))
    lengths = data.facts.lengths
    total = "rows" if data.task is Task.MULTILABEL else "all"
    table.append((total, *(f"{len(split):,}" for split in splits.values())))
    medians = [f"{lengths[name]['median']:,.0f}" if name in lengths else "" for name in splits]
    table.append(("median characters", *medians))
    return notebook.table(table, ("label" if data.task is Task.MULTILABEL else "class", *splits))


def _examples(split: "Split") -> str:
    rows = []
    for given, whole in zip(split.labels.head(_EXAMPLES).to_list(), split.texts.head(_EXAMPLES).to_list(), strict=True):
        label = ", ".join(given) if isinstance(given, list) else given
        rows.append((notebook.text(label or "no label", 60), notebook.text(" ".join(whole.split()), _LONGEST)))
    return notebook.table(rows, ("label", "text"), texts=(0, 1))
