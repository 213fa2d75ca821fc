"""TSV: cells separated by tabs. All cells are strings."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.data.formats.delimited.dialect import head_line, is_table, note_missing_header, sniff_dialect
from tagline.data.formats.delimited.header import has_header_cell
from tagline.data.formats.delimited.reader import read_delimited


def _sniff(source: Source) -> int:
    if source.layout.separator == "\t":
        return 96
    if has_header_cell(head_line(source.sample), "\t", source.header_names):
        return 60
    return 40 * is_table(source, "\t", 2)


def _read(source: Source) -> Iterator[pl.DataFrame]:
    return read_delimited(source.blocks(), sniff_dialect(source, tabs=True), source)


FORMAT = Format("tsv", (".tsv", ".tab"), _read, sniff=_sniff, finish=note_missing_header)
