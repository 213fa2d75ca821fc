"""CSV: cells separated by commas, semicolons or bars. All cells are strings."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.data.formats.delimited.dialect import head_line, is_table, note_missing_header, sniff_dialect
from tagline.data.formats.delimited.header import has_header_cell
from tagline.data.formats.delimited.reader import read_delimited


def _sniff(source: Source) -> int:
    if source.layout.separator:
        return 95
    line = head_line(source.sample)
    if any(has_header_cell(line, separator, source.header_names) for separator in (",", ";", "|")):
        return 50
    # Prose has commas too, though hardly the same number in each of many lines.
    return 30 * (is_table(source, ";", 5) or is_table(source, "|", 5) or is_table(source, ",", 20))


def _read(source: Source) -> Iterator[pl.DataFrame]:
    return read_delimited(source.blocks(), sniff_dialect(source, tabs=False), source)


FORMAT = Format("csv", (".csv",), _read, sniff=_sniff, finish=note_missing_header)
