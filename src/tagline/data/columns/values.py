"""What the values of a column look like: texts, subjects of messages, labels, or 0 and 1."""

import polars as pl

from tagline.data.columns.names import SUBJECT_NAMES
from tagline.data.labels.marks import is_unknown_flag
from tagline.data.labels.structures import indicator

#: A column without a known name is a text if its values are that long on average, and mostly differ.
MIN_TEXT_CHARS = 15
MIN_TEXT_DISTINCT = 0.5
MIN_SUBJECTS = 20  # distinct values; with fewer, `title` is a form of address, such as Dr
#: A column without a known name is a label if it has at most this share of distinct values.
MAX_LABEL_DISTINCT = 0.2
#: A column of at least `MIN_SUBJECTS` distinct values of that many words on average, of which this share occurs once,
#: holds subjects of messages rather than labels.
MIN_SUBJECT_WORDS = 1.5
MIN_SUBJECTS_OCCURRING_ONCE = 0.5
SAMPLE_ROWS = 1000
#: Two words, or letters of a script that puts no space between words.
_WORDS = r"\p{L}\s+\S*\p{L}|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]{2}"
#: Days and times, as files write them: 2024-05-11, 2024-05-11T10:00:00Z, 11.5.2024, 5/11/24, 10:30.
_MOMENT = r"^\s*(\d{4}([-/.])\d{1,2}([-/.])\d{1,2}|\d{1,2}([-/.])\d{1,2}([-/.])(\d{2}|\d{4})|\d{1,2}:\d\d)([T ,:].*)?$"


def is_text_like(column: pl.Series) -> bool:
    """Say whether the values of a column are as long and as distinct as texts."""
    sample = _sample(column)
    if not len(sample):
        return False
    mean = sample.str.len_chars().mean()
    distinct = sample.n_unique() / len(sample)
    return isinstance(mean, float) and mean >= MIN_TEXT_CHARS and distinct >= MIN_TEXT_DISTINCT


def is_prose(column: pl.Series) -> bool:
    """Say whether most values are several words, with more letters than digits, and not just a few different ones."""
    values = _sample(column)
    return values.n_unique() >= max(2, MAX_LABEL_DISTINCT * len(values)) and has_words(values)


def has_words(column: pl.Series) -> bool:
    """Say whether most values are several words, at least half of whose characters are letters."""
    values = _sample(column)
    letters, characters = (values.str.count_matches(pattern) for pattern in (r"[\p{L}\p{M}]", r"\S"))
    share = (values.str.contains(_WORDS) & (2 * letters >= characters)).mean()
    return isinstance(share, float) and share >= MIN_TEXT_DISTINCT


def _sample(column: pl.Series) -> pl.Series:
    values = column.drop_nulls()
    return values.gather_every(max(1, len(values) // SAMPLE_ROWS))


def is_subject(column: pl.Series) -> bool:
    """Say whether a column is named as subjects of messages are, which are often one word, and has many of them."""
    known = column.name.strip().casefold() in SUBJECT_NAMES
    return known and column.drop_nulls().n_unique() >= MIN_SUBJECTS


def holds_subjects(column: pl.Series) -> bool:
    """Say whether the values of a column are short texts, many of which occur once, as subjects of messages do."""
    if column.dtype != pl.String:
        return False
    # Several labels in one cell are not one text: their combinations may be rare, but each of them recurs.
    values = column.drop_nulls().str.replace_all(r"\s*[,;|/]\s*", "\n").str.split("\n").explode(empty_as_null=False)
    counts = values.alias("value").value_counts(name="n")  # the names must differ
    if counts.height < MIN_SUBJECTS:
        return False
    words = counts["value"].str.count_matches(r"\S+").mean()
    once = (counts["n"] == 1).mean()
    several_words = isinstance(words, float) and words >= MIN_SUBJECT_WORDS
    return several_words and isinstance(once, float) and once >= MIN_SUBJECTS_OCCURRING_ONCE


def is_label_like(column: pl.Series) -> bool:
    """Say whether the values of a column recur as those of labels do."""
    if isinstance(column.dtype, pl.List):
        return True
    if isinstance(column.dtype, pl.Struct | pl.Object | pl.Binary | pl.Float32 | pl.Float64):
        return False
    values = column.drop_nulls()
    if column.dtype.is_temporal() or (column.dtype == pl.String and values.str.contains(_MOMENT).all()):
        return False
    # In a handful of rows every share is large: two rows of a kind are enough there.
    return 0 < values.n_unique() <= max(MAX_LABEL_DISTINCT * len(values), min(len(values) - 1, 20))


def is_flag(column: pl.Series) -> bool:
    """Return whether a column holds 0 and 1 only, or nothing where it is not known, as one of several label columns."""
    if column.dtype.is_nested():
        return False
    values = column.cast(pl.String).str.strip_chars().drop_nulls().unique().to_list()
    known = [value for value in values if value and not is_unknown_flag(value)]
    return bool(known) and all(indicator(value) in (0, 1) for value in known)
