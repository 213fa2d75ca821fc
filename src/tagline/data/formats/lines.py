"""Plain text: one text a line, without labels."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import REASON, Format, Source, excerpt, not_utf8, split_lines


def read_lines(source: Source) -> Iterator[pl.DataFrame]:
    """Read one text a line into the column ``text``; empty lines are kept, as empty texts."""
    number = 0
    for block in source.blocks():
        texts: list[str | None] = []
        reasons: list[str | None] = []
        numbers: list[int] = []
        for line in split_lines(block):
            number += 1
            reason = None
            try:
                texts.append(line.decode().removesuffix("\r"))
            except UnicodeDecodeError as error:
                reason = not_utf8(line, error)
                source.reject(number, reason, excerpt(line))
                if not source.streamed:
                    continue
                texts.append(None)
            reasons.append(reason)
            numbers.append(number)
        source.number_rows(pl.Series(numbers, dtype=pl.UInt32))
        frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
        yield frame.with_columns(pl.Series(REASON, reasons, dtype=pl.String)) if any(reasons) else frame


def _sniff(source: Source) -> int:
    return 1


FORMAT = Format("lines", (), read_lines, sniff=_sniff)
