"""What is known of a dataset once it is read: counts, lengths, copies, and what looks wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tagline.data.columns import listed
from tagline.data.rows import Rejected, counted

#: A text longer than this, in characters, is rarely one example.
LONG_TEXT = 1_000_000
MANY_CLASSES = 1000
CONTROL_CHARACTERS = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"


@dataclass(frozen=True)
class Facts:
    """What `load_dataset` saw and did; ``to_json`` gives it as plain values, without any text of the data.

    ``dropped`` counts rows by reason. ``duplicates`` counts ``copies`` (rows whose text stood before, equal
    after trimming and lower-casing), ``conflicting`` (texts that stand under different labels) and, for
    official splits, the rows of one split whose text also stands in another: ``test_in_train``,
    ``validation_in_train``, ``test_in_validation``. ``lengths`` are in characters, by split: mean, median,
    p95, max. ``class_counts`` are rows by split and class. ``warnings`` are whole sentences.
    """

    rows_read: int
    text_columns: tuple[str, ...]
    label_column: str
    chosen: str
    split: str
    official: bool
    dropped: Mapping[str, int]
    duplicates: Mapping[str, int]
    lengths: Mapping[str, Mapping[str, float]]
    class_counts: Mapping[str, Mapping[str, int]]
    rejected: tuple[Rejected, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the facts as values that JSON knows; of rejected rows place and reason, not the text."""
        return {
            "rows_read": self.rows_read,
            "text_columns": list(self.text_columns),
            "label_column": self.label_column,
            "chosen": self.chosen,
            "split": self.split,
            "official": self.official,
            "dropped": dict(self.dropped),
            "duplicates": dict(self.duplicates),
            "lengths": {name: dict(values) for name, values in self.lengths.items()},
            "class_counts": {name: dict(values) for name, values in self.class_counts.items()},
            "rejected_rows": len(self.rejected),
            "rejected": [{"file": r.file, "line": r.line, "reason": r.reason} for r in self.rejected],
            "warnings": list(self.warnings),
        }

    def rejected_frame(self) -> pl.DataFrame:
        """Return the rejected rows as a frame: ``file``, ``line``, ``reason``, ``excerpt``."""
        schema = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "excerpt": pl.String}
        return pl.DataFrame([(r.file, r.line, r.reason, r.excerpt) for r in self.rejected], schema, orient="row")


def count_duplicates(table: pl.DataFrame, *, official: bool) -> dict[str, int]:
    """Count copies in a frame of ``key``, ``label`` and ``part``; see `Facts` for the names."""
    repeated = table.filter(pl.col("key").is_duplicated()).select("key", "label", "part")
    by_key = repeated.group_by("key").agg(pl.len().alias("n"), pl.col("label").n_unique().alias("labels"))
    counts = {
        "copies": int(by_key["n"].sum() - by_key.height),
        "conflicting": by_key.filter(pl.col("labels") > 1).height,
    }
    if official:
        for later, earlier in (("test", "train"), ("validation", "train"), ("test", "validation")):
            keys = repeated.filter(pl.col("part") == earlier)["key"].unique()
            met = repeated.filter((pl.col("part") == later) & pl.col("key").is_in(keys.implode()))
            if (table["part"] == later).any() and (table["part"] == earlier).any():
                counts[f"{later}_in_{earlier}"] = met.height
    return counts


def text_lengths(texts: pl.Series) -> dict[str, float]:
    """Return mean, median, 95th percentile and maximum of the lengths of texts, in characters."""
    n = texts.str.len_chars().to_frame("n")
    row = n.select(
        pl.col("n").mean().alias("mean"),
        pl.col("n").median().alias("median"),
        pl.col("n").quantile(0.95, "higher").alias("p95"),
        pl.col("n").max().alias("max"),
    ).row(0, named=True)
    return {name: round(float(value), 1) for name, value in row.items() if value is not None}


def count_classes(labels: pl.Series, classes: Sequence[str]) -> dict[str, int]:
    """Count the rows of each class, classes without any included."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    counts = dict(flat.drop_nulls().value_counts().iter_rows())
    return {name: counts.get(name, 0) for name in classes}


def label_warnings(counts: Mapping[str, int], n_rows: int) -> list[str]:
    """Say what looks wrong with classes: near-equal names, single rows, far too many of them."""
    warnings = []
    alike: dict[str, list[str]] = {}
    for name in counts:
        alike.setdefault(" ".join(name.casefold().split()), []).append(name)
    near = [names for names in alike.values() if len(names) > 1]
    if near:
        shown = "; ".join(" and ".join(f"`{name}`" for name in names) for names in near[:5])
        warnings.append(f"Labels differ only by case or spaces and are kept as classes of their own: {shown}.")
    single = [name for name, n in counts.items() if n == 1]
    if single:
        what = "class has" if len(single) == 1 else "classes have"
        warnings.append(f"{len(single):,} {what} a single row, which cannot be measured: {listed(single, 5)}.")
    if len(counts) > MANY_CLASSES or (len(counts) > 100 and len(counts) > n_rows / 3):
        warnings.append(f"There are {len(counts):,} classes in {n_rows:,} rows: check that the label column is right.")
    return warnings


def row_place(row: int, source: str | None) -> str:
    """Say where a row stands; ``source`` is None where there is but one."""
    return f"row {row:,} of `{source}`" if source else f"row {row:,}"


def text_warnings(table: pl.DataFrame) -> list[str]:
    """Say which texts look odd: very long ones, ones with control characters.

    ``table`` holds ``text``, and the ``row`` and ``source`` that say where it stands.
    """
    warnings = []
    texts = table["text"]
    places = table.select("row", "source")
    lengths = texts.str.len_bytes()
    longest = lengths.arg_max()
    if longest is not None and lengths[longest] > LONG_TEXT:
        place = row_place(*places.row(longest))
        warnings.append(f"The longest text has {len(texts[longest]):,} characters ({place}): is it one example?")
    control = texts.str.contains(CONTROL_CHARACTERS)
    n_control = int(control.sum())
    if n_control:
        what = "text holds" if n_control == 1 else "texts hold"
        place = row_place(*places.row(control.arg_max() or 0))
        warnings.append(f"{n_control:,} {what} control characters, which are kept (first: {place}).")
    return warnings


def copy_warnings(duplicates: dict[str, int]) -> list[str]:
    """Return a sentence for each kind of copy that a reader of the figures should know of."""
    warnings = []
    for pair in ("test_in_train", "validation_in_train", "test_in_validation"):
        if n := duplicates.get(pair, 0):
            later, earlier = pair.split("_in_")
            warnings.append(f"{counted(n, later + ' row')} with a text that also stands in {earlier}.")
    if n := duplicates["conflicting"]:
        warnings.append(f"{counted(n, 'text')} under more than one label.")
    return warnings
