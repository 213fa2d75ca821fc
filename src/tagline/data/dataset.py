"""`load_dataset`, which reads and splits labelled texts, and what it returns: `Dataset` and `Split`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.data.card import dataset_card
from tagline.data.inspections import INSPECTIONS, InspectedData
from tagline.data.inspections.facts import Facts
from tagline.data.labelled import Labelled, read_labelled
from tagline.data.options import Reading, ReadOptions, column_names
from tagline.data.origin import Origin, cached_slices
from tagline.data.splits import (
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    SplitSettings,
    assign,
    copy_keys,
    units,
)
from tagline.data.table import dropped_rows
from tagline.data.text_hashes import Hashes, text_hashes
from tagline.data.weights import check_total
from tagline.errors import DataError
from tagline.parallel import in_threads
from tagline.task import Floats, Ints, Task


@dataclass(frozen=True, eq=False)
class Split:
    """Texts and their labels, row by row.

    ``texts`` is String without nulls; ``labels`` is String, or List(String) for multi-label data; ``groups``, None
    unless a group column was requested, is String without nulls: a row without a group is a group of its own.
    ``weights``, None unless a weight column was requested, say how many times each row counts in training, 0 or more;
    test rows have none. All are (n,). ``origin`` says where the rows were read; None if it is not known.
    """

    texts: pl.Series
    labels: pl.Series
    groups: pl.Series | None = None
    origin: Origin | None = None
    weights: Floats | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def unit(self) -> Ints:
        """The unit of each row, (n,) from 0: copies of a text, and rows of a group, share one."""
        return units(copy_keys(self.texts), self.groups)

    @property
    def trained(self) -> "Split":
        """The rows that a model learns from: those whose weight is not 0."""
        if self.weights is None or self.weights.all():
            return self
        return self.take(np.flatnonzero(self.weights))

    def followed_by(self, other: "Split | None") -> "Split":
        """Return these rows and then others, whose groups and weights are known if both have some."""
        if other is None:
            return self
        texts, labels = pl.concat([self.texts, other.texts]), pl.concat([self.labels, other.labels])
        groups = None if self.groups is None or other.groups is None else pl.concat([self.groups, other.groups])
        origin = None if self.origin is None or other.origin is None else self.origin.followed_by(other.origin)
        weights = None if self.weights is None or other.weights is None else np.append(self.weights, other.weights)
        return Split(texts, labels, groups, origin, weights)

    def take(self, rows: Ints) -> "Split":
        """Return the rows at some places, in the order given."""
        return Split(
            self.texts.gather(rows),
            self.labels.gather(rows),
            None if self.groups is None else self.groups.gather(rows),
            None if self.origin is None else self.origin.take(rows),
            None if self.weights is None else self.weights[rows],
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled texts, split.

    ``classes`` are sorted names. ``validation`` and ``test`` are None if there are no such rows: official splits
    may lack validation rows, and with ``folds`` ((n,) int64, the fold of each row, from 0) all rows are in
    ``train``. ``read_fingerprint`` is the fingerprint of the rows as they were read, if labels were spelled otherwise.
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
    read_fingerprint: str | None = None

    @property
    def n_folds(self) -> int | None:
        """The number of folds, None if there are none."""
        return None if self.folds is None else int(self.folds.max()) + 1

    @property
    def row_counts(self) -> dict[str, int]:
        """How many rows each split has; with folds the test rows are all rows."""
        parts = {TRAIN: self.train, VALIDATION: self.validation, TEST: self.test}
        rows = {name: len(part) if part is not None else 0 for name, part in parts.items()}
        return rows if self.folds is None else rows | {TEST: len(self.train)}

    @property
    def untrained_classes(self) -> list[str]:
        """The classes without train rows, or whose train rows all have weight 0."""
        labels = self.train.trained.labels
        flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
        known = {*flat.drop_nulls().unique().to_list()}
        return [name for name in self.classes if name not in known]

    def training_hashes(self) -> Hashes:
        """Return the sorted hashes of the texts of the train and validation rows that are learned from, (n_distinct,).

        See `text_hashes`.
        """
        parts = [part.trained.texts for part in (self.train, self.validation) if part is not None]
        return np.unique(text_hashes(pl.concat(parts)))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over texts, labels, weights and split membership, in hexadecimal; the order of rows counts."""
        if self.read_fingerprint is not None:
            return self.read_fingerprint
        digest = hashlib.sha256()
        for name, split in zip(SPLITS, (self.train, self.validation, self.test), strict=True):
            if split is None:
                continue
            digest.update(f"{name} {len(split)}\n".encode())
            _hash_strings(digest, split.texts)
            labels = split.labels
            if isinstance(labels.dtype, pl.List):
                digest.update(labels.list.len().cast(pl.UInt32).to_numpy().tobytes())
                labels = labels.filter(labels.list.len() > 0).explode()
            _hash_strings(digest, labels)
            if split.weights is not None:
                digest.update(b"weights" + split.weights.tobytes())
        if self.folds is not None:
            digest.update(self.folds.tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        n_rows = sum(len(split) for split in (self.train, self.validation, self.test) if split is not None)
        return f"<Dataset {self.name!r}: {n_rows:,} rows, {self.task}, {len(self.classes):,} classes>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: rows by class and split, the first texts, and warnings."""
        return dataset_card(self)


def _hash_strings(digest: Any, strings: pl.Series) -> None:
    digest.update(strings.str.len_bytes().cast(pl.UInt32).to_numpy().tobytes())
    for part in cached_slices(strings.to_frame()):
        digest.update(b"".join(part.to_series().cast(pl.Binary).to_list()))


def load_dataset(
    data: Any,
    *,
    text: str | Sequence[str] | None = None,
    label: str | Sequence[str] | None = None,
    group: str | None = None,
    weight: str | None = None,
    test: Any = None,
    validation: Any = None,
    folds: int | None = None,
    seed: int = 0,
    strict: bool = False,
    **reading: Unpack[Reading],
) -> Dataset:
    """Read labelled texts and split them.

    Args:
        data: a path, a folder, a glob, ``-`` for standard input, a built-in name, a pandas or polars frame,
            a Hugging Face ``Dataset`` or ``DatasetDict``, or a list of ``(text, label)`` pairs or of
            dictionaries. A built-in name always means the built-in set: write ``./imdb`` for a folder of
            that name.
        text: the text column, or several, which are joined by a newline; by default it is detected.
        label: the label column, or several of 0 and 1, one for each label; by default it is detected.
        group: a column whose rows with the same value always stay in the same split.
        weight: a column of numbers of 0 or more: how many times each row counts in training, in the choice of
            settings and in calibration. A row of weight 0 is not learned from. Test rows count once.
        test: separate test rows, read like ``data``; if they have official splits, the test rows among them.
        validation: separate validation rows, read like ``data``.
        folds: put all rows in ``train`` and assign each to one of this many folds for cross-validation.
        seed: seed of the split; the same seed gives the same split.
        strict: raise an error for any row that cannot be read; otherwise up to 1 % of the rows may be rejected.
        reading: ``label_separator``, what joins several labels in one cell, detected by default and "" for nothing;
            ``keep_label_spelling``, which keeps labels apart that differ only in case, spaces or the format of a
            number; ``multilabel``: a row may have several labels, even if every row has exactly one; ``encoding``,
            ``separator``, ``quote`` and ``label_prefix`` of text files, detected by default; ``max_unreadable``, the
            share of rows that may be rejected.

    Official splits are used where they exist. Otherwise the rows are split 80/10/10, stratified by class, and
    copies of a text (equal after trimming and lower-casing) stay in the same split. An official test split without
    validation rows leaves ``validation`` None; from official splits without test rows, a tenth of the train rows
    becomes the test split.

    Raises:
        DataError: the data cannot be used; the message names place and remedy.
        MissingExtraError: a format or built-in set needs a package that is not installed.
        DownloadError: a built-in set could not be downloaded.

    Examples:
        >>> rows = [("good", "pos"), ("fine", "pos"), ("bad", "neg"), ("poor", "neg")]
        >>> load_dataset(rows).classes
        ['neg', 'pos']

    """
    options = ReadOptions(
        text=column_names(text),
        label=column_names(label),
        group=group,
        weight=weight,
        test=test,
        validation=validation,
        folds=folds,
        strict=strict,
        **reading,
    )
    return read_dataset(data, options, seed)


def read_dataset(
    data: Any,
    options: ReadOptions,
    seed: int,
    *,
    fewest_classes: int = 2,
    fold_few: bool = False,
    fingerprint: str | None = None,
) -> Dataset:
    """Read labelled texts and split them: see `load_dataset`.

    Fewer classes than ``fewest_classes`` are refused. With ``fold_few`` and without ``options.folds``, few rows are
    assigned to folds: see `folds_for_few`. Rows that have the ``fingerprint`` if they are split as earlier versions
    did, by the names of the classes, are split so.
    """
    if options.folds is not None and (options.test is not None or options.validation is not None):
        raise DataError("`--folds` uses every row for training and evaluation: omit `--test` and `--validation`.")
    labelled = read_labelled(data, options, fewest_classes=fewest_classes)
    settings = SplitSettings(options.group, TEST in labelled.extra, options.folds, seed, fold_few)
    dataset = _split(labelled, options, settings)
    if fingerprint is None or dataset.fingerprint == fingerprint:
        return dataset
    earlier = _split(labelled, options, replace(settings, by_name=True))
    return earlier if earlier.fingerprint == fingerprint else dataset


def _split(labelled: Labelled, options: ReadOptions, settings: SplitSettings) -> Dataset:
    """Split labelled rows, and inspect them."""
    main, table, classes = labelled.main, labelled.table, labelled.classes
    assigned = assign(table, settings)
    table = table.with_columns(part=assigned.part)
    if not (table["part"] == TRAIN).any():
        raise DataError(f"`{main.rows.source}` has no train rows left.")
    if options.weight:
        check_total(table.filter(pl.col("part") == TRAIN)["weight"].to_numpy(), options.weight, main.rows.source)
    rejected = tuple(row for source in labelled.sources for row in source.rows.rejected)
    inspected = InspectedData(
        table,
        classes,
        assigned.official,
        dropped_rows(labelled.left_out),
        rejected,
        options.encoding,
        main.rows.encoding,
        options.weight,
    )
    findings = in_threads(lambda inspection: inspection.inspect(inspected), INSPECTIONS.values())
    facts = Facts(
        rows_read=sum(source.rows.frame.height for source in labelled.sources),
        text_columns=main.columns.text,
        label_columns=main.columns.label,
        label_separator=main.labels.separator,
        chosen=main.columns.chosen,
        split=assigned.how,
        official=assigned.official,
        rejected=rejected,
        found={name: value for finding in findings for name, value in finding.facts.items()},
        warnings=(
            *main.rows.notes,
            *main.columns.notes,
            *(note for source in labelled.sources for note in source.labels.notes),
            *labelled.unified.notes,
            *labelled.notes,
            *assigned.notes,
            *(
                warning
                for finding in findings
                for warning in (*finding.warnings, *(key.sentence for key in finding.key))
            ),
        ),
        key_findings=(*labelled.unified.key_findings, *(key for finding in findings for key in finding.key)),
        left_out=labelled.left_out.drop("source"),
        copies=next((finding.copies for finding in findings if finding.copies is not None), None),
    )
    made = {
        name: Split(
            part["text"],
            part["label"],
            part["group"] if options.group else None,
            Origin(part.select("file", "line", "row"), labelled.rows),
            part["weight"].to_numpy() if options.weight and name != TEST else None,
        )
        for name, part in inspected.parts.items()
    }
    return Dataset(
        main.rows.name,
        main.rows.source,
        Task.of(len(classes), multilabel=isinstance(table["label"].dtype, pl.List)),
        classes,
        made[TRAIN],
        made.get(VALIDATION),
        made.get(TEST),
        facts,
        assigned.folds,
    )
