"""Spellings of labels: one class, whatever its case, spaces, Unicode form or number format."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from tagline.data.labels.formats import LabelOptions, Labels
from tagline.data.wording import counted
from tagline.key_findings import KeyFinding, Kind

_NUMBER = re.compile(r"([+-]?\d+)\.(\d*)")
#: Characters without width that are copied along with text: soft hyphen, zero-width space, joiner, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
#: What tools and people write for "not labelled", case-folded; ``na`` may be a word, but ``NA`` is what R writes.
_UNLABELLED = frozenset(
    ("-", "--", "—", "–", "?", "??", "???", "nan", "null", "n/a", "#n/a", "<na>", "unlabeled", "unlabelled")
)
_UNLABELLED_EXACTLY = "NA"
_MINUS_ONE = "-1"
_SHOWN = 5


def spelling_key(label: str) -> str:
    """Return what spellings of one label have in common.

    >>> spelling_key(" Very  Good") == spelling_key("very good"), spelling_key("1.0") == spelling_key("1")
    (True, True)
    """
    key = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", label)).casefold().split())
    if number := _NUMBER.fullmatch(key):
        decimals = number[2].rstrip("0")
        return f"{number[1]}.{decimals}" if decimals else number[1]
    return key


def unify_labels(labels: pl.Series, options: LabelOptions) -> Labels:
    """Return labels of all sources, String or List(String), with one spelling for each class and missing ones null.

    Labels are in Unicode's NFC. Spellings that differ only in case, spaces or the way a number is written become the
    most frequent one; of equally frequent ones the first. Labels that mean "not labelled" become null. Lists become
    names where each row has exactly one.
    """
    lists = isinstance(labels.dtype, pl.List)
    flat = labels.explode() if lists else labels
    counts = flat.drop_nulls().to_frame("label").group_by("label", maintain_order=True).len()
    n_rows: dict[str, int] = dict(counts.iter_rows())
    composed = {label: unicodedata.normalize("NFC", label) for label in n_rows}
    best = composed if options.keep_spelling else _most_frequent(composed, n_rows)
    unlabelled = [] if options.keep_spelling else _unlabelled(set(best.values()))
    changed = {label: None if name in unlabelled else name for label, name in best.items()}
    changed = {label: name for label, name in changed.items() if label != name}
    found = _key_findings(composed, best, n_rows, unlabelled)
    notes = [*_notes(composed), *(finding.sentence for finding in found)]
    labels = renamed(labels, changed) if changed else labels
    if options.multilabel and not lists:
        label = pl.col("label")
        labels = labels.to_frame("label").select(pl.when(label.is_not_null()).then(pl.concat_list(label))).to_series()
    known = labels.drop_nulls()
    if lists and not options.multilabel and len(known) and (known.list.len() == 1).all():
        labels = labels.list.first()
        notes.append(
            "Each row has exactly one label: read as single-label. `--multilabel` keeps a decision for every label."
        )
    return Labels(labels, tuple(notes), key_findings=tuple(found))


def _most_frequent(composed: Mapping[str, str], n_rows: Mapping[str, int]) -> dict[str, str]:
    """Return the most frequent spelling of each label's class."""
    spellings: dict[str, dict[str, int]] = {}
    for label, name in composed.items():
        found = spellings.setdefault(spelling_key(name), {})
        found[name] = found.get(name, 0) + n_rows[label]
    return {
        label: max(found := spellings[spelling_key(name)], key=found.__getitem__) for label, name in composed.items()
    }


def _notes(composed: Mapping[str, str]) -> list[str]:
    """Say that labels were composed, if any was."""
    changed = [name for label, name in composed.items() if label != name]
    return [f"Labels were converted to Unicode NFC, such as `{changed[0]}`."] if changed else []


def _key_findings(
    composed: Mapping[str, str], best: Mapping[str, str], n_rows: Mapping[str, int], unlabelled: Sequence[str]
) -> list[KeyFinding]:
    """Say which labels were merged, and which mean or may mean "not labelled"."""
    found = []
    merged: dict[str, list[str]] = {}
    for name, chosen in dict(zip(composed.values(), best.values(), strict=True)).items():
        if name != chosen:
            merged.setdefault(chosen, []).append(name)
    if merged:
        shown = "; ".join(
            f"{', '.join(f'`{other}`' for other in others)} to `{name}`"
            for name, others in list(merged.items())[:_SHOWN]
        )
        more = f"; and {len(merged) - _SHOWN:,} more" if len(merged) > _SHOWN else ""
        sentence = f"Spellings of one label were merged: {shown}{more}. `--keep-label-spelling` keeps them apart."
        found.append(KeyFinding(Kind.MERGED_LABELS, sentence))
    for mark in unlabelled:
        n = sum(n_rows[label] for label, name in best.items() if name == mark)
        have = "has" if n == 1 else "have"
        sentence = (
            f"{counted(n, 'row')} {have} the label `{mark}`, which is read as unlabelled. Give "
            "`--keep-label-spelling`, or rename the label, if it is a class."
        )
        found.append(KeyFinding(Kind.UNLABELLED, sentence))
    if {spelling_key(name) for name in best.values()} == {_MINUS_ONE, "0", "1"}:
        sentence = "The label `-1` is read as a class. If it means unlabelled, remove these rows."
        found.append(KeyFinding(Kind.UNLABELLED, sentence))
    return found


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
    return renamed(labels, changed), [f"The data spells classes of the model differently: {shown}{more}."]


def renamed(labels: pl.Series, changed: Mapping[str, str | None]) -> pl.Series:
    """Return labels with new names, None for unlabelled; a list without another label then becomes null."""
    if not isinstance(labels.dtype, pl.List):
        return labels.replace(list(changed), pl.Series(list(changed.values()), dtype=pl.String))
    lists = []
    for row in labels.to_list():
        names = None if row is None else sorted({new for name in row if (new := changed.get(name, name)) is not None})
        lists.append(None if row and not names else names)
    return pl.Series(labels.name, lists, dtype=pl.List(pl.String))


def _unlabelled(names: Collection[str]) -> list[str]:
    """Return the names that mean "not labelled": marks among at least two words, or -1 among 0 up to 2 or more."""
    marks = sorted(name for name in names if name.casefold() in _UNLABELLED or name == _UNLABELLED_EXACTLY)
    others = [name for name in names if name not in marks]
    if len(others) < 2 or not all(any(character.isalnum() for character in name) for name in others):
        marks = []  # as in `+` and `-`, or `?` and `!`, or of a label and none
    minus_one = [name for name in names if spelling_key(name) == _MINUS_ONE]
    numbers = {spelling_key(name) for name in names if name not in (*marks, *minus_one)}
    if minus_one and len(numbers) > 2 and numbers == {str(i) for i in range(len(numbers))}:
        return [*marks, *minus_one]
    return marks
