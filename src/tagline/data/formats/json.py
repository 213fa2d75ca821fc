"""JSON: one array of objects, or JSON Lines under the suffix ``.json``."""

import json
from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source, first_line
from tagline.data.formats.jsonl import read_json_lines
from tagline.data.frames import frame_of_dicts
from tagline.errors import DataError


def _read(source: Source) -> Iterator[pl.DataFrame]:
    if source.sample.lstrip()[:1] == b"[":
        return iter([_read_array(b"".join(source.blocks()), source.name)])
    return read_json_lines(source)


def _read_array(data: bytes, name: str) -> pl.DataFrame:
    try:
        rows = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise DataError(f"`{name}` is not valid JSON: {error}.") from error
    if not all(isinstance(row, dict) for row in rows):
        raise DataError(f'`{name}` must hold an array of objects, such as `[{{"text": …, "label": …}}]`.')
    return frame_of_dicts(rows)


def _sniff(sample: bytes, header_names: frozenset[str]) -> int:
    line = first_line(sample)
    return 80 * (line.startswith(("[{", "[\r")) or line.strip() == "[")


FORMAT = Format("json", (".json",), _read, sniff=_sniff)
