"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from tagline.data.formats.base import Format, Source, excerpt, first_line, not_utf8, split_lines
from tagline.data.frames import frame_of_dicts
from tagline.data.rows import Rejected

#: The column that keeps each line of the file unchanged.
LINE = "\0line"


def read_json_lines(source: Source) -> Iterator[pl.DataFrame]:
    """Read one JSON object a line; empty lines are no rows, other lines that are not an object are rejected.

    When the file is streamed, the column `LINE` keeps each line: the types of columns lose part of it.
    """

    def reject(line: bytes, reason: str) -> None:
        source.rejected.append(Rejected(source.name, number, reason, excerpt(line)))

    number = 0
    for block in source.blocks():
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
                reject(line, not_utf8(line, error))
                continue
            except (ValueError, RecursionError) as error:
                reject(line, f"the line is not valid JSON ({getattr(error, 'msg', 'nested too deeply')})")
                continue
            if not isinstance(row, dict):
                reject(line, "the line is JSON, but not an object")
                continue
            rows.append(row)
            if source.streamed:
                kept.append(decoded)
        frame = frame_of_dicts(rows)
        yield frame.with_columns(pl.Series(LINE, kept, dtype=pl.String)) if kept else frame


def _sniff(sample: bytes, header_names: frozenset[str]) -> int:
    return 90 * first_line(sample).startswith("{")


FORMAT = Format("jsonl", (".jsonl", ".ndjson"), read_json_lines, sniff=_sniff)
