"""Files of word vectors, read block by block: text of GloVe, word2vec and fastText, word2vec's binary, NumPy's arrays.

A vector is parsed only if its word is requested, so a file of any size takes the time of reading it and the memory of
one block.
"""

import gzip
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.errors import DataError
from tagline.task import Ints

_BLOCK = 1 << 24  # bytes read at a time
_LONGEST_WORD = 10_000  # bytes
_LONGEST_LINE = 1 << 24
_HEADER = re.compile(rb"\s*(\d+)\s+(\d+)\s*")
_FASTTEXT = (793_712_314).to_bytes(4, "little")  # the magic number of fastText models


@dataclass(frozen=True)
class Block:
    """Some words of a file, their row numbers, and a function that parses their vectors.

    ``rows``: numbers of lines, or of vectors, from 1, (n_words,). ``pick`` maps positions in this block, (k,), to
    vectors, (k, size).
    """

    words: list[str]
    rows: Sequence[int] | Ints
    pick: Callable[[Ints], NDArray[np.float32]]


def read_blocks(path: Path) -> Iterator[Block]:
    """Read a file of word vectors in the format of its suffix.

    ``.bin`` is word2vec's binary format. ``.npy`` contains vectors, and ``.txt`` with the same stem one word per line.
    ``.npz`` contains two arrays, ``words`` and ``vectors``. Other files are text: lines with a word and its numbers,
    with a header of both counts (word2vec, fastText's ``.vec``) or without (GloVe). All but ``.npz`` may be
    compressed, ``.gz``.

    Raises:
        DataError: it cannot be read, or it is damaged; the message names file and row.

    """
    kind = (path.with_suffix("") if path.suffix == ".gz" else path).suffix
    try:
        if path.suffix == ".npz":
            yield from _archive_blocks(path)
        elif kind == ".npy":
            words = path.with_name(path.name.removesuffix(".gz")).with_suffix(".txt")
            with _opened(path) as file:
                yield from array_blocks(file, words.read_text(encoding="utf-8").rstrip("\n").split("\n"), path)
        else:
            with _opened(path) as file:
                yield from _binary_blocks(file, path) if kind == ".bin" else _text_blocks(file, path)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeDecodeError) as error:
        where = getattr(error, "filename", None) or path
        raise DataError(f"`{where}` cannot be read: {getattr(error, 'strerror', None) or error}.") from None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield cast(BinaryIO, file)


def _text_blocks(file: BinaryIO, path: Path) -> Iterator[Block]:
    """Read lines with a word and its numbers; word2vec and fastText have a header, the number of words and the size."""
    first = file.readline(_LONGEST_LINE)
    promised, size, n_read = None, 0, 0
    if header := _HEADER.fullmatch(first):
        promised, size = int(header[1]), int(header[2])
        rest, line = b"", 2
    else:
        fields = first.decode("utf-8", "replace").split()
        size, rest, line = len(fields) - 1 if fields and _is_number(fields[-1]) else 0, first, 1
    if size < 1:
        raise DataError(f"`{path}`, row 1, is not a word with its numbers: is this a file of word vectors?")
    while True:
        data = file.read(_BLOCK)
        end = data.rfind(b"\n") + 1
        if end or not data:  # the last line may end without a line break
            whole, rest = rest + data[:end], data[end:]
        else:
            whole, rest = b"", rest + data
        if len(rest) > _LONGEST_LINE:
            raise DataError(
                f"`{path}` has no line breaks: is this a file of word vectors? A binary one ends in `.bin`."
            )
        text = whole.decode("utf-8", "replace").replace("\t", " ")
        lines = pl.Series("line", text.removesuffix("\n").split("\n") if text else [], dtype=pl.String)
        if len(lines):
            block = _block_of(lines, size, line, path)
            n_read += len(block.words)
            line += len(lines)
            yield block
        if not data:
            break
    if promised is not None and n_read != promised:
        raise DataError(f"`{path}` declares {promised:,} words but has {n_read:,}: download it again.")


