"""Which column is the text, which the label, which the split; what a label means.

A column is taken, in this order: the one the caller names; the one the source settles by its structure; the
first of the known names below, whatever its case; and, if that leaves just one candidate, the only column of
strings that look like texts, or the only one of few distinct values. Anything else is a `DataError` that
lists the columns.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from tagline.data.formats.lines import scalar_text
from tagline.data.rows import SPLIT_NAMES, Rows
from tagline.errors import DataError, nearest

TEXT_NAMES = (
    "text", "texts", "review", "reviews", "sentence", "content", "body", "message", "comment", "comments",
    "tweet", "document", "doc", "description", "article", "story", "post", "question", "query", "utterance",
    "phrase", "abstract", "headline", "title", "summary", "sms", "email", "news", "input",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "class", "classes", "category", "categories", "target", "sentiment", "topic", "topics",
    "intent", "intents", "tag", "tags", "y", "polarity", "emotion", "emotions", "genre", "rating", "stars",
    "score", "spam", "output",
)  # fmt: skip
SPLIT_COLUMNS = ("split", "set", "subset", "partition")
OTHER_NAMES = ("id", "index", "idx", "date", "author", "user", "url", "source", "name", "group")
#: Lower-case names that make the first line of a file a header.
HEADER_NAMES = frozenset((*TEXT_NAMES, *LABEL_NAMES, *SPLIT_COLUMNS, *OTHER_NAMES))

#: A column without a known name is a text if its values are that long on average, and mostly differ.
MIN_TEXT_CHARS = 15
MIN_TEXT_DISTINCT = 0.5
#: A column without a known name is a label if it has at most this share of distinct values.
MAX_LABEL_DISTINCT = 0.2
SAMPLE_ROWS = 1000
#: A longer label, in characters, is a text; so many labels that mostly differ are numbers of rows.
LONGEST_LABEL = 1000
FEW_LABELS = 100


@dataclass(frozen=True)
class Columns:
    """The columns taken out of a frame, and a sentence that says how they were found."""

    text: tuple[str, ...]
    label: str
    split: str | None
    chosen: str


def choose_columns(rows: Rows, text: Sequence[str], label: str | None, group: str | None) -> Columns:
    """Decide which columns of ``rows`` are text, label and split; raise `DataError` where it is not clear."""
    frame = rows.frame
    for name in (*text, *((label,) if label else ()), *((group,) if group else ())):
        require_column(frame, name, rows.source)
    split = rows.split or _split_column(frame, {*text, label, group})
    taken = {name for name in (split, group) if name}
    if label or rows.label:
        label_column, label_how = label or str(rows.label), "given" if label else "known from the layout"
    else:
        settled = {*text} | ({rows.text} if rows.text else set())
        label_column, label_how = _find_label(frame, taken | settled, rows.source)
    taken.add(label_column)
    if text:
        text_columns, text_how = tuple(text), "given"
    elif rows.text:
        text_columns, text_how = (rows.text,), "known from the layout"
    else:
        found, text_how = _find_text(frame, taken, rows.source)
        text_columns = (found,)
    if label_column in text_columns:
        raise DataError(f"`{rows.source}`: column `{label_column}` cannot be both text and label.")
    named = ", ".join(f"`{name}`" for name in text_columns)
    chosen = f"text is {named} ({text_how}), label is `{label_column}` ({label_how})"
    return Columns(text_columns, label_column, split, chosen)


def find_text_columns(frame: pl.DataFrame, text: Sequence[str], source: str) -> tuple[str, ...]:
    """Find the text column of rows that need no label, or check the ones that are named."""
    for name in text:
        require_column(frame, name, source)
    return tuple(text) or (_find_text(frame, set(), source)[0],)


def require_column(frame: pl.DataFrame, name: str, source: str) -> None:
    """Raise `DataError` that lists the columns, and the nearest, if ``frame`` has no column ``name``."""
    if name not in frame.columns:
        raise DataError(
            f"`{source}` has no column `{name}`.{nearest(name, frame.columns)} Its columns are {listed(frame.columns)}."
        )


def listed(names: Iterable[str], limit: int = 20) -> str:
    """Write names in backticks, the first ``limit`` of them."""
    found = list(names)
    more = f" and {len(found) - limit:,} more" if len(found) > limit else ""
    return ", ".join(f"`{name}`" for name in found[:limit]) + more


def join_texts(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Return one String series of the text columns, joined by a newline; null only where all of them are."""
    parts = [_as_string(frame[name]) for name in columns]
    if len(parts) == 1:
        return parts[0].alias("text")
    joined = pl.DataFrame([part.alias(str(i)) for i, part in enumerate(parts)])
    text = pl.concat_str(pl.all(), separator="\n", ignore_nulls=True)
    return joined.select(pl.when(~pl.all_horizontal(pl.all().is_null())).then(text).alias("text")).to_series()


