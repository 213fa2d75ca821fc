"""TSV: cells separated by tabs. All cells are strings."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source, first_line
from tagline.data.formats.delimited import has_header_cell, note_missing_header, read_delimited, sniff_dialect


def _sniff(sample: bytes, header_names: frozenset[str]) -> int:
    return 60 * has_header_cell(first_line(sample), "\t", header_names)


def _read(source: Source) -> Iterator[pl.DataFrame]:
    dialect = sniff_dialect(source, tabs=True)
    return read_delimited(source.blocks(), dialect, source.name, source.rejected)


FORMAT = Format("tsv", (".tsv", ".tab"), _read, sniff=_sniff, finish=note_missing_header)
