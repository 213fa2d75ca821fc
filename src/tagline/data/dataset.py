"""`load_dataset`, the one way in, and what it returns: `Dataset` and `Split`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.data import splits
from tagline.data.builtin.catalog import BUILT_IN
from tagline.data.columns import check_labels, choose_columns, join_texts, label_strings, listed, sorted_classes
from tagline.data.formats.files import read_file
from tagline.data.formats.folders import is_glob, read_folder, read_glob
from tagline.data.formats.streams import STDIN
from tagline.data.frames import read_object
from tagline.data.inspections.facts import (
    Facts,
    copy_warnings,
    count_classes,
    count_duplicates,
    label_warnings,
    row_place,
    text_lengths,
    text_warnings,
)
from tagline.data.rows import (
    SET_ASIDE,
    SPLIT_NAMES,
    TEST,
    TRAIN,
    VALIDATION,
    Rows,
    check_rejected,
    counted,
    is_blank,
)
from tagline.errors import DataError, nearest

Task = Literal["binary", "multiclass", "multilabel"]
PARTS = (TRAIN, VALIDATION, TEST)
HASH_ROWS = 512


@dataclass(frozen=True, eq=False)
class Split:
    """Texts and their labels, row by row.

    ``texts`` is String without nulls; ``labels`` is String, or List(String) for multi-label data; ``groups``,
    None unless a group column was asked for, is String without nulls: a row without a group has one of its
    own. (n,) all.
    """

    texts: pl.Series
    labels: pl.Series
    groups: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled texts, split.

    ``classes`` are sorted names. ``validation`` and ``test`` are None where there are none: official splits
    may lack validation rows, and with ``folds`` ((n,) int64, the fold of each row, from 0) all rows are in
    ``train``.
    """

    name: str
    source: str
    task: Task
    classes: list[str]
    train: Split
    validation: Split | None
    test: Split | None
    facts: Facts
    folds: npt.NDArray[np.int64] | None = field(default=None)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over texts, labels and split membership, in hexadecimal; the order of rows counts."""
        digest = hashlib.sha256()
        for name, split in zip(PARTS, (self.train, self.validation, self.test), strict=True):
            if split is None:
                continue
            digest.update(f"{name} {len(split)}\n".encode())
            _hash_strings(digest, split.texts)
            labels = split.labels
            if isinstance(labels.dtype, pl.List):
                digest.update(labels.list.len().cast(pl.UInt32).to_numpy().tobytes())
                labels = labels.filter(labels.list.len() > 0).explode()
            _hash_strings(digest, labels)
        if self.folds is not None:
            digest.update(self.folds.tobytes())
        return digest.hexdigest()


def _hash_strings(digest: Any, strings: pl.Series) -> None:
    digest.update(strings.str.len_bytes().cast(pl.UInt32).to_numpy().tobytes())
    # Small joins stay in the processor's cache: one join of all costs three times as much.
    for part in strings.to_frame().iter_slices(HASH_ROWS):
        digest.update(part.to_series().str.join("").item().encode())


def load_dataset(
    data: Any,
    *,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    group: str | None = None,
    test: Any = None,
    validation: Any = None,
    folds: int | None = None,
    seed: int = 0,
    strict: bool = False,
) -> Dataset:
    """Read labelled texts and split them.

    Args:
        data: a path, a folder, a glob, ``-`` for standard input, a built-in name, a pandas or polars frame,
            a Hugging Face ``Dataset`` or ``DatasetDict``, or a list of ``(text, label)`` pairs or of
            dictionaries. A bare built-in name is always the built-in set: write ``./imdb`` for a folder of
            that name.
        text: the text column, or several, which are joined by a newline; found by itself if it can be.
        label: the label column; found by itself if it can be.
        group: a column whose rows with one value never fall on both sides of a split.
        test: test rows of their own, read like ``data``; of a source with official splits its test rows.
        validation: validation rows of their own, read like ``data``.
        folds: put all rows in ``train`` and assign them to so many folds for cross-validation.
        seed: of the split; the same seed gives the same split.
        strict: make any row that cannot be read an error; otherwise they are counted, up to 1 % of all.

    Official splits are used where they exist. Otherwise the rows are split 80/10/10, stratified by class, and
    copies of a text (equal after trimming and lower-casing) stay on one side. An official test split without
    validation rows leaves ``validation`` None; official splits without a test part get a tenth of the train
    rows for it.

    Raises:
        DataError: the data cannot be used; one sentence says where and what to do.
        MissingExtraError: a format or built-in set needs a package that is not installed.
        DownloadError: a built-in set could not be downloaded.

    >>> rows = [("good", "pos"), ("fine", "pos"), ("bad", "neg"), ("poor", "neg")]
    >>> load_dataset(rows).classes
    ['neg', 'pos']

    """
    if folds is not None and (test is not None or validation is not None):
        raise DataError("`--folds` uses every row for both: give it without `--test` and `--validation`.")
    texts = () if text is None else (text,) if isinstance(text, str) else tuple(text)
    rows = _read(data, texts, label, group)
    check_rejected(list(rows.rejected), rows.frame.height, strict=strict)
    if not rows.frame.height:
        raise DataError(f"`{rows.source}` is empty: it has no rows.")
    columns = choose_columns(rows, texts, label, group)
    warnings = list(rows.notes)
    tables = [_table(rows, columns.text, columns.label, columns.split, group)]
    rejected = list(rows.rejected)
    rows_read = rows.frame.height
    for part, given in ((TEST, test), (VALIDATION, validation)):
        if given is None:
            continue
        extra = _read(given, texts, label, group)
        check_rejected(list(extra.rejected), extra.frame.height, strict=strict)
        rejected += extra.rejected
        rows_read += extra.frame.height
        taken = choose_columns(extra, texts, label, None)
        found = _table(extra, taken.text, taken.label, taken.split, group if group in extra.frame.columns else None)
        if (found["part"] == part).any():
            found = found.filter(pl.col("part") == part)
        unused = int((tables[0]["part"] == part).sum())
        if unused:
            warnings.append(
                f"{counted(unused, part + ' row')} of `{rows.source}` left out: `{extra.source}` takes the place."
            )
            tables[0] = tables[0].filter(pl.col("part").ne_missing(part))
        tables.append(found.with_columns(part=pl.lit(part)))
    table, dropped, told = _clean(_stack(tables))
    if not table.height:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in dropped.items())
        raise DataError(f"`{rows.source}` has no row with both a text and a label ({reasons}).")
    classes = sorted_classes(table["label"])
    task = _task(table["label"], classes, rows.source, columns.label)
    check_labels(table["label"], classes, rows, columns.label)
    trimmed = int(table["trimmed"].sum())
    if trimmed:
        warnings.append(f"Spaces around the label were trimmed in {counted(trimmed, 'row')}.")
    warnings += told
    if rejected:
        first = rejected[0]
        warnings.append(
            f"{counted(len(rejected), 'row')} could not be read; "
            f"the first is `{first.file}` line {first.line}: {first.reason}."
        )
    table = table.with_columns(key=splits.copy_keys(table["text"]))
    if group:
        # A row without a group is a group of its own.
        table = table.with_columns(pl.coalesce("group", pl.format("\0{}", pl.int_range(pl.len()))))
    official = _is_official(table["part"])
    assigned, how = _assign(table, group, test is not None, folds, seed, warnings)
    parts = {name: table.filter(assigned == name) for name in PARTS}
    if not parts[TRAIN].height:
        raise DataError(f"`{rows.source}` has no train rows left.")
    duplicates = count_duplicates(table.with_columns(part=assigned), official=official and folds is None)
    warnings += copy_warnings(duplicates)
    warnings += label_warnings(count_classes(table["label"], classes), table.height)
    warnings += text_warnings(table)
    counts = {name: count_classes(part["label"], classes) for name, part in parts.items() if part.height}
    unseen = [name for name, n in counts[TRAIN].items() if n == 0]
    if unseen:
        warnings.append(f"Classes without train rows cannot be learnt: {listed(unseen, 5)}.")
    facts = Facts(
        rows_read=rows_read,
        text_columns=columns.text,
        label_column=columns.label,
        chosen=columns.chosen,
        split=how,
        official=official and folds is None,
        dropped=dropped,
        duplicates=duplicates,
        lengths={name: text_lengths(part["text"]) for name, part in parts.items() if part.height},
        class_counts=counts,
        rejected=tuple(rejected),
        warnings=tuple(warnings),
    )
    made = {
        name: Split(part["text"], part["label"], part["group"] if group else None) if part.height else None
        for name, part in parts.items()
    }
    train = made[TRAIN]
    assert train is not None
    fold_of = None
    if folds is not None:
        fold_of = splits.fold_rows(_units(table, group), splits.strata(table["label"]), folds, seed=seed)
    return Dataset(rows.name, rows.source, task, classes, train, made[VALIDATION], made[TEST], facts, fold_of)


def _read(data: Any, texts: Sequence[str], label: str | None, group: str | None) -> Rows:
    if not isinstance(data, str | Path):
        return read_object(data)
    name = str(data)
    expected = tuple(column for column in (*texts, label, group) if column)
    if isinstance(data, str) and name in BUILT_IN:
        return BUILT_IN[name].read()
    path = Path(name)
    if name == STDIN or path.is_file():
        return read_file(name, expected=expected)
    if path.is_dir():
        return read_folder(name, expected=expected)
    if is_glob(name):
        return read_glob(name, expected=expected)
    if path.exists():
        return read_file(name, expected=expected)
    if path.name != name or path.suffix:
        beside = [child.name for child in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"`{name}` does not exist.{nearest(path.name, beside)}")
    raise DataError(
        f"`{name}` is neither a file, a folder nor a built-in dataset.{nearest(name, BUILT_IN)} "
        f"Built-in are {listed(BUILT_IN)}."
    )


def _table(rows: Rows, text: Sequence[str], label: str, split: str | None, group: str | None) -> pl.DataFrame:
    """Make the frame ``text``, ``label``, ``part``, ``group``, ``trimmed``, ``row``, ``source``.

    ``row`` counts the rows that could be read from 1; ``source`` is where they were read.
    """
    frame = rows.frame
    raw = frame[label]
    labels = label_strings(raw, rows.source)
    trimmed = pl.repeat(False, frame.height, eager=True)
    if raw.dtype == pl.String and labels.dtype == pl.String:
        trimmed = (raw.str.len_bytes() != raw.str.strip_chars().str.len_bytes()).fill_null(value=False)
    part = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    if split is not None:
        part = frame[split].str.strip_chars().str.to_lowercase().replace_strict(SPLIT_NAMES, default=None)
    groups = frame[group].cast(pl.String) if group else pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    row = pl.arange(1, frame.height + 1, eager=True)
    named = {"text": join_texts(frame, text), "label": labels, "part": part, "group": groups}
    named |= {"trimmed": trimmed, "row": row}
    return pl.DataFrame([series.alias(name) for name, series in named.items()]).with_columns(source=pl.lit(rows.source))


def _stack(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """Put tables one under the other; of a single one, the ``source`` becomes null: it needs no word."""
    multilabel = any(isinstance(table.schema["label"], pl.List) for table in tables)
    if multilabel:
        tables = [
            table
            if isinstance(table.schema["label"], pl.List)
            else table.with_columns(pl.concat_list("label").list.drop_nulls())
            for table in tables
        ]
    if len(tables) > 1 and tables[0]["part"].is_null().all():
        # The rows beside a test or validation file are to be divided further, or to be train rows.
        tables[0] = tables[0].with_columns(part=pl.lit(TRAIN))
    if len(tables) == 1:
        return tables[0].with_columns(source=pl.lit(None, dtype=pl.String))
    return pl.concat(tables)


def _clean(table: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int], list[str]]:
    """Drop the rows that cannot be used, count them by reason, and say so."""
    text = pl.col("text")
    reasons = {
        "unlabelled": pl.col("part").eq_missing(SET_ASIDE),
        "no label": pl.col("label").is_null(),
        "no text": text.is_null(),
        "empty text": is_blank(text),
    }
    chain = pl.lit(None, dtype=pl.String)
    for reason, fails in reversed(reasons.items()):
        chain = pl.when(fails.fill_null(value=False)).then(pl.lit(reason)).otherwise(chain)
    why = table.select(chain.alias("why"), "row", "source")
    found = (
        why.filter(pl.col("why").is_not_null())
        .group_by("why", maintain_order=True)
        .agg(pl.len(), pl.col("row", "source").first())
    )
    if not found.height:
        return table, {}, []
    told = [
        f"{counted(n, 'row')} left out: {reason} (first: {row_place(row, source)})."
        for reason, n, row, source in found.iter_rows()
    ]
    dropped = dict(found.select("why", "len").iter_rows())
    return table.filter(why["why"].is_null()), dropped, told


def _task(labels: pl.Series, classes: list[str], source: str, column: str) -> Task:
    if len(classes) < 2:
        only = f"only `{classes[0]}`" if classes else "no class at all"
        raise DataError(f"`{source}`: a classifier needs at least two classes, but column `{column}` has {only}.")
    if isinstance(labels.dtype, pl.List):
        return "multilabel"
    return "binary" if len(classes) == 2 else "multiclass"


def _is_official(part: pl.Series) -> bool:
    return bool(part.is_in([TEST, VALIDATION]).any())


def _units(table: pl.DataFrame, group: str | None) -> npt.NDArray[np.int64]:
    return splits.units(table["key"], table["group"] if group else None)


def _assign(
    table: pl.DataFrame,
    group: str | None,
    test_given: bool,
    folds: int | None,
    seed: int,
    warnings: list[str],
) -> tuple[pl.Series, str]:
    """Name the part of every row, (n,) String, and say how it was decided."""
    part = table["part"]
    official = _is_official(part)
    everything = pl.repeat(TRAIN, table.height, eager=True)
    if folds is not None:
        n_units = int(_units(table, group).max()) + 1
        if not 2 <= folds <= n_units:
            raise DataError(f"`--folds {folds}` must lie between 2 and the {n_units:,} rows that can be parted.")
        if official:
            warnings.append("The official splits are not used: `--folds` takes all rows.")
        return everything, f"{folds} folds, stratified, seed {seed}"
    if official:
        part = part.fill_null(TRAIN)
        if group is not None:
            warnings.append("`--group` is not used: the data brings splits of its own.")
        if (part == TEST).any():
            return part, "given" if test_given else "official"
        train = table.filter(part == TRAIN)
        codes = splits.split_rows(
            _units(train, group),
            splits.strata(train["label"]),
            seed=seed,
            validation=False,
            grouped=group is not None,
        )
        names = np.array(PARTS, dtype=object)[codes]
        rest = part.to_numpy().copy()
        rest[(part == TRAIN).to_numpy()] = names
        how = f"official validation rows, and a test tenth of the train rows, stratified, seed {seed}"
        return pl.Series(rest, dtype=pl.String), how
    codes = splits.split_rows(_units(table, group), splits.strata(table["label"]), seed=seed, grouped=group is not None)
    by = f" by group `{group}`" if group else ""
    names_of = pl.Series(codes).replace_strict(dict(enumerate(PARTS)), return_dtype=pl.String)
    return names_of, f"80/10/10, stratified{by}, seed {seed}"
