"""fastText's training files: ``__label__x`` words and the text, one row a line.

Another prefix such as ``__class__`` is taken where nearly all lines begin with it, or where the user names it. One of
punctuation alone, such as ``#`` or ``[``, makes labels only at the beginning of a line; a bracket closes its label.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.data.formats.lines import read_lines
from tagline.data.rows import Rows

LABEL = "__label__"
# What separates words in fastText (Dictionary::readWord of its src/dictionary.cc): no other white space does.
_GAP = r" \t\r\x0b\x0c\x00"
_OTHER_PREFIX = re.compile(r"(__[A-Za-z][A-Za-z0-9-]*__)[^\s_]")
_CLOSING = {"[": "]", "(": ")", "<": ">", "{": "}"}
_FEWEST_LINES, _NEARLY_ALL = 3, 0.9


def _read(source: Source) -> Iterator[pl.DataFrame]:
    """Read ``__label__a __label__b text`` lines into the columns ``text`` and ``label``, a list.

    As in fastText, every word with the prefix is a label, anywhere in the line.
    """
    prefix = _prefix(source) or LABEL
    if prefix != LABEL and not source.layout.label_prefix:
        source.log.notes.append(f"`{source.name}` has no `{LABEL}`: `{prefix}` is taken as the prefix of its labels.")
    label = rf"{re.escape(prefix)}[^{_GAP}]*"
    if re.fullmatch(r"\W+", prefix):
        yield from _read_beginnings(source, prefix)
        return
    for lines in read_lines(source):
        yield lines.with_columns(
            text=pl.col("text")
            .str.replace_all(rf"(^|[{_GAP}])(?:{label}(?:[{_GAP}]+|$))+", "$1")
            .str.strip_chars(" \t\r\v\f\0"),
            label=pl.col("text")
            .str.extract_all(rf"(?:^|[{_GAP}]){label}")
            .list.eval(pl.element().str.strip_chars_start(" \t\r\v\f\0").str.strip_prefix(prefix)),
        )


def _read_beginnings(source: Source, prefix: str) -> Iterator[pl.DataFrame]:
    """Read lines that begin with labels, as ``#a #b text`` or ``[a] text``, into the columns ``text`` and ``label``."""
    closing = _CLOSING.get(prefix[-1], "")
    rest = rf"[^{re.escape(closing)}]*{re.escape(closing)}[{_GAP}]*" if closing else rf"[^{_GAP}]*(?:[{_GAP}]+|$)"
    label = rf"{re.escape(prefix)}{rest}"
    labels = rf"^[{_GAP}]*((?:{label})+)"
    spaces = " \t\r\v\f\0"
    one = pl.element().str.strip_prefix(prefix).str.strip_chars_end(spaces).str.strip_suffix(closing)
    for lines in read_lines(source):
        yield lines.with_columns(
            text=pl.col("text").str.replace(labels, "").str.strip_chars(spaces),
            label=pl.col("text").str.extract(labels).fill_null("").str.extract_all(label).list.eval(one),
        )


def _prefix(source: Source) -> str | None:
    """Return the prefix of the labels of a file, if it has any."""
    named = source.layout.label_prefix
    if named or _has_label(source.sample, LABEL):
        return named or LABEL
    lines = [line for line in source.sample.decode("utf-8", "replace").split("\n")[:1000] if line.strip()]
    found = Counter(match[1] for match in map(_OTHER_PREFIX.match, lines) if match).most_common(1)
    if found and len(lines) >= _FEWEST_LINES and found[0][1] >= _NEARLY_ALL * len(lines):
        return found[0][0]
    return None


def _sniff(source: Source) -> int:
    prefix = _prefix(source)
    if prefix is None:
        return 0
    if source.layout.label_prefix or _has_label(source.sample.lstrip().split(b"\n", 1)[0], prefix):
        return 100
    # fastText skips lines without a label, so a later one is enough unless the first line is a header.
    return 20


def _has_label(sample: bytes, prefix: str) -> bool:
    return re.search(rf"(?:^|[{_GAP}]){re.escape(prefix)}".encode(), sample, re.MULTILINE) is not None


def _finish(rows: Rows) -> Rows:
    frame = rows.frame
    if frame["label"].list.len().max() == 1:
        frame = frame.with_columns(frame["label"].list.first())
    return replace(rows, frame=frame, text="text", label="label")


FORMAT = Format("fasttext", (), _read, sniff=_sniff, finish=_finish)