def _as_string(column: pl.Series) -> pl.Series:
    if column.dtype == pl.String:
        return column
    if isinstance(column.dtype, pl.List | pl.Array):
        return column.cast(pl.List(pl.String)).list.join(" ")
    if isinstance(column.dtype, pl.Struct | pl.Object | pl.Binary):
        raise DataError(f"Column `{column.name}` is not text but {column.dtype}: choose another with `--text`.")
    return column.cast(pl.String)


def _by_name(frame: pl.DataFrame, names: Sequence[str], taken: set[str]) -> str | None:
    lowered: dict[str, str] = {}
    for column in frame.columns:
        if column not in taken:
            lowered.setdefault(column.strip().casefold(), column)
    return next((lowered[name] for name in names if name in lowered), None)


def _split_column(frame: pl.DataFrame, taken: set[str | None]) -> str | None:
    """Return a column named ``split`` or alike whose values are the names of splits, train among them."""
    for column in frame.columns:
        if column.strip().casefold() in SPLIT_COLUMNS and column not in taken:
            if frame.schema[column] != pl.String:
                continue
            found = frame[column].drop_nulls().unique(maintain_order=True).head(50)
            values = {value.strip().casefold() for value in found} - {""}
            meanings = {SPLIT_NAMES.get(value) for value in values}
            if "train" in meanings and meanings & {"test", "validation"} and None not in meanings:
                return column
    return None


def _find_label(frame: pl.DataFrame, taken: set[str], source: str) -> tuple[str, str]:
    named = _by_name(frame, LABEL_NAMES, taken)
    if named is not None:
        return named, "by its name"
    text = _by_name(frame, TEXT_NAMES, taken)
    rest = [name for name in frame.columns if name not in taken and name != text]
    rest = [name for name in rest if name.strip().casefold() not in (*SPLIT_COLUMNS, *OTHER_NAMES)]
    candidates = [name for name in rest if _is_label_like(frame[name])]
    if len(candidates) == 1:
        return candidates[0], "the only column of few distinct values"
    raise DataError(
        f"`{source}`: which column is the label is not clear; name it with `--label`. "
        f"Its columns are {listed(frame.columns)}."
    )


def _find_text(frame: pl.DataFrame, taken: set[str], source: str) -> tuple[str, str]:
    named = _by_name(frame, TEXT_NAMES, taken)
    if named is not None:
        return named, "by its name"
    rest = [name for name in frame.columns if name not in taken]
    rest = [name for name in rest if frame.schema[name] == pl.String]
    candidates = rest if len(rest) == 1 else [name for name in rest if _is_text_like(frame[name])]
    if len(candidates) == 1:
        return candidates[0], "the only column of texts"
    raise DataError(
        f"`{source}`: which column is the text is not clear; name it with `--text`. "
        f"Its columns are {listed(frame.columns)}."
    )


