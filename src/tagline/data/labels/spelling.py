"""Spellings of labels: one class, whatever its case, spaces, Unicode form or number format."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from tagline.data.labels.advice import IF_CLASS, KEEPS_APART
from tagline.data.labels.characters import clean, plain, visible
from tagline.data.labels.column import LabelOptions, Labels
from tagline.data.labels.equal_values import names_of_equal_value
from tagline.data.labels.marks import Unlabelled, unlabelled
from tagline.data.wording import counted, have
from tagline.key_findings import KeyFinding, Kind

#: What the Turkish capital İ becomes in lower case, an i with a dot above it.
_DOTTED_I = "i\u0307"
_NUMBER = re.compile(r"([+-]?\d+)\.(\d*)")
_WHOLE = re.compile(r"[+-]?\d+(|\.0*)")
#: Spellings of yes and no that are not merged: a class named `1` may be something else than `yes`.
_SAME_MEANING = (frozenset(("1", "true", "t", "yes", "y")), frozenset(("0", "false", "f", "no", "n")))
_SHOWN = 5


def spelling_key(label: str) -> str:
    """Return what spellings of one label have in common.

    >>> spelling_key(" Very  Good") == spelling_key("very good"), spelling_key("1.0") == spelling_key("1")
    (True, True)
    """
    key = plain(clean(unicodedata.normalize("NFC", label))).casefold().replace(_DOTTED_I, "i")
    if number := _NUMBER.fullmatch(key):
        decimals = number[2].rstrip("0")
        return f"{number[1]}.{decimals}" if decimals else number[1]
    return key


def unify_labels(labels: pl.Series, options: LabelOptions) -> Labels:
    """Return labels of all sources, String or List(String), with one spelling for each class and missing ones null.

    Labels are in Unicode's NFC. Spellings that differ only in case, spaces, invisible characters, the width of letters,
    surrounding quotes, a full stop or the like at the end, or the way a number is written, become the most frequent
    one; of equally frequent ones the plainest, or the first. Labels that mean "not labelled" become null. Lists become
    names where each row has exactly one.
    """
    lists = isinstance(labels.dtype, pl.List)
    flat = labels.explode() if lists else labels
    counts = flat.drop_nulls().to_frame("label").group_by("label", maintain_order=True).len()
    n_rows: dict[str, int] = dict(counts.iter_rows())
    composed = {label: unicodedata.normalize("NFC", label) for label in n_rows}
    best = composed if options.keep_spelling else _most_frequent(composed, n_rows)
    missing = Unlabelled() if options.keep_spelling else unlabelled(set(best.values()))
    changed = {label: None if name in missing.marks else name for label, name in best.items()}
    changed = {label: name for label, name in changed.items() if label != name}
    found = _merged(composed, best)
    for mark in missing.marks:
        found.append(_of_mark(mark, sum(n_rows[label] for label, name in best.items() if name == mark)))
    found += [KeyFinding(Kind.UNLABELLED, _read_as_class(name)) for name in missing.likely]
    if not options.keep_spelling:
        found += _of_same_meaning(set(best.values()))
    notes = [*_notes(composed), *(finding.sentence for finding in found), *map(_read_as_class, missing.possible)]
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
    """Return the most frequent spelling of each label's class, of whole numbers the notation that most rows have.

    One with invisible characters or several spaces is only taken if it is the only one.
    """
    spellings: dict[str, Counter[str]] = {}
    notations: Counter[str] = Counter()
    for label, name in composed.items():
        spellings.setdefault(spelling_key(name), Counter())[name] += n_rows[label]
        if number := _WHOLE.fullmatch(name):
            notations[number[1]] += n_rows[label]
    best = {key: _best_of(found, notations) for key, found in spellings.items()}
    return {label: best[spelling_key(name)] for label, name in composed.items()}


def _best_of(spellings: Mapping[str, int], notations: Mapping[str, int]) -> str:
    if len(spellings) == 1:
        return next(iter(spellings))
    cleaned: Counter[str] = Counter()
    for name, n in spellings.items():
        cleaned[clean(name)] += n

    def rank(name: str) -> tuple[int, bool]:
        number = _WHOLE.fullmatch(name)
        if number:
            return notations[number[1]], not number[1]
        return cleaned[clean(name)], plain(name) == name

    return max([name for name in spellings if name == clean(name)] or spellings, key=rank)


def _notes(composed: Mapping[str, str]) -> list[str]:
    """Say that labels were composed, if any was."""
    changed = [name for label, name in composed.items() if label != name]
    return [f"Labels were converted to Unicode NFC, such as `{changed[0]}`."] if changed else []


def _merged(composed: Mapping[str, str], best: Mapping[str, str]) -> list[KeyFinding]:
    """Say which labels were merged, if any was."""
    merged: dict[str, list[str]] = {}
    for name, chosen in dict(zip(composed.values(), best.values(), strict=True)).items():
        if name != chosen:
            merged.setdefault(chosen, []).append(name)
    if not merged:
        return []
    shown = "; ".join(
        f"{', '.join(f'`{visible(other)}`' for other in others)} to `{visible(name)}`"
        for name, others in list(merged.items())[:_SHOWN]
    )
    more = f"; and {len(merged) - _SHOWN:,} more" if len(merged) > _SHOWN else ""
    sentence = f"Spellings of one label were merged: {shown}{more}.{KEEPS_APART}"
    return [KeyFinding(Kind.MERGED_LABELS, sentence)]


def _of_mark(mark: str, n: int) -> KeyFinding:
    sentence = f"{counted(n, 'row')} {have(n)} the label `{mark}`, which is read as unlabelled.{IF_CLASS}"
    return KeyFinding(Kind.UNLABELLED, sentence)


def _read_as_class(name: str) -> str:
    return f"The label `{name}` is read as a class. If it means unlabelled, remove these rows."


def _of_same_meaning(names: Collection[str]) -> list[KeyFinding]:
    """Say that labels may mean the same, if all of them are words or numbers for yes and no."""
    keys = {spelling_key(name): name for name in sorted(names)}
    if not keys.keys() <= frozenset().union(*_SAME_MEANING):
        return []
    alike = [[name for key, name in keys.items() if key in words] for words in _SAME_MEANING]
    shown = "; ".join(" and ".join(f"`{name}`" for name in found) for found in alike if len(found) > 1)
    if not shown:
        return []
    sentence = f"Labels that may mean the same are different classes: {shown}. Write each of them in one way."
    return [KeyFinding(Kind.SIMILAR_LABELS, sentence)]


def match_classes(labels: pl.Series, classes: Sequence[str]) -> tuple[pl.Series, list[str]]:
    """Return labels, where they spell a class in another way, as that class, and what to tell the user.

    Spellings that only write the same number or day are matched where no other class may be meant.
    """
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    by_key: dict[str, set[str]] = {}
    for name in classes:
        by_key.setdefault(spelling_key(name), set()).add(name)
    changed: dict[str, str | None] = {}
    others = []
    for label in flat.drop_nulls().unique().sort().to_list():
        alike = by_key.get(spelling_key(label), set())
        if not alike:
            others.append(label)
        elif len(alike) == 1 and label not in alike:
            changed[label] = next(iter(alike))
    changed |= names_of_equal_value(others, classes)
    if not changed:
        return labels, []
    return renamed(labels, changed), [f"The data spells classes of the model differently: {_listed(changed)}."]


def match_values(labels: pl.Series, main: pl.Series, source: str) -> tuple[pl.Series, list[str]]:
    """Return labels of another file, where they write the number or day of a label of the main one, as that label.

    Other spellings are left to `unify_labels`. ``source`` names the other file in the notes.
    """
    others, names = (
        (one.explode() if isinstance(one.dtype, pl.List) else one).drop_nulls().unique().sort().to_list()
        for one in (labels, main)
    )
    keys = {spelling_key(name): name for name in names}
    changed = names_of_equal_value([label for label in others if spelling_key(label) not in keys], keys.values())
    if not changed:
        return labels, []
    return renamed(labels, changed), [f"`{source}` spells labels of the train rows differently: {_listed(changed)}."]


def _listed(changed: Mapping[str, str | None]) -> str:
    shown = ", ".join(f"`{visible(label)}` for `{name}`" for label, name in list(changed.items())[:_SHOWN])
    return shown + (f" and {len(changed) - _SHOWN:,} more" if len(changed) > _SHOWN else "")


def renamed(labels: pl.Series, changed: Mapping[str, str | None]) -> pl.Series:
    """Return labels with new names, None for unlabelled; a list without another label then becomes null."""
    if not isinstance(labels.dtype, pl.List):
        return labels.replace(list(changed), pl.Series(list(changed.values()), dtype=pl.String))
    lists = []
    for row in labels.to_list():
        names = None if row is None else sorted({new for name in row if (new := changed.get(name, name)) is not None})
        lists.append(None if row and not names else names)
    return pl.Series(labels.name, lists, dtype=pl.List(pl.String))
