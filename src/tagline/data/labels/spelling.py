"""Spellings of labels: one class, whatever its case, spaces, Unicode form or number format."""

import re
import unicodedata
from collections.abc import Sequence

import polars as pl

from tagline.data.labels.formats import LabelOptions, Labels
from tagline.data.wording import counted

_NUMBER = re.compile(r"([+-]?\d+)\.(\d*)")
#: What tools and people write for "not labelled".
_MISSING = frozenset(("-", "?", "#N/A", "nan", "NaN", "null"))
_SHOWN = 5


def spelling_key(label: str) -> str:
    """Return what spellings of one label have in common.

    >>> spelling_key(" Very  Good") == spelling_key("very good"), spelling_key("1.0") == spelling_key("1")
    (True, True)
    """
    key = " ".join(unicodedata.normalize("NFC", label).casefold().split())
    if number := _NUMBER.fullmatch(key):
        decimals = number[2].rstrip("0")
        return f"{number[1]}.{decimals}" if decimals else number[1]
    return key


def unify_labels(labels: pl.Series, options: LabelOptions) -> Labels:
    """Return labels of all sources, String or List(String), with one spelling for each class and missing ones null.

    Labels are in Unicode's NFC. Spellings that differ only in case, spaces or the way a number is written become the
    most frequent one. Lists become names where each row has exactly one.
    """
    lists = isinstance(labels.dtype, pl.List)
    flat = labels.explode() if lists else labels
    counts = flat.drop_nulls().to_frame("label").group_by("label", maintain_order=True).len()
    n_rows: dict[str, int] = dict(counts.iter_rows())
    renamed: dict[str, str | None] = {}
    composed = dict(zip(counts["label"], counts["label"].str.normalize("NFC"), strict=True))
    notes = []
    spellings: dict[str, dict[str, int]] = {}
    for label, name in composed.items():
        key = name if options.keep_spelling else spelling_key(name)
        found = spellings.setdefault(key, {})
        found[name] = found.get(name, 0) + n_rows[label]
    best = {key: max(found, key=lambda name: found[name]) for key, found in spellings.items()}
    for label, name in composed.items():
        renamed[label] = best[name if options.keep_spelling else spelling_key(name)]
    merged = [(best[key], [name for name in found if name != best[key]]) for key, found in spellings.items()]
    merged = [(name, others) for name, others in merged if others]
    if merged:
        shown = "; ".join(
            f"{', '.join(f'`{other}`' for other in others)} to `{name}`" for name, others in merged[:_SHOWN]
        )
        more = f"; and {len(merged) - _SHOWN:,} more" if len(merged) > _SHOWN else ""
        notes.append(f"Spellings of one label were merged: {shown}{more}. `--keep-label-spelling` keeps them apart.")
    for marker in () if options.keep_spelling else _unlabelled(set(best.values())):
        n = sum(n_rows[label] for label, name in renamed.items() if name == marker)
        renamed |= {label: None for label, name in renamed.items() if name == marker}
        notes.append(
            f"{counted(n, 'row')} with the label `{marker}`, which is read as unlabelled. Rename the label if it is a "
            "class, or give `--keep-label-spelling`."
        )
    if {"-1", "0", "1"} == set(best.values()):
        notes.append("The label `-1` is read as a class. If it means unlabelled, remove these rows.")
    changed = {label: name for label, name in renamed.items() if label != name}
    if changed:
        labels = _renamed(labels, changed)
    if lists and not options.multilabel and len(labels) and (labels.drop_nulls().list.len() == 1).all():
        labels = labels.list.first()
        notes.append(
            "Each row has exactly one label: read as single-label. `--multilabel` keeps a decision for every label."
        )
    return Labels(labels, tuple(notes))


def match_classes(labels: pl.Series, classes: Sequence[str]) -> tuple[pl.Series, list[str]]:
    """Return labels, where they are another spelling of a class, as that class, and what to tell the user."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    by_key: dict[str, set[str]] = {}
    for name in classes:
        by_key.setdefault(spelling_key(name), set()).add(name)
    changed: dict[str, str | None] = {}
    for label in flat.drop_nulls().unique().sort().to_list():
        alike = by_key.get(spelling_key(label), set())
        if len(alike) == 1 and label not in alike:
            changed[label] = next(iter(alike))
    if not changed:
        return labels, []
    shown = ", ".join(f"`{label}` for `{name}`" for label, name in list(changed.items())[:_SHOWN])
    more = f" and {len(changed) - _SHOWN:,} more" if len(changed) > _SHOWN else ""
    return _renamed(labels, changed), [f"The data spells classes of the model differently: {shown}{more}."]


def _renamed(labels: pl.Series, changed: dict[str, str | None]) -> pl.Series:
    if not isinstance(labels.dtype, pl.List):
        return labels.replace(list(changed), pl.Series(list(changed.values()), dtype=pl.String))
    lists = [
        None if row is None else sorted({new for name in row if (new := changed.get(name, name)) is not None})
        for row in labels.to_list()
    ]
    return pl.Series(labels.name, lists, dtype=pl.List(pl.String))


def _unlabelled(names: set[str]) -> list[str]:
    """Return the names that mean "not labelled": a mark, or -1 among class numbers from 0 up to 2 or more."""
    marks = sorted(names & _MISSING)
    numbers = names - {"-1"} - _MISSING
    if "-1" in names and len(numbers) > 2 and numbers == {str(i) for i in range(len(numbers))}:
        marks.append("-1")
    return marks
