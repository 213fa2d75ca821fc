"""fastText's training files: ``__label__x`` words and the text, one row a line."""

import re
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from tagline.data.formats.base import Format, Source, first_line
from tagline.data.formats.lines import read_lines
from tagline.data.rows import Rows

LABEL = "__label__"
# What separates words in fastText (Dictionary::readWord of its src/dictionary.cc): no other white space does.
_GAP = r" \t\r\x0b\x0c\x00"
_LABEL = rf"{LABEL}[^{_GAP}]*"


def _read(source: Source) -> Iterator[pl.DataFrame]:
    """Read ``__label__a __label__b text`` lines into the columns ``text`` and ``label``, a list.

    As in fastText, every word with the prefix is a label, anywhere in the line.
    """
    for lines in read_lines(source):
        yield lines.select(
            text=pl.col("text")
            .str.replace_all(rf"(^|[{_GAP}])(?:{_LABEL}(?:[{_GAP}]+|$))+", "$1")
            .str.strip_chars(" \t\r\v\f\0"),
            label=pl.col("text")
            .str.extract_all(rf"(?:^|[{_GAP}]){_LABEL}")
            .list.eval(pl.element().str.strip_chars_start(" \t\r\v\f\0").str.strip_prefix(LABEL)),
        )


def _sniff(sample: bytes, header_names: frozenset[str]) -> int:
    if _has_label(first_line(sample).encode()):
        return 100
    # fastText skips lines without a label, so a later one is enough unless the first line is a header.
    return 20 * _has_label(sample)


def _has_label(sample: bytes) -> bool:
    return re.search(rf"(?:^|[{_GAP}]){LABEL}".encode(), sample, re.MULTILINE) is not None


def _finish(rows: Rows) -> Rows:
    frame = rows.frame
    if frame["label"].list.len().max() == 1:
        frame = frame.with_columns(frame["label"].list.first())
    return replace(rows, frame=frame, text="text", label="label")


FORMAT = Format("fasttext", (), _read, sniff=_sniff, finish=_finish)
