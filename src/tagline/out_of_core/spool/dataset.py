"""The spooled rows as a dataset: validation and test rows in memory, and of the train rows what runs record."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagline.data import Dataset, Split
from tagline.data.columns import Columns
from tagline.data.inspections import INSPECTIONS, InspectedData
from tagline.data.inspections.class_counts import count_classes
from tagline.data.inspections.duplicates import OVERLAPS, copies_across
from tagline.data.inspections.facts import Facts
from tagline.data.labels import check_labels, sorted_classes
from tagline.data.options import ReadOptions
from tagline.data.origin import Origin, SourceRows
from tagline.data.rows import Rejected, Rows
from tagline.data.splits import NO_GROUP, TEST, TRAIN, VALIDATION, copy_keys, unify_groups
from tagline.data.table import Dropped
from tagline.data.text_hashes import Hashes, text_hashes
from tagline.data.weights import check_total
from tagline.data.wording import listed, place_text
from tagline.errors import DataError
from tagline.key_findings import KeyFinding, Kind
from tagline.many_classes import MOST_DENSE_CLASSES
from tagline.out_of_core.spool.hash_file import HashFile
from tagline.out_of_core.spool.label_cells import CellLabels, labels_of
from tagline.out_of_core.spool.writer import CELLS, HASHES, SAMPLE, STATE, part_file
from tagline.task import Bools, Floats, Ints, Task

#: Inspections that need all rows: a sample says nothing of them.
_OF_ALL_ROWS = ("class counts", "duplicates", "row weights")


@dataclass(frozen=True, eq=False)
class SpooledDataset(Dataset):
    """A dataset whose train rows are on disk, in ``folder``; ``train`` is a sample of them.

    Attributes:
        n_train: how many train rows there are.
        n_parts: the number of files that they are in, see `part_file`.
        text_bytes: how many bytes of text are learned from.
        held_out: rows that are not learned from: the validation rows; without them some train rows.
        learned: the classes with train rows, sorted, which a model knows.
        Y: the class matrix of the label codes of these files, (n_codes, n_learned).
        known: which codes are labels, (n_codes,).
        weights: the sum of the weights of the train rows of each code, (n_codes,).
        digest: of all rows.

    """

    folder: Path = field(default_factory=Path)
    n_train: int = 0
    n_parts: int = 0
    text_bytes: int = 0
    held_out: Split = field(kw_only=True)
    learned: tuple[str, ...] = ()
    Y: Bools = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    known: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    weights: Floats = field(default_factory=lambda: np.zeros(0))
    weighted: bool = False
    digest: str = ""

    def part(self, number: int) -> pl.DataFrame:
        """Return the rows to learn from of a file: ``text``, ``code`` and ``weight``."""
        rows = pl.read_ipc(part_file(self.folder, number))
        return rows.filter(pl.Series(self.known[rows["code"].to_numpy()]))

    @property
    def row_counts(self) -> dict[str, int]:
        """How many rows each split has."""
        return super().row_counts | {TRAIN: self.n_train}

    @property
    def untrained_classes(self) -> list[str]:
        """The classes without train rows, or whose train rows all have weight 0."""
        return [name for name in self.classes if name not in self.learned]

    @property
    def learned_task(self) -> Task:
        """The task of a model of the classes with train rows."""
        return self.task.with_classes(len(self.learned))

    def training_hashes(self) -> Hashes:
        """Return the sorted hashes of the texts of the train and validation rows, (n_distinct,)."""
        return HashFile(self.folder / HASHES).distinct(text_hashes(self.held_out.texts))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the hashes of texts, labels, weights and split membership, in hexadecimal."""
        return hashlib.sha256(json.dumps([self.digest, self.classes, self.row_counts]).encode()).hexdigest()


