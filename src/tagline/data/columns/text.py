"""The column of texts, where it is not named: found by its name or its values."""

import shlex
from collections.abc import Sequence

import polars as pl

from tagline.data.columns.names import OTHER_NAMES, TEXT_NAMES, by_name
from tagline.data.columns.nested import object_keys
from tagline.data.columns.questions import ambiguous, require_column
from tagline.data.columns.values import has_words, is_prose, is_subject, is_text_like
from tagline.data.wording import listed, quoted
from tagline.errors import ColumnError, DataError


def find_text_columns(frame: pl.DataFrame, text: Sequence[str], source: str) -> tuple[str, ...]:
    """Return the columns ``text`` after a check that they exist; without any, the text column of unlabelled rows."""
    for name in text:
        require_column(frame, name, source)
    return tuple(text) or (find_text(frame, set(), source)[0],)


def find_text(frame: pl.DataFrame, taken: set[str], source: str) -> tuple[str, str]:
    """Return the column of texts, of those that are not taken, and how it was found."""
    named = by_name(frame, TEXT_NAMES, taken)
    if named is not None:
        _refuse_objects(frame[named], source)
        return named, "by its name"
    rest = [name for name in frame.columns if name not in taken]
    schema = frame.schema  # polars builds it at each access
    rest = [name for name in rest if schema[name] == pl.String and not object_keys(frame[name])]
    candidates = rest if len(rest) == 1 else [name for name in rest if is_text_like(frame[name])]
    candidates = [name for name in candidates if has_words(frame[name])] or candidates
    if len(candidates) == 1:
        return candidates[0], "the only column of texts"
    if candidates:
        shorter = _short_texts(frame, taken)
        candidates = [name for name in rest if name in candidates or name in shorter]
    raise ambiguous("text", candidates, len(candidates), frame, source)


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


def left_out(frame: pl.DataFrame, text: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Return a note on columns that hold texts too, but are not used beside the columns ``text``."""
    names = _short_texts(frame, taken | {*text})
    if not names:
        return ()
    options = " ".join(f"--text {shlex.quote(name)}" for name in (*text, *names))
    is_text = "is text too, but is not used" if len(names) == 1 else "are text too, but are not used"
    both = "both" if len(names) + len(text) == 2 else "all of them"
    return (f"{quoted(names)} {is_text}: add `{options}` to read {both}.",)


def _short_texts(frame: pl.DataFrame, taken: set[str]) -> list[str]:
    """Return the columns that hold texts, however short, among them subjects of messages."""
    names = [name for name, dtype in frame.schema.items() if dtype == pl.String and name not in taken]
    names = [name for name in names if name.strip().casefold() not in OTHER_NAMES]
    return [name for name in names if is_prose(frame[name]) or is_subject(frame[name])]
