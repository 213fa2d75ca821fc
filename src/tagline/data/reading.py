"""What the user says of how a file is written, and what a reader found out about it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from tagline.data.rows import Rejected
from tagline.data.wording import counted
from tagline.errors import InputError


@dataclass(frozen=True)
class FileLayout:
    """How a text file is written; None is detected.

    ``separator`` and ``quote`` are those of CSV: one ASCII character each, and ``quote`` may be empty for none.
    ``label_prefix`` begins the labels of a fastText file.
    """

    encoding: str | None = None
    separator: str | None = None
    quote: str | None = None
    label_prefix: str | None = None

    def __post_init__(self) -> None:
        if self.separator is not None and (len(self.separator) != 1 or not self.separator.isascii()):
            raise InputError(f"The separator must be one ASCII character, not `{self.separator}`.")
        if self.quote and (len(self.quote) != 1 or not self.quote.isascii()):
            raise InputError(f"The quote must be one ASCII character, or empty for none, not `{self.quote}`.")
        if self.separator and self.separator == self.quote:
            raise InputError(f"`{self.quote}` cannot be both separator and quote.")
        if self.label_prefix is not None and not self.label_prefix.strip():
            raise InputError("The label prefix must not be empty.")


DETECT = FileLayout()


@dataclass(eq=False)
class ReadLog:
    """What a reader found: rows that cannot be read, and notes for the user; of CSV, how it is written.

    ``encoding`` is the detected one of a file that is not UTF-8, ``marked_encoding`` that of its byte order mark.
    ``table_line``: where the table begins, if lines above it are not read; ``first_line`` is that of the first row of a
    streamed file, from 1.
    ``lines``, UInt32, are the lines of the rows of a file that is read whole, in parts; empty where a row has no line.
    ``part_lines`` are those of the last part of a streamed file; None where a row has no line.
    ``n_surrogates`` counts the lone surrogates of JSON that were replaced.
    ``share_read`` returns the share of the file that has been read, from 0 to 1; None if its size is not known.
    """

    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    encoding: str | None = None
    separator: str | None = None
    byte_order_mark: bool = False
    marked_encoding: str | None = None
    table_line: int | None = None
    first_line: int | None = None
    lines: list[pl.Series] = field(default_factory=list)
    part_lines: pl.Series | None = None
    n_surrogates: int = 0
    share_read: Callable[[], float] | None = None

    def note_surrogates(self, name: str) -> None:
        """Note the lone surrogates that were replaced in a file."""
        if self.n_surrogates:
            found = counted(self.n_surrogates, "lone surrogate")
            self.notes.append(f"`{name}`: {found}, of characters cut in half, replaced by U+FFFD.")
