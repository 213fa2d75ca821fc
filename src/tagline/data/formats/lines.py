"""Plain text: one text a line, without labels."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source, excerpt, not_utf8, split_lines
from tagline.data.rows import Rejected


def read_lines(source: Source) -> Iterator[pl.DataFrame]:
    """Read one text a line into the column ``text``; empty lines are kept, as empty texts."""
    number = 0
    for block in source.blocks():
        lines = split_lines(block)
        texts: list[str] = []
        for i, line in enumerate(lines):
            try:
                texts.append(line.decode().removesuffix("\r"))
            except UnicodeDecodeError as error:
                source.rejected.append(Rejected(source.name, number + i + 1, not_utf8(line, error), excerpt(line)))
        number += len(lines)
        yield pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})


def _sniff(sample: bytes, header_names: frozenset[str]) -> int:
    return 1


FORMAT = Format("lines", (), read_lines, sniff=_sniff)
