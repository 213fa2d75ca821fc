"""Labelled texts in any number: sentences of IMDB's reviews, recombined, with fresh names and numbers.

A text has two to seven sentences from reviews of its label. Capitalised words within sentences and numbers are
replaced: names come from a vocabulary that grows with the number of texts, as Heaps' law says, so that there are always
new words; nearly no two texts are copies. Train and test texts are made of different reviews. The first rows of a large
file are the rows of a small one.

A file is written block by block, in bounded memory, by gathering the bytes of pieces of sentences with NumPy.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from peers import LABEL, normalize_text

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

CLASSES = ("neg", "pos")
BLOCK = 25_000  # rows
SENTENCES = (2, 7)
HEAPS = 0.8  # so many different names are among n: n to this power
FIRST_NAMES = 100_000  # names before the first text: their vocabulary is that of a collection
COMMON = 2.0  # how much more often early names come; 1 is evenly
TEST_SHARE = 5  # the reviews of which test texts are made: one in so many

LITERAL, NAME, NUMBER = range(3)  # kinds of pieces
SLOT = r"(?:(?<=[a-z,] )[A-Z][a-z]+|\d+)"  # a capitalised word within a sentence, or a number
SYLLABLES = np.array([(first, second) for first in b"bdfghjklmnprstvwzcqx" for second in b"aeiou"], dtype=np.uint8)
NAME_BYTES, NUMBER_BYTES = 8, 6


@dataclass(frozen=True)
class Layout:
    """A file format: what comes before and after the text of each class, and how sentences and names are written."""

    before: tuple[str, str]
    after: tuple[str, str]
    write: Callable[[pl.Series], pl.Series] = lambda texts: texts
    capital: bool = True
    header: str = ""


def _normalized(texts: pl.Series) -> pl.Series:
    return pl.select(pl.format(" {} ", normalize_text(texts).str.replace_all("|", " ", literal=True))).to_series()


LAYOUTS = {
    "csv": Layout(('"', '"'), ('",neg\n', '",pos\n'), header="text,label\n"),
    "fasttext": Layout((f"{LABEL}neg", f"{LABEL}pos"), ("\n", "\n"), _normalized, capital=False),
    "vw": Layout(("-1 |", "1 |"), ("\n", "\n"), _normalized, capital=False),
}


class Sentences:
    """Sentences of reviews as pieces: literals, and places for names and numbers.

    The units ``0`` to ``3`` are what is before and after a text of each class; those of class ``k`` follow from
    ``first[k]`` to ``first[k + 1]``.
    """

    def __init__(self, reviews: Path, *, test: bool) -> None:
        frame = pl.read_parquet(reviews, columns=["text", "label"]).with_row_index()
        held = (pl.col("index") // 2) % TEST_SHARE == 0  # reviews of one film are next to each other
        clean = pl.col("text").str.replace_all("<br />", " ").str.replace_all(r'[\n\r\t"]', " ")
        rows = (
            frame.filter(held if test else ~held)
            .select("label", s=clean.str.replace_all(r"([.!?])\s+", "$1\n").str.split("\n"))
            .explode("s")
            .with_columns(pl.col("s").str.strip_chars())
            .filter(pl.col("s").str.len_chars().is_between(15, 300))
        )
        by_class = [rows.filter(pl.col("label") == name)["s"].to_list() for name in CLASSES]
        self.first = np.cumsum([4, *map(len, by_class)])
        slot = re.compile(SLOT)
        self.literals: list[str] = []
        kinds: list[int] = []
        n_pieces = [1] * 4
        for sentence in [text for texts in by_class for text in texts]:
            before, n = 0, len(kinds)
            for found in slot.finditer(sentence):
                self.literals.append(sentence[before : found.start()])
                kinds += [LITERAL, NUMBER if found[0].isdigit() else NAME]
                before = found.end()
            self.literals.append(sentence[before:] + " ")
            kinds.append(LITERAL)
            n_pieces.append(len(kinds) - n)
        self.kind = np.array([LITERAL] * 4 + kinds, dtype=np.int8)
        self.n_pieces = np.array(n_pieces)
        self.first_piece = np.cumsum([0, *n_pieces[:-1]])

    def encoded(self, layout: Layout) -> tuple[Bytes, Ints, Ints]:
        """Return the bytes of all literals, and start and length of each piece, 0 for places, (n_pieces,) each."""
        frames = [text.encode() for text in (*layout.before, *layout.after)]
        texts = frames + [text.encode() for text in layout.write(pl.Series(self.literals)).to_list()]
        lengths = np.zeros(len(self.kind), dtype=np.int64)
        lengths[self.kind == LITERAL] = [len(text) for text in texts]
        return np.frombuffer(b"".join(texts), np.uint8), np.cumsum(lengths) - lengths, lengths


def write(path_of: dict[str, Path], reviews: Path, n_rows: int, *, test: bool = False, seed: int = 0) -> None:
    """Write ``n_rows`` texts with their labels in several formats, whose paths ``path_of`` gives."""
    sentences = Sentences(reviews, test=test)
    encoded = {name: sentences.encoded(LAYOUTS[name]) for name in path_of}
    n_names = FIRST_NAMES
    files = {name: path.open("wb") for name, path in path_of.items()}
    for name, file in files.items():
        file.write(LAYOUTS[name].header.encode())
    for block, start in enumerate(range(0, n_rows, BLOCK)):
        random = np.random.default_rng([seed, test, block])
        units = _units(sentences, min(BLOCK, n_rows - start), random)
        pieces = _ragged(sentences.first_piece[units], sentences.n_pieces[units])
        kind = sentences.kind[pieces]
        is_name, is_number = kind == NAME, kind == NUMBER
        names = _names(n_names + np.arange(is_name.sum()), random)
        numbers = (10.0 ** (random.random(is_number.sum()) * NUMBER_BYTES)).astype(np.int64)
        n_digits = 1 + np.searchsorted(10 ** np.arange(1, NUMBER_BYTES), numbers, "right")
        n_names += int(is_name.sum())
        for name, file in files.items():
            text, first, lengths = encoded[name]
            of_names, of_numbers = _name_bytes(names, capital=LAYOUTS[name].capital), _number_bytes(numbers)
            start_of, length_of = first[pieces], lengths[pieces]
            start_of[is_name] = len(text) + NAME_BYTES * np.arange(len(names))
            length_of[is_name] = 2 * _n_syllables(names)
            ends = len(text) + of_names.size + NUMBER_BYTES * np.arange(1, len(numbers) + 1)
            start_of[is_number], length_of[is_number] = ends - n_digits, n_digits
            source = np.concatenate([text, of_names.ravel(), of_numbers.ravel()])
            file.write(source[_ragged(start_of.astype(np.int32), length_of)].tobytes())
    for file in files.values():
        file.close()


def _units(sentences: Sentences, n_rows: int, random: np.random.Generator) -> Ints:
    """Return the units of some texts, one text after the other."""
    label = random.integers(0, 2, n_rows)
    n = random.integers(SENTENCES[0], SENTENCES[1] + 1, n_rows)
    of_row = np.repeat(label, n)
    sizes = np.diff(sentences.first)
    chosen = sentences.first[of_row] + (random.random(n.sum()) * sizes[of_row]).astype(np.int64)
    ends = np.cumsum(n + 2)
    units = np.empty(ends[-1], dtype=np.int64)
    inside = np.ones(len(units), dtype=bool)
    inside[ends - 1] = inside[ends - n - 2] = False
    units[inside], units[ends - n - 2], units[ends - 1] = chosen, label, 2 + label
    return units


def _names(so_far: Ints, random: np.random.Generator) -> Ints:
    """Return the numbers of names, (n,): each is drawn from those that there are among so many."""
    return (so_far**HEAPS * random.random(len(so_far)) ** COMMON).astype(np.int64)


def _n_syllables(names: Ints) -> Ints:
    return 2 + (names >= 10**4) + (names >= 10**6)


def _name_bytes(names: Ints, *, capital: bool) -> Bytes:
    """Return the letters of names, (n, 8); each number gives another name."""
    n_syllables = _n_syllables(names)
    spread = names * 7919 % 100**n_syllables  # prime to 100: near numbers have names that differ
    digits = np.stack([spread // 100**k % 100 for k in range(NAME_BYTES // 2)], axis=1)
    letters = SYLLABLES[digits].reshape(-1, NAME_BYTES)
    if capital:
        letters[:, 0] -= 32
    return letters


def _number_bytes(numbers: Ints) -> Bytes:
    """Return the digits of numbers, (n, 6), at the end of each row."""
    powers = 10 ** np.arange(NUMBER_BYTES - 1, -1, -1)
    return (48 + numbers[:, None] // powers % 10).astype(np.uint8)


def _ragged(starts: NDArray[np.integer], lengths: Ints) -> NDArray[np.integer]:
    """Return the numbers from each start on, as many as its length, one range after the other."""
    before = np.cumsum(lengths) - lengths
    total = int(lengths.sum())
    return np.repeat((starts - before).astype(starts.dtype), lengths) + np.arange(total, dtype=starts.dtype)


def main() -> None:
    """Write files: ``recombine.py REVIEWS.parquet ROWS train|test LAYOUT=PATH …``."""
    reviews, n_rows, split, *files = sys.argv[1:]
    paths = {name: Path(path) for name, _, path in (file.partition("=") for file in files)}
    write(paths, Path(reviews), int(n_rows), test=split == "test")


if __name__ == "__main__":
    main()