def _block_of(lines: pl.Series, size: int, first: int, path: Path) -> Block:
    """Return the words of some lines; ``first`` is the number of the first line."""
    frame = lines.str.strip_chars_end(" \r").to_frame().with_row_index("row", first)
    frame = frame.filter(pl.col("line") != "")
    parts = pl.col("line").str.splitn(" ", 2)
    frame = frame.with_columns(
        parts.struct.field("field_0").alias("word"),
        parts.struct.field("field_1").fill_null("").alias("numbers"),
        pl.col("line").str.count_matches(" ", literal=True).alias("n"),
    )
    spaced = []
    for row, line, n in frame.filter(pl.col("n") != size).select("row", "line", "n").iter_rows():
        # Some files have "words" with spaces, which are never tokens; extra numbers mean that the file is damaged.
        if n < size or _is_number(line.split(" ")[1]):
            raise DataError(f"`{path}`, row {row:,}, has {n:,} numbers where others have {size:,}: download it again.")
        spaced.append(row)
    n_spaced = len(spaced)
    kept = frame.filter(~pl.col("row").is_in(spaced)) if n_spaced else frame
    rows, numbers = kept["row"], kept["numbers"]

    def pick(places: Ints) -> NDArray[np.float32]:
        split = numbers.gather(places).str.split(" ").explode(empty_as_null=True, keep_nulls=True)
        values = split.cast(pl.Float64, strict=False)
        if values.null_count():
            at = int(values.is_null().arg_true()[0])
            raise DataError(
                f"`{path}`, row {rows[int(places[at // size])]:,}, has `{split[at]:.40}` instead of a number."
            )
        return values.to_numpy().astype(np.float32).reshape(len(places), size)

    return Block(kept["word"].to_list() + [" "] * n_spaced, [*rows.to_list(), *spaced], pick)


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _binary_blocks(file: BinaryIO, path: Path) -> Iterator[Block]:
    """Read word2vec's binary format: the number of words and the size, then each word, a space, and its float32s."""
    first = file.readline(1000)
    if first.startswith(_FASTTEXT):
        raise DataError(f"`{path}` is a fastText model, not a file of word vectors: use its `.vec` file.")
    header = _HEADER.fullmatch(first)
    if header is None:
        raise DataError(
            f"`{path}` does not begin with the number of words and the size, as word2vec's binary format does."
        )
    promised, size = int(header[1]), int(header[2])
    width = 4 * size
    rest, n_read = b"", 0
    while n_read < promised:
        data = file.read(max(_BLOCK, width))
        buffer, at = rest + data, 0
        words: list[str] = []
        places: list[int] = []
        while n_read + len(words) < promised:
            space = buffer.find(b" ", at, at + _LONGEST_WORD)
            if space < 0 and len(buffer) - at >= _LONGEST_WORD:
                raise DataError(f"`{path}`, row {n_read + len(words) + 1:,}, is not a word: download it again.")
            if space < 0 or space + 1 + width > len(buffer):
                break
            words.append(buffer[at:space].lstrip(b"\n").decode("utf-8", "replace"))
            places.append(space + 1)
            at = space + 1 + width
        if words:
            yield Block(words, range(n_read + 1, n_read + len(words) + 1), _picker(buffer, places, size))
            n_read += len(words)
        elif not data:
            raise DataError(f"`{path}` declares {promised:,} words but ends after {n_read:,}: download it again.")
        rest = buffer[at:]
    if (rest + file.read(_BLOCK)).strip(b"\n"):
        raise DataError(f"`{path}` declares {promised:,} words but has more: download it again.")


def _picker(buffer: bytes, places: list[int], size: int) -> Callable[[Ints], NDArray[np.float32]]:
    def pick(wanted: Ints) -> NDArray[np.float32]:
        found = [np.frombuffer(buffer, "<f4", size, places[place]) for place in wanted.tolist()]
        return np.array(found, dtype=np.float32).reshape(len(found), size)

    return pick


def array_blocks(file: BinaryIO, words: list[str], path: Path) -> Iterator[Block]:
    """Read a ``.npy`` of vectors, (n_words, size), whose rows belong to ``words``.

    An array in column-major order is read into memory as a whole.
    """
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(file)
    except ValueError as error:
        raise DataError(f"`{path}` is not a readable array: {error}.") from None
    if len(shape) != 2 or shape[1] < 1 or dtype.kind != "f":
        raise DataError(f"`{path}` has {dtype} of shape {shape} instead of rows of floating-point numbers.")
    if len(words) != shape[0]:
        raise DataError(f"`{path}` has {shape[0]:,} vectors for {len(words):,} words: there must be one per word.")
    width = shape[1] * dtype.itemsize
    n_block = max(1, shape[0] if by_columns else _BLOCK // width)
    for start in range(0, shape[0], n_block):
        n = min(n_block, shape[0] - start)
        data = file.read(n * width)
        if len(data) < n * width:
            raise DataError(
                f"`{path}` ends after {start + len(data) // width:,} of {shape[0]:,} vectors: download it again."
            )
        table = np.frombuffer(data, dtype).reshape((n, shape[1]), order="F" if by_columns else "C")
        yield Block(words[start : start + n], range(start + 1, start + n + 1), _rows_of(table))


def _rows_of(table: NDArray[np.floating]) -> Callable[[Ints], NDArray[np.float32]]:
    return lambda places: table[places].astype(np.float32)


def _archive_blocks(path: Path) -> Iterator[Block]:
    """Read a ``.npz`` with the arrays ``words`` and ``vectors``."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if not {"words.npy", "vectors.npy"} <= names:
            raise DataError(f"`{path}` must have two arrays, `words` and `vectors`; it has {_named(names)}.")
        try:
            with archive.open("words.npy") as file:
                words = np.lib.format.read_array(file, allow_pickle=False)
        except ValueError as error:
            raise DataError(f"`{path}`: `words` cannot be read: {error}") from None
        if words.ndim != 1 or words.dtype.kind != "U":
            raise DataError(f"`{path}`: `words` is {words.dtype} of shape {words.shape} instead of a row of strings.")
        with archive.open("vectors.npy") as file:
            yield from array_blocks(cast(BinaryIO, file), words.tolist(), path)


def _named(files: set[str]) -> str:
    return ", ".join(f"`{name.removesuffix('.npy')}`" for name in sorted(files)) or "nothing"