def _is_text_like(column: pl.Series) -> bool:
    sample = column.drop_nulls()
    sample = sample.gather_every(max(1, len(sample) // SAMPLE_ROWS))
    if not len(sample):
        return False
    mean = sample.str.len_chars().mean()
    distinct = sample.n_unique() / len(sample)
    return isinstance(mean, float) and mean >= MIN_TEXT_CHARS and distinct >= MIN_TEXT_DISTINCT


def _is_label_like(column: pl.Series) -> bool:
    if isinstance(column.dtype, pl.List):
        return True
    if isinstance(column.dtype, pl.Struct | pl.Object | pl.Binary | pl.Float32 | pl.Float64):
        return False
    values = column.drop_nulls()
    # In a handful of rows every share is large: two rows of a kind are enough there.
    return 0 < values.n_unique() <= max(MAX_LABEL_DISTINCT * len(values), min(len(values) - 1, 20))


def label_strings(column: pl.Series, source: str) -> pl.Series:
    """Return labels as a String series, or List(String) for multi-label data; a missing label is null.

    Spaces around a label are trimmed; an empty label is missing. Integers are written as they are, whole
    floats without their ``.0`` (a null in pandas makes floats of integers), booleans as ``true`` and
    ``false``. A column of JSON lists is multi-label. Labels within a list are distinct and sorted, missing
    ones left out; an empty list is a text without any label. Raises `DataError` for a type that names no
    class, and for infinite numbers.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.List | pl.Array):
        return _clean_lists(column.cast(pl.List(dtype.inner)))
    if isinstance(dtype, pl.Struct | pl.Object | pl.Binary):
        raise DataError(f"`{source}`: column `{column.name}` holds {dtype}, which cannot be labels.")
    if dtype.is_float():
        column = column.fill_nan(None)
        if column.is_infinite().any():
            raise DataError(f"`{source}`: column `{column.name}` holds infinite numbers, which cannot be labels.")
        whole = (column == column.round(0)) & (column.abs() < 2**53)
        return column.cast(pl.Int64).cast(pl.String) if whole.all() else column.cast(pl.String)
    labels = column.cast(pl.String).str.strip_chars()
    labels = labels.to_frame().select(pl.when(pl.col(labels.name) != "").then(pl.col(labels.name))).to_series()
    distinct = labels.drop_nulls().unique()
    if len(distinct) and distinct.str.contains(r"^\[.*\]$").all():
        return _json_lists(labels, distinct)
    if len(distinct) and distinct.str.contains(r"^-?\d+\.0$").all():
        return labels.str.strip_suffix(".0")
    return labels


def _clean_lists(column: pl.Series) -> pl.Series:
    # `list.eval` would do it row by row, at five times the cost.
    rows = pl.DataFrame({"row": pl.arange(len(column), eager=True), "label": column})
    labels = pl.col("label").cast(pl.String).str.strip_chars()
    flat = rows.filter(pl.col("label").list.len() > 0).explode("label").select("row", labels)
    flat = flat.filter(pl.col("label").str.len_bytes() > 0).unique().sort("row", "label")
    lists = rows.join(flat.group_by("row").agg("label"), on="row", how="left", suffix="_clean").sort("row")
    empty = pl.lit([], dtype=pl.List(pl.String))
    return lists.select(
        pl.when(pl.col("label").is_not_null()).then(pl.coalesce("label_clean", empty)).alias(column.name)
    ).to_series()


def _json_lists(labels: pl.Series, distinct: pl.Series) -> pl.Series:
    lists: dict[str, list[str]] = {}
    for text in distinct.to_list():
        try:
            items = json.loads(text)
        except (ValueError, RecursionError):
            # Not JSON after all: labels that happen to stand in brackets, or Python's own quotes.
            items = re.findall(r"'([^']*)'", text)
            if not items and text.strip("[] "):
                return labels
        lists[text] = [scalar_text(item) for item in items if item is not None]
    return _clean_lists(labels.replace_strict(lists, default=None, return_dtype=pl.List(pl.String)))


def sorted_classes(labels: pl.Series) -> list[str]:
    """Return the distinct labels, sorted; by number when all of them are integers."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    classes: list[str] = flat.drop_nulls().unique().to_list()
    if all(re.fullmatch(r"-?\d{1,18}", name) for name in classes):
        return sorted(classes, key=lambda name: (int(name), name))
    return sorted(classes)


def check_labels(labels: pl.Series, classes: list[str], rows: Rows, column: str) -> None:
    """Raise `DataError` where the labels look like texts or like numbers of rows."""
    n_labels = int(labels.list.len().sum()) if isinstance(labels.dtype, pl.List) else len(labels)
    longest = max(map(len, classes))
    if longest > LONGEST_LABEL:
        found = f"one of its values has {longest:,} characters"
    elif n_labels > FEW_LABELS and len(classes) > n_labels / 2:
        found = f"{n_labels:,} labels have {len(classes):,} different values"
    else:
        return
    raise DataError(
        f"`{rows.source}`: column `{column}` does not look like labels: {found}; choose another with `--label`. "
        f"The columns are {listed(rows.frame.columns)}."
    )
