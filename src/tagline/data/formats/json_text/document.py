"""JSON files: JSON Lines, one document with a table in it, or several documents after each other.

The content decides, not the suffix: ``.json`` and ``.jsonl`` are used for both.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import polars as pl

from tagline.data.formats.base import Source
from tagline.data.formats.json_text.lines import read_json_lines
from tagline.data.formats.json_text.tables import table_of_document
from tagline.data.json_values import check_depth, parse_json, replace_surrogates, why_not_read
from tagline.data.reading import ReadLog
from tagline.errors import DataError

_LINES = 50


def read_json(source: Source) -> Iterator[pl.DataFrame]:
    """Read JSON Lines, or the table of a document."""
    return read_json_lines(source) if is_json_lines(source) else iter([_read_document(source)])


def is_json_lines(source: Source) -> bool:
    """Say whether most of the first lines, of at least two, are objects of their own, or none opens a document."""
    lines = [line for line in source.sample.lstrip().split(b"\n", _LINES)[:_LINES] if line.strip()]
    if not lines[0].lstrip().startswith((b"{", b"[")):
        return True  # no JSON at all: every line is rejected with its reason
    n_objects = sum(map(_is_object, lines))
    return len(lines) > 1 and 2 * n_objects >= len(lines)


def _is_object(line: bytes) -> bool:
    if not (line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _read_document(source: Source) -> pl.DataFrame:
    try:
        documents = _documents(b"".join(source.blocks()).decode(), source.log)
    except (ValueError, RecursionError) as error:
        raise DataError(f"`{source.name}` is not valid JSON: {why_not_read(error)}.") from error
    source.log.note_surrogates(source.name)
    table = table_of_document(documents[0] if len(documents) == 1 else documents, source)
    source.check_names(table.columns)
    return table


def _documents(text: str, log: ReadLog) -> list[Any]:
    """Return the values of a text: one, or several after each other, each on any number of lines."""
    with suppress(json.JSONDecodeError):
        return [parse_json(text, log)]
    decoder, found, position = json.JSONDecoder(), [], 0
    while position < len(text):
        while position < len(text) and text[position] in " \t\r\n":
            position += 1
        if position < len(text):
            value, position = decoder.raw_decode(text, position)
            found.append(value)
    check_depth(found)
    return list(replace_surrogates(found, log))
