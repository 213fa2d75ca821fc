"""Which column is the text, which the label, which the split.

The choice, in this order: the column that the caller names; the one that the structure of the source determines;
the first of the known names below, ignoring case; the only column of strings that look like texts, or the only one
of few distinct values. If that leaves no column or several, it is a `DataError` that lists the columns. Strings without
words, such as times, phone numbers and ids, are texts only if no column has words.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tagline.data.frames import as_strings
from tagline.data.labels.marks import is_unknown_flag
from tagline.data.labels.structures import indicator
from tagline.data.nested import nested_names, object_keys
from tagline.data.rows import Rows
from tagline.data.sources.beginnings import beginning_hint
from tagline.data.splits import SPLIT_NAMES
from tagline.data.wording import kind_of_values, listed
from tagline.errors import ColumnError, DataError, nearest

TEXT_NAMES = (
    "text", "texts", "review", "reviews", "sentence", "content", "body", "message", "comment", "comments",
    "tweet", "document", "doc", "description", "article", "story", "post", "question", "query", "utterance",
    "phrase", "abstract", "headline", "title", "summary", "sms", "email", "news", "input",
)  # fmt: skip
SUBJECT_NAMES = ("subject", "betreff", "title", "titel", "headline", "summary", "objet", "asunto", "oggetto")
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
MIN_SUBJECTS = 20  # distinct values; with fewer, `title` is a form of address, such as Dr
#: A column without a known name is a label if it has at most this share of distinct values.
MAX_LABEL_DISTINCT = 0.2
#: A column of at least `MIN_SUBJECTS` distinct values of that many words on average, of which this share occurs once,
#: holds subjects of messages rather than labels.
MIN_SUBJECT_WORDS = 1.5
MIN_SUBJECTS_OCCURRING_ONCE = 0.5
SAMPLE_ROWS = 1000
_MOST_SPLITS = 10  # values of a column that says in which split a row is
#: Two words, or letters of a script that puts no space between words.
_WORDS = r"\p{L}\s+\S*\p{L}|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]{2}"
#: Days and times, as files write them: 2024-05-11, 2024-05-11T10:00:00Z, 11.5.2024, 5/11/24, 10:30.
_MOMENT = r"^\s*(\d{4}([-/.])\d{1,2}([-/.])\d{1,2}|\d{1,2}([-/.])\d{1,2}([-/.])(\d{2}|\d{4})|\d{1,2}:\d\d)([T ,:].*)?$"


@dataclass(frozen=True)
class Columns:
    """Text, label and split column of a frame, and a sentence on how they were chosen."""

    text: tuple[str, ...]
    label: tuple[str, ...]
    split: str | None
    chosen: str
    notes: tuple[str, ...] = ()


def choose_columns(rows: Rows, text: Sequence[str], label: Sequence[str], group: str | None) -> Columns:
    """Decide which columns of ``rows`` are text, label and split; raise `DataError` where that is not clear."""
    frame = rows.frame
    for name in (*text, *label, *((group,) if group else ())):
        require_column(frame, name, rows.source)
    split = rows.split or _split_column(frame, {*text, *label, group})
    taken = {name for name in (split, group) if name}
    if label or rows.label:
        label_columns = tuple(dict.fromkeys(label)) or (str(rows.label),)
        label_how = "given" if label else "known from the layout"
    elif questions := [name for name in rows.questions if name not in {*text, *taken}]:
        label_columns, label_how = (_choose_question(rows, questions),), "known from the layout"
    else:
        settled = {*text} | ({rows.text} if rows.text else set())
        try:
            found, label_how = _find_label(frame, taken | settled, rows.source)
        except ColumnError as error:
            raise (error if settled else _with_text_question(error, frame, taken, rows.source)) from None
        label_columns = (found,)
    taken.update(label_columns)
    if text:
        text_columns, text_how = tuple(text), "given"
    elif rows.text:
        text_columns, text_how = (rows.text,), "known from the layout"
    else:
        found, text_how = _find_text(frame, taken, rows.source)
        text_columns = (found,)
    for name in label_columns:
        if name in text_columns:
            raise DataError(f"`{rows.source}`: column `{name}` cannot be both text and label.")
    chosen = chosen_columns(text_columns, text_how, label_columns, label_how)
    notes = () if text or rows.text else _left_out(frame, text_columns, taken)
    if split is None:
        notes = (*_unused_splits(frame, {*text_columns, *taken}, rows.source), *notes)
    return Columns(text_columns, label_columns, split, chosen, notes)


def chosen_columns(text: Sequence[str], text_how: str, label: Sequence[str], label_how: str) -> str:
    """Return a sentence on which columns are text and label, and how they were chosen."""
    return f"text is {_quoted(text)} ({text_how}), label is {_quoted(label)} ({label_how})"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def find_text_columns(frame: pl.DataFrame, text: Sequence[str], source: str) -> tuple[str, ...]:
    """Return the columns ``text`` after a check that they exist; without any, the text column of unlabelled rows."""
    for name in text:
        require_column(frame, name, source)
    return tuple(text) or (_find_text(frame, set(), source)[0],)


def require_column(frame: pl.DataFrame, name: str, source: str) -> None:
    """Raise `ColumnError` that lists the columns, and the nearest, if ``frame`` has no column ``name``."""
    if name not in frame.columns:
        hint = nearest(name, frame.columns)
        message = f"`{source}` has no column `{name}`.{hint} Its columns are {listed(frame.columns)}."
        raise ColumnError(message, (), frame.columns)


def join_texts(frame: pl.DataFrame, columns: Sequence[str], source: str) -> pl.Series:
    """Return one String series of the text columns, joined by a newline; null only where all of them are.

    Raises:
        DataError: a column holds no text; ``source`` is for the message.

    """
    parts = [_as_text(frame[name], source) for name in columns]
    if len(parts) == 1:
        return parts[0].alias("text")
    joined = pl.DataFrame([part.alias(str(i)) for i, part in enumerate(parts)])
    text = pl.concat_str(pl.all(), separator="\n", ignore_nulls=True)
    return joined.select(pl.when(~pl.all_horizontal(pl.all().is_null())).then(text).alias("text")).to_series()


def _as_text(column: pl.Series, source: str) -> pl.Series:
    texts = as_strings(column)
    if texts is None:
        names = listed(f"{column.name}.{key}" for key in object_keys(column))
        others = f"name what to read of it ({names})" if names else "choose another"
        kind = kind_of_values(column.dtype)
        raise DataError(f"`{source}`: column `{column.name}` holds {kind}, not text: {others} with `--text`.")
    return texts


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


def _unused_splits(frame: pl.DataFrame, taken: set[str], source: str) -> list[str]:
    """Return notes on columns named ``split`` or alike that hold a few values, of which some name no split."""
    notes = []
    for column in frame.columns:
        known = column.strip().casefold() in SPLIT_COLUMNS and column not in taken
        if not known or not (frame.schema[column].is_integer() or frame.schema[column] == pl.String):
            continue
        found = frame[column].drop_nulls().unique(maintain_order=True).head(_MOST_SPLITS + 1)
        values = [str(value).strip() for value in found]
        unknown = [value for value in values if value.casefold() not in SPLIT_NAMES]
        if unknown and 1 < len(values) <= _MOST_SPLITS:
            notes.append(
                f"`{source}`: column `{column}` is not used to split the rows: {listed(unknown)} name no split. Write "
                "`train`, `validation` and `test`."
            )
    return notes


def _find_label(frame: pl.DataFrame, taken: set[str], source: str) -> tuple[str, str]:
    named = _by_name(frame, LABEL_NAMES, taken)
    if named is not None:
        return named, "by its name"
    text = _by_name(frame, TEXT_NAMES, taken)
    rest = [name for name in frame.columns if name not in taken and name != text]
    rest = [name for name in rest if name.strip().casefold() not in (*SPLIT_COLUMNS, *OTHER_NAMES)]
    if frame.width == 1:
        raise DataError(
            f"`{source}` has one column, `{frame.columns[0]}`: labelled data has a column of texts and one of labels. "
            f"{_hint_of_one_column(frame.to_series())}"
        )
    candidates = [name for name in rest if is_label_like(frame[name]) and not _holds_subjects(frame[name])]
    if len(candidates) == 1:
        return candidates[0], "the only column of few distinct values"
    if candidates and all(_is_flag(frame[name]) for name in candidates):
        raise ColumnError(
            f"`{source}`: which column is the label? {_quoted(candidates)} hold 0 and 1: name all of them with "
            "`--label` if each is a label, or one of them.",
            tuple(part for name in candidates for part in ("--label", name)),
            frame.columns,
        )
    raise _ambiguous("label", sorted(candidates, key=lambda name: frame[name].n_unique()), 1, frame, source)


def _hint_of_one_column(column: pl.Series) -> str:
    """Say how text and label may be told apart in the only column of a source."""
    if column.dtype == pl.String and not object_keys(column):
        hint = beginning_hint(column)
        return hint or "If there are more columns, give `--separator`; if labels begin the lines, `--label-prefix`."
    if keys := object_keys(column):
        return f"Its objects hold {listed(keys)}, which `--text` and `--label` name as `{column.name}.{keys[0]}`."
    if keys := object_keys(_answers(column)):
        return f"It holds lists of objects of {listed(keys)}: save text and label as columns of their own."
    return f"It holds {column.dtype}."


def _choose_question(rows: Rows, questions: Sequence[str]) -> str:
    """Return the only question of an export, or the only one that is answered by labels."""
    if len(questions) == 1:
        return questions[0]
    names = [name for name in questions if is_label_like(_answers(rows.frame[name]))]
    if len(names) == 1:
        return names[0]
    names = names or list(questions)
    raise ColumnError(
        f"`{rows.source}`: the texts have labels for several questions, {listed(names)}: choose one with `--label`.",
        ("--label", names[0]),
        rows.frame.columns,
    )


def _answers(column: pl.Series) -> pl.Series:
    return column.explode() if isinstance(column.dtype, pl.List) else column


def _is_flag(column: pl.Series) -> bool:
    """Return whether a column holds 0 and 1 only, or nothing where it is not known, as one of several label columns."""
    if column.dtype.is_nested():
        return False
    values = column.cast(pl.String).str.strip_chars().drop_nulls().unique().to_list()
    known = [value for value in values if value and not is_unknown_flag(value)]
    return bool(known) and all(indicator(value) in (0, 1) for value in known)


def _find_text(frame: pl.DataFrame, taken: set[str], source: str) -> tuple[str, str]:
    named = _by_name(frame, TEXT_NAMES, taken)
    if named is not None:
        _refuse_objects(frame[named], source)
        return named, "by its name"
    rest = [name for name in frame.columns if name not in taken]
    rest = [name for name in rest if frame.schema[name] == pl.String and not object_keys(frame[name])]
    candidates = rest if len(rest) == 1 else [name for name in rest if _is_text_like(frame[name])]
    candidates = [name for name in candidates if _has_words(frame[name])] or candidates
    if len(candidates) == 1:
        return candidates[0], "the only column of texts"
    if candidates:
        shorter = _short_texts(frame, taken)
        candidates = [name for name in rest if name in candidates or name in shorter]
    raise _ambiguous("text", candidates, len(candidates), frame, source)


def _with_text_question(asked: ColumnError, frame: pl.DataFrame, taken: set[str], source: str) -> ColumnError:
    """Return the question for the label column, with that for the text column if it follows."""
    candidates = {*asked.answer[1::2]}
    if not candidates:
        return asked
    try:
        _find_text(frame, taken | candidates, source)
    except ColumnError as error:
        if error.answer:
            question = str(error).removeprefix(f"`{source}`: ")
            both = f"{asked} {question[0].upper()}{question[1:]}"
            return ColumnError(both, (*error.answer, *asked.answer), asked.columns)
    except DataError:
        pass
    return asked


def _refuse_objects(column: pl.Series, source: str) -> None:
    """Raise `ColumnError` that names the keys if a column that was not asked for holds objects."""
    keys = object_keys(column)
    if not keys:
        if isinstance(column.dtype, pl.List) and (keys := object_keys(column.explode())):
            raise DataError(
                f"`{source}`: column `{column.name}` holds lists of objects of {listed(keys)}, not texts: choose "
                "another with `--text`, or save the texts as a column of their own."
            )
        return
    names = [f"{column.name}.{key}" for key in keys]
    named = [name for name, key in zip(names, keys, strict=True) if key.casefold() in TEXT_NAMES]
    raise ColumnError(
        f"`{source}`: column `{column.name}` holds objects, not texts: name what to read of them with `--text`, of "
        f"{listed(names)}.",
        tuple(part for name in named or names[:1] for part in ("--text", name)),
        names,
    )


def _ambiguous(what: str, candidates: list[str], n_likely: int, frame: pl.DataFrame, source: str) -> ColumnError:
    """Return the error that asks for the column of the text or label; the first ``n_likely`` candidates are likely."""
    if candidates:
        problem, columns = f"the {what} column is ambiguous", f"Candidates are {listed(candidates)}."
    else:
        problem, columns = f"no column looks like a {what}", f"Its columns are {listed(frame.columns)}."
    if not candidates and (nested := nested_names(frame)):
        columns = f"{columns} Objects in them hold {listed(nested)}, which may be named too."
    likely = candidates[:n_likely]
    return ColumnError(
        f"`{source}`: {problem}: name the {what} column with `--{what}` (`{what}=` in Python). {columns}",
        tuple(part for name in likely for part in (f"--{what}", name)),
        frame.columns,
    )


def _left_out(frame: pl.DataFrame, text: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Return a note on columns that hold texts too, but are not used beside the columns ``text``."""
    names = _short_texts(frame, taken | {*text})
    if not names:
        return ()
    options = " ".join(f"--text {shlex.quote(name)}" for name in (*text, *names))
    is_text = "is text too, but is not used" if len(names) == 1 else "are text too, but are not used"
    both = "both" if len(names) + len(text) == 2 else "all of them"
    return (f"{_quoted(names)} {is_text}: add `{options}` to read {both}.",)


