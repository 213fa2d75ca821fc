"""Files of one row a line: JSON Lines, fastText's ``__label__x text``, plain texts."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from tagline.data.formats.delimited import not_utf8, split_lines
from tagline.data.rows import EXCERPT_CHARS, Rejected
from tagline.errors import DataError

LINE = "\0line"
LABEL = "__label__"
# What separates words in fastText (Dictionary::readWord of its src/dictionary.cc): no other white space does.
_GAP = r" \t\r\x0b\x0c\x00"
_LABEL = rf"{LABEL}[^{_GAP}]*"


def read_json_lines(
    blocks: Iterable[bytes], file: str, rejected: list[Rejected], *, keep_lines: bool = False
) -> Iterator[pl.DataFrame]:
    """Read one JSON object a line; empty lines are no rows, lines that are no whole object are rejected.

    ``keep_lines`` adds each line as it stands in a column `LINE`, because the types of columns lose some of it.
    """
    number = 0
    for block in blocks:
        rows: list[dict[str, Any]] = []
        kept: list[str] = []
        for line in split_lines(block):
            number += 1
            if not line or line.isspace():
                continue
            try:
                decoded = line.decode()
                row = json.loads(decoded)
            except UnicodeDecodeError as error:
                rejected.append(Rejected(file, number, not_utf8(line, error), _excerpt(line)))
                continue
            except (ValueError, RecursionError) as error:
                reason = f"the line is not whole JSON ({getattr(error, 'msg', 'nested too deeply')})"
                rejected.append(Rejected(file, number, reason, _excerpt(line)))
                continue
            if isinstance(row, dict):
                rows.append(row)
                if keep_lines:
                    kept.append(decoded)
            else:
                rejected.append(Rejected(file, number, "the line is JSON, but not an object", _excerpt(line)))
        frame = frame_of_dicts(rows)
        yield frame.with_columns(pl.Series(LINE, kept, dtype=pl.String)) if kept else frame


def read_json_array(data: bytes, file: str) -> pl.DataFrame:
    """Read a file that is one JSON array of objects."""
    try:
        rows = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise DataError(f"`{file}` is not valid JSON: {error}.") from error
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f'`{file}` must hold an array of objects, such as `[{{"text": …, "label": …}}]`.')
    return frame_of_dicts(rows)


def read_fasttext(blocks: Iterable[bytes], file: str, rejected: list[Rejected]) -> Iterator[pl.DataFrame]:
    """Read ``__label__a __label__b text`` lines into the columns ``text`` and ``label``, a list.

    As in fastText every word that begins so is a label, wherever in the line it stands.
    """
    for lines in read_text_lines(blocks, file, rejected):
        yield lines.select(
            text=pl.col("text")
            .str.replace_all(rf"(^|[{_GAP}])(?:{_LABEL}(?:[{_GAP}]+|$))+", "$1")
            .str.strip_chars(" \t\r\v\f\0"),
            label=pl.col("text")
            .str.extract_all(rf"(?:^|[{_GAP}]){_LABEL}")
            .list.eval(pl.element().str.strip_chars_start(" \t\r\v\f\0").str.strip_prefix(LABEL)),
        )


def has_fasttext_label(sample: bytes) -> bool:
    """Say whether a word of some lines begins as fastText's labels do."""
    return re.search(rf"(?:^|[{_GAP}]){LABEL}".encode(), sample, re.MULTILINE) is not None


def read_text_lines(blocks: Iterable[bytes], file: str, rejected: list[Rejected]) -> Iterator[pl.DataFrame]:
    """Read one text a line into the column ``text``; empty lines are kept, as empty texts."""
    number = 0
    for block in blocks:
        lines = split_lines(block)
        texts: list[str] = []
        for i, line in enumerate(lines):
            try:
                texts.append(line.decode().removesuffix("\r"))
            except UnicodeDecodeError as error:
                rejected.append(Rejected(file, number + i + 1, not_utf8(line, error), _excerpt(line)))
        number += len(lines)
        yield pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})


def frame_of_dicts(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Make a frame of a list of dictionaries; a missing key is a null."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return frame_of_columns({name: [row.get(name) for row in rows] for name in names})


def frame_of_columns(columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """Make a frame of Python lists, each column of the one type that all its values have, else of strings."""
    if len({len(values) for values in columns.values()}) > 1:
        sizes = ", ".join(f"`{name}` {len(values):,}" for name, values in columns.items())
        raise DataError(f"The columns must be equally long, not {sizes}.")
    return pl.DataFrame([_column(str(name), values) for name, values in columns.items()])


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds <= {list, tuple, set, frozenset}:
        # A set has no order of its own; sorted, the same rows give the same frame.
        listed = [sorted(v, key=str) if isinstance(v, set | frozenset) else v for v in values]
        return pl.Series(
            name,
            [None if v is None else [scalar_text(item) for item in v if item is not None] for v in listed],
            dtype=pl.List(pl.String),
        )
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values if v is not None):
        return pl.Series(name, values, strict=False)
    return pl.Series(name, [None if _is_missing(v) else scalar_text(v) for v in values], dtype=pl.String)


def _is_missing(value: object) -> bool:
    # NaN and pandas' NaT differ from themselves; pandas' NA is ambiguous about it, and says so by its name.
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def scalar_text(value: object) -> str:
    """Write one value as a label or text: ``True`` as ``true``, ``1.0`` as ``1``, a structure as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _excerpt(line: bytes) -> str:
    return line[: 4 * EXCERPT_CHARS].decode("utf-8", "replace")[:EXCERPT_CHARS]
