"""CSV: cells separated by commas, semicolons or bars. All cells are strings."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source, first_line
from tagline.data.formats.delimited import has_header_cell, note_missing_header, read_delimited, sniff_dialect


def _sniff(sample: bytes, header_names: frozenset[str]) -> int:
    line = first_line(sample)
    return 50 * any(has_header_cell(line, separator, header_names) for separator in (",", ";", "|"))


def _read(source: Source) -> Iterator[pl.DataFrame]:
    dialect = sniff_dialect(source, tabs=False)
    return read_delimited(source.blocks(), dialect, source.name, source.rejected)


FORMAT = Format("csv", (".csv",), _read, sniff=_sniff, finish=note_missing_header)