def _short_texts(frame: pl.DataFrame, taken: set[str]) -> list[str]:
    """Return the columns that hold texts, however short, among them subjects of messages."""
    names = [name for name in frame.columns if name not in taken and name.strip().casefold() not in OTHER_NAMES]
    names = [name for name in names if frame.schema[name] == pl.String]
    return [name for name in names if _is_prose(frame[name]) or _is_subject(frame[name])]


def _is_prose(column: pl.Series) -> bool:
    """Say whether most values are several words, with more letters than digits, and not just a few different ones."""
    values = _sample(column)
    return values.n_unique() >= max(2, MAX_LABEL_DISTINCT * len(values)) and _has_words(values)


def _has_words(column: pl.Series) -> bool:
    """Say whether most values are several words, at least half of whose characters are letters."""
    values = _sample(column)
    letters, characters = (values.str.count_matches(pattern) for pattern in (r"[\p{L}\p{M}]", r"\S"))
    share = (values.str.contains(_WORDS) & (2 * letters >= characters)).mean()
    return isinstance(share, float) and share >= MIN_TEXT_DISTINCT


def _sample(column: pl.Series) -> pl.Series:
    values = column.drop_nulls()
    return values.gather_every(max(1, len(values) // SAMPLE_ROWS))


def _is_subject(column: pl.Series) -> bool:
    """Say whether a column is named as subjects of messages are, which are often one word, and has many of them."""
    known = column.name.strip().casefold() in SUBJECT_NAMES
    return known and column.drop_nulls().n_unique() >= MIN_SUBJECTS


def _holds_subjects(column: pl.Series) -> bool:
    """Say whether the values of a column are short texts, many of which occur once, as subjects of messages do."""
    if column.dtype != pl.String:
        return False
    # Several labels in one cell are not one text: their combinations may be rare, but each of them recurs.
    values = column.drop_nulls().str.replace_all(r"\s*[,;|/]\s*", "\n").str.split("\n").explode(empty_as_null=False)
    counts = values.value_counts(name="n")
    if counts.height < MIN_SUBJECTS:
        return False
    words = counts[column.name].str.count_matches(r"\S+").mean()
    once = (counts["n"] == 1).mean()
    several_words = isinstance(words, float) and words >= MIN_SUBJECT_WORDS
    return several_words and isinstance(once, float) and once >= MIN_SUBJECTS_OCCURRING_ONCE


def _is_text_like(column: pl.Series) -> bool:
    sample = _sample(column)
    if not len(sample):
        return False
    mean = sample.str.len_chars().mean()
    distinct = sample.n_unique() / len(sample)
    return isinstance(mean, float) and mean >= MIN_TEXT_CHARS and distinct >= MIN_TEXT_DISTINCT


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