def open_spool(folder: Path, options: ReadOptions) -> SpooledDataset:
    """Return the dataset that `write_spool` wrote.

    Raises:
        DataError: the labels cannot be used.

    """
    state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    main = state["sources"][0]
    columns = _columns(main["columns"])
    source, counts = main["source"], np.array(state["counts"])
    cells = pl.read_ipc(folder / CELLS)
    kept = {name: _kept(folder, name) for name in (SAMPLE, VALIDATION, TEST)}
    everywhere = np.array(state["counts_of_all"])
    labels = labels_of(cells, everywhere, columns.label, source, options.labels)
    classes = sorted_classes(labels.values)
    _check_number(len(classes), source)
    frame = pl.DataFrame(schema=dict.fromkeys([*columns.text, *columns.label], pl.String))
    check_labels(labels.unified.values, classes, Rows(frame, main["name"], source), columns.label)
    known = labels.values.is_not_null().to_numpy()
    weights, every_Y = np.array(state["weights"]), class_matrix(labels.values, classes)
    learned = sorted(name for name, weight in zip(classes, weights @ every_Y, strict=True) if weight)
    parts = {
        name: rows.with_columns(label=labels.values.gather(rows["code"])).filter(pl.col("label").is_not_null())
        for name, rows in kept.items()
        if rows is not None
    }
    n_train = int(counts[known].sum())
    if not n_train:
        raise DataError(f"`{source}` has too few train rows with a text and a label.")
    if options.weight:
        check_total(weights[known], options.weight, source)
    for name in (VALIDATION, TEST):
        if name not in parts or parts[name].is_empty():
            raise DataError(
                f"`{source}` has too few distinct texts with a label to draw {name} rows: give them with `--{name}`."
            )
    task = Task.of(len(classes), multilabel=isinstance(labels.values.dtype, pl.List))
    splits = {name: _split(rows, options) for name, rows in parts.items()}
    official = bool(state["official"])
    drawn_held_out = TEST in state["official"] and VALIDATION not in state["official"]
    dropped = _dropped(state, cells.filter(pl.Series(~known)), int(everywhere[~known].sum()))
    n_rows = int(everywhere[known].sum())
    overlaps = _overlaps(HashFile(folder / HASHES), parts) if official else {}
    facts = _facts(state, columns, labels, classes, parts, counts @ every_Y, n_rows, dropped, overlaps, options)
    held_out = splits[VALIDATION]
    return SpooledDataset(
        main["name"],
        source,
        task,
        classes,
        splits[SAMPLE],
        None if drawn_held_out else held_out,
        splits[TEST],
        facts,
        folder=folder,
        n_train=n_train,
        n_parts=state["n_parts"],
        text_bytes=state["text_bytes"],
        held_out=held_out,
        learned=tuple(learned),
        Y=class_matrix(labels.values, learned),
        known=known,
        weights=weights,
        weighted=options.weight is not None,
        digest=state["digest"] + str(official),
    )


def _check_number(n_classes: int, source: str) -> None:
    if n_classes > MOST_DENSE_CLASSES:
        raise DataError(
            f"`{source}` has {n_classes:,} classes: more than {MOST_DENSE_CLASSES:,} are learned in memory only. Raise "
            "`--memory`, or leave it and `--engine` out."
        )


def _columns(stored: dict[str, Any]) -> Columns:
    """Return columns from JSON."""
    return Columns(
        tuple(stored["text"]), tuple(stored["label"]), stored["split"], stored["chosen"], tuple(stored["notes"])
    )


def _kept(folder: Path, name: str) -> pl.DataFrame | None:
    path = folder / f"{name}.arrow"
    return pl.read_ipc(path) if path.is_file() else None


def class_matrix(labels: pl.Series, classes: Sequence[str]) -> Bools:
    """Return the classes of labels, String or List(String), (n_labels, n_classes); others than ``classes`` are none."""
    rows = pl.DataFrame({"row": pl.arange(len(labels), eager=True), "label": labels})
    flat = rows.explode("label") if isinstance(labels.dtype, pl.List) else rows
    codes = flat["label"].replace_strict(list(classes), range(len(classes)), default=-1, return_dtype=pl.Int64)
    known = (codes >= 0).to_numpy()
    Y = np.zeros((len(labels), len(classes)), dtype=bool)
    Y[flat["row"].to_numpy()[known], codes.to_numpy()[known]] = True
    return Y


