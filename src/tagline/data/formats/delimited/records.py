"""The line reader of CSV: the grammar of RFC 4180, with line and reason of each row that cannot be read.

Beyond RFC 4180, quotes may be other characters, also typographic ones, and spaces may precede a quote.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tagline.data.formats.base import not_utf8, split_lines
from tagline.data.rows import EXCERPT_CHARS

#: A quoted field may span lines; one that has not closed after this many bytes never will.
MAX_RECORD_BYTES = 1 << 28
DELIMITERS = (",", "\t", ";", "|")
#: Typographic quotes, and those that close them.
CLOSING_QUOTES = {"“": "”", "„": "“", "«": "»"}


@dataclass(frozen=True)
class Grammar:
    """How cells are separated and quoted.

    ``escape``: inside quotes, a backslash takes the next character as it is. ``initial_space``: spaces at the
    beginning of a cell are no part of it, so that ``a, "b, c"`` has two cells (``skipinitialspace`` in Python), nor
    are those behind a closing quote.
    """

    separator: str
    quote: str | None = '"'
    escape: bool = False
    initial_space: bool = False

    @property
    def closing(self) -> str | None:
        """The quote that ends a quoted cell."""
        return None if self.quote is None else CLOSING_QUOTES.get(self.quote, self.quote)


@dataclass(frozen=True)
class Record:
    """One row; ``reason`` is why it cannot be read, or None: then ``cells`` are those that can be."""

    line: int
    cells: list[str]
    reason: str | None
    raw: str


class Lines:
    """Numbered lines without line ends, with push-back; blocks are split when they are needed."""

    def __init__(self, lines: list[bytes], blocks: Iterator[bytes] | None = None, first_line: int = 1) -> None:
        self._waiting = lines[::-1]
        self._blocks = iter(()) if blocks is None else blocks
        #: The number of the last line taken, from 1.
        self.number = first_line - 1

    def next(self) -> bytes | None:
        """Return the next line, or None at the end."""
        while not self._waiting:
            block = next(self._blocks, None)
            if block is None:
                return None
            self._waiting = split_lines(block)[::-1]
        self.number += 1
        return self._waiting.pop()

    def give_back(self, lines: list[bytes]) -> None:
        """Push lines back; the first of them is the next."""
        self._waiting.extend(reversed(lines))
        self.number -= len(lines)

    def rest(self) -> bytes:
        """Return the remaining lines of the current block."""
        return b"".join(line + b"\n" for line in reversed(self._waiting))


def read_records(
    source: Lines, grammar: Grammar, *, width: int | None = None, keep_empty: bool = False
) -> Iterator[Record]:
    """Read rows from lines, one `Record` each, bad ones included.

    A field is quoted when it *begins* with a quote; inside, a doubled quote is a quote. A row that cannot be read
    is rejected with its first line only: reading continues at the next line. ``width`` is the number of cells that a
    row must have, if it is given: then a rejected row keeps the cells in front of the one that cannot be read.
    With ``keep_empty`` a line of separators alone is a row; a blank line never is.
    """
    quote = None if grammar.quote is None else grammar.quote.encode()
    while (line := source.next()) is not None:
        if line in (b"", b"\r"):
            continue  # at once: megabytes of them are quick to send
        number = source.number
        cells: list[str] | None = None
        reason = None
        raw = line[:-1] if line.endswith(b"\r") else line
        if quote is not None and quote in line:
            raw, cells, reason = _split_quoted(line, source, grammar)
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            yield Record(number, [], not_utf8(raw, error), raw[:EXCERPT_CHARS].decode("utf-8", "replace"))
            continue
        if cells is None:
            cells = text.split(grammar.separator)
            if grammar.initial_space:
                cells = [cell.lstrip(" ") for cell in cells]
            if not any(cells) and not (keep_empty and len(cells) > 1):
                continue
        if reason is not None and width is None:
            cells = []
        if reason is None and width is not None and len(cells) != width:
            reason = f"{width} fields expected, {len(cells)} found"
        yield Record(number, cells, reason, text[:EXCERPT_CHARS])


def _split_quoted(line: bytes, source: Lines, grammar: Grammar) -> tuple[bytes, list[str], str | None]:
    """Split a row that holds quotes, taking further lines while a quoted field is open.

    Returns the bytes of the row, its cells, and the reason why it cannot be read, if any: then only the first
    line is used, with the cells that end in it, and the others are given back.
    """
    delimiter = grammar.separator.encode()
    quote, closing = (grammar.quote or "").encode(), (grammar.closing or "").encode()
    used = [line]
    size = len(line)
    cells: list[bytes] = []
    pieces: list[bytes] = []
    position, open_quote, n_in_first = 0, False, 0
    while True:
        if grammar.initial_space and not open_quote:
            while line.startswith(b" ", position):
                position += 1
        if not open_quote and not line.startswith(quote, position):
            end = line.find(delimiter, position)
            if end < 0:
                cells.append(line[position:].removesuffix(b"\r"))
                return b"\n".join(used), _decoded(cells), None
            cells.append(line[position:end])
            position = end + 1
            continue
        if not open_quote:
            open_quote, position, pieces = True, position + len(quote), []
        end = line.find(closing, position)
        if grammar.escape and (backslash := line.find(b"\\", position, len(line) if end < 0 else end)) >= 0:
            pieces.append(line[position:backslash] + line[backslash + 1 : backslash + 2])
            position = backslash + 2
            continue
        if end < 0:
            pieces.append(line[position:] + b"\n")
            if len(used) == 1:
                n_in_first = len(cells)
            following = source.next() if size < MAX_RECORD_BYTES else None
            if following is None:
                source.give_back(used[1:])
                return used[0], _decoded(cells[:n_in_first]), "a quote is opened and never closed"
            line, position = following, 0
            used.append(line)
            size += len(line)
            continue
        pieces.append(line[position:end])
        position = end + len(closing)
        if line.startswith(closing, position):
            pieces.append(closing)
            position += len(closing)
            continue
        if grammar.initial_space:
            spaces = len(line) - position - len(line[position:].lstrip(b" "))
            position += spaces
        if line.startswith(delimiter, position):
            cells.append(b"".join(pieces))
            open_quote = False
            position += 1
        elif line[position:] in (b"", b"\r"):
            cells.append(b"".join(pieces))
            return b"\n".join(used), _decoded(cells), None
        else:
            source.give_back(used[1:])
            if len(used) == 1:
                n_in_first = len(cells)
            reason = "a closing quote is followed by something other than the separator"
            return used[0], _decoded(cells[:n_in_first]), reason


def _decoded(cells: list[bytes]) -> list[str]:
    # The caller checks the encoding of the whole row.
    return [cell.decode("utf-8", "replace") for cell in cells]
