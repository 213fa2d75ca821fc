"""JSON Lines: one object a line."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from tagline.data.formats.base import LINE, REASON, Source, excerpt, not_utf8, split_lines
from tagline.data.formats.json_text.layouts import without_envelope
from tagline.data.frames import check_filled, frame_of_dicts
from tagline.data.json_values import check_depth, parse_json
from tagline.data.reading import ReadLog

_DECODER = json.JSONDecoder()
# The white space of JSON, which has fewer characters than that of Python.
_BRACE, _COLON, _COMMA = (re.compile(rf"[ \t\r\n]*{sign}[ \t\r\n]*") for sign in (r"\{", ":", ","))


def read_json_lines(source: Source) -> Iterator[pl.DataFrame]:
    """Read one JSON object a line; empty lines are no rows, other lines that are not an object are rejected.

    When the file is streamed, the column `LINE` keeps each line: the types of columns lose part of it. Of a rejected
    line it keeps the members in front of the one that cannot be read; they are cells of columns that other lines have.
    """
    number = n_rows = n_values = 0
    all_names: set[str] = set()
    for block in source.blocks():
        rows: list[Mapping[str, Any]] = []
        kept: list[str] = []
        reasons: list[str | None] = []
        numbers: list[int] = []
        for line in split_lines(block):
            number += 1
            if not line or line.isspace():
                continue
            row, reason = _parsed(line, source.log)
            if reason is not None:
                source.reject(number, reason, excerpt(line))
                if not source.streamed:
                    continue
                line = _first_members(line).encode()
                row = parse_json(line.decode())
            rows.append(without_envelope(row))
            kept.append(line.decode())
            reasons.append(reason)
            numbers.append(number)
        source.number_rows(pl.Series(numbers, dtype=pl.UInt32))
        if any(reasons):
            names = {name for row, reason in zip(rows, reasons, strict=True) if reason is None for name in row}
            rows = [{name: row[name] for name in row if name in names} for row in rows]
        all_names.update(*rows)
        n_rows += len(rows)
        n_values += sum(map(len, rows))
        check_filled(len(all_names), n_rows, n_values, source.name)
        frame = frame_of_dicts(rows)
        source.check_names(frame.columns)
        if source.streamed:
            frame = frame.with_columns(pl.Series(LINE, kept, dtype=pl.String))
        yield frame.with_columns(pl.Series(REASON, reasons, dtype=pl.String)) if any(reasons) else frame
    source.log.note_surrogates(source.name)


def _parsed(line: bytes, log: ReadLog) -> tuple[dict[str, Any], str | None]:
    """Return the object of a line, or an empty one and the reason why there is none."""
    try:
        row = parse_json(line.decode(), log)
    except UnicodeDecodeError as error:
        return {}, not_utf8(line, error)
    except ValueError as error:
        return {}, f"the line is not valid JSON ({getattr(error, 'msg', error)})"
    return (row, None) if isinstance(row, dict) else ({}, "the line is JSON, but not an object")


def _first_members(line: bytes) -> str:
    """Return the object of the members of a line in front of the one that cannot be read, in their own spelling."""
    text = line.decode("utf-8", "replace").partition("\ufffd")[0]
    members = "{"
    start = _BRACE.match(text)
    while start is not None:
        try:
            name, end = _DECODER.raw_decode(text, start.end())
            colon = _COLON.match(text, end)
            if colon is None or not isinstance(name, str):
                break
            value, end = _DECODER.raw_decode(text, colon.end())
            check_depth([value])
        except (ValueError, RecursionError):
            break
        start = _COMMA.match(text, end)  # without a comma the value may be cut off, as a number may
        if start is not None:
            members = text[:end].lstrip()
    return members + "}"