def _split(rows: pl.DataFrame, options: ReadOptions) -> Split:
    place = rows.select(pl.col("file").cast(pl.Categorical), "line", row=pl.int_range(pl.len(), dtype=pl.UInt32))
    weights = rows["weight"].fill_null(1.0).to_numpy() if options.weight else None
    groups = None
    if options.group:
        names = unify_groups(rows["group"], options.group)[0]
        groups = pl.select(pl.coalesce(names, pl.format(f"{NO_GROUP}{{}}", pl.int_range(rows.height)))).to_series()
    source = SourceRows(rows.height, None, rows["row_hash"])
    return Split(rows["text"], rows["label"], groups, Origin(place, (source,)), weights)


def _dropped(state: Mapping[str, Any], unlabelled: pl.DataFrame, n_unlabelled: int) -> list[Dropped]:
    """Return the rows that were left out by reason; ``unlabelled`` are cells without a label."""
    dropped = [Dropped(why, row["n"], place_text(row["file"], row["line"])) for why, row in state["dropped"].items()]
    if n_unlabelled:
        dropped.append(Dropped("no label", n_unlabelled, place_text(unlabelled["file"][0], unlabelled["line"][0])))
    return dropped


def _overlaps(train: HashFile, parts: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the rows of splits whose text is also in an earlier one, by the names of `OVERLAPS`."""
    found = {}
    for name, (later, earlier) in OVERLAPS.items():
        hashes = parts[later]["hash"].to_numpy()
        copied = train.has(hashes) if earlier == TRAIN else np.isin(hashes, parts[earlier]["hash"].to_numpy())
        found[name] = parts[later].filter(pl.Series(copied))
    return found


def _facts(
    state: Mapping[str, Any],
    columns: Columns,
    labels: CellLabels,
    classes: list[str],
    parts: Mapping[str, pl.DataFrame],
    of_class: Ints,
    n_rows: int,
    dropped: Sequence[Dropped],
    overlaps: Mapping[str, pl.DataFrame],
    options: ReadOptions,
) -> Facts:
    """Return how the rows were read, and what the inspections find in those that are in memory."""
    names = {SAMPLE: TRAIN, VALIDATION: VALIDATION, TEST: TEST}
    table = pl.concat([rows.with_columns(part=pl.lit(names[name])) for name, rows in parts.items()])
    table = table.with_columns(
        trimmed=pl.lit(value=False),
        left_out=pl.lit(None, dtype=pl.String),
        key=copy_keys(table["text"]),
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
    )
    rejected = tuple(Rejected(**row) for source in state["sources"] for row in source["rejected"])
    encoding = state["sources"][0]["encoding"]
    data = InspectedData(table, classes, False, dropped, rejected, options.encoding, encoding, options.weight, n_rows)
    findings = [each.inspect(data) for name, each in INSPECTIONS.items() if each.name not in _OF_ALL_ROWS]
    of_train = dict(zip(classes, of_class.tolist(), strict=True))
    by_part = {names[name]: count_classes(rows["label"], classes) for name, rows in parts.items()} | {TRAIN: of_train}
    untrained = [name for name, n in of_train.items() if not n]
    key = [key for finding in findings for key in finding.key]
    for name, rows in overlaps.items():
        if rows.height:
            first = f"first: {place_text(rows['file'][0], rows['line'][0])}"
            key.append(copies_across(name, rows.height, parts[OVERLAPS[name][0]].height, first))
    if untrained:
        sentence = f"Classes without train rows cannot be learned: {listed(untrained, 5)}."
        key.append(KeyFinding(Kind.UNTRAINED_CLASSES, sentence, of_training=True))
    found = {name: value for finding in findings for name, value in finding.facts.items()}
    found |= {"class_counts": by_part, "duplicates": {name: rows.height for name, rows in overlaps.items()}}
    official = bool(state["official"])
    return Facts(
        rows_read=sum(each["rows"] for each in state["sources"]),
        text_columns=columns.text,
        label_columns=columns.label,
        label_separator=labels.read.separator,
        chosen=columns.chosen,
        split="official" if official else "drawn by a hash of each text",
        official=official,
        rejected=rejected,
        found=found,
        warnings=(
            *(note for source in state["sources"] for note in source["notes"]),
            *labels.read.notes,
            *labels.unified.notes,
            *(warning for finding in findings for warning in finding.warnings),
            *(each.sentence for each in key),
        ),
        key_findings=(*labels.unified.key_findings, *key),
    )
