"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from tagline.data.formats.base import LINE, REASON, Source, excerpt, not_utf8, split_lines
from tagline.data.formats.json_text.layouts import without_envelope
from tagline.data.frames import frame_of_dicts


def read_json_lines(source: Source) -> Iterator[pl.DataFrame]:
    """Read one JSON object a line; empty lines are no rows, other lines that are not an object are rejected.

    When the file is streamed, the column `LINE` keeps each line: the types of columns lose part of it.
    """
    number = 0
    for block in source.blocks():
        rows: list[Mapping[str, Any]] = []
        kept: list[str] = []
        reasons: list[str | None] = []
        numbers: list[int] = []
        for line in split_lines(block):
            number += 1
            if not line or line.isspace():
                continue
            row, reason = _parsed(line)
            if reason is not None:
                source.reject(number, reason, excerpt(line))
                if not source.streamed:
                    continue
            rows.append(without_envelope(row))
            kept.append(line.decode() if reason is None else "{}")
            reasons.append(reason)
            numbers.append(number)
        source.number_rows(pl.Series(numbers, dtype=pl.UInt32))
        frame = frame_of_dicts(rows)
        if source.streamed:
            frame = frame.with_columns(pl.Series(LINE, kept, dtype=pl.String))
        yield frame.with_columns(pl.Series(REASON, reasons, dtype=pl.String)) if any(reasons) else frame


def _parsed(line: bytes) -> tuple[dict[str, Any], str | None]:
    """Return the object of a line, or an empty one and the reason why there is none."""
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError as error:
        return {}, not_utf8(line, error)
    except (ValueError, RecursionError) as error:
        return {}, f"the line is not valid JSON ({getattr(error, 'msg', 'nested too deeply')})"
    return (row, None) if isinstance(row, dict) else ({}, "the line is JSON, but not an object")
