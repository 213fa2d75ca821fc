"""Words as Keras counted them for its IMDB and Reuters sets, and the files with their ranks."""

import json
from pathlib import Path

import polars as pl

from tagline.errors import DataError

#: Characters that separate words; all others belong to words, including apostrophes and other white space.
SEPARATORS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n '
_PATTERN = "[^" + "".join(rf"\x{{{ord(char):x}}}" for char in SEPARATORS) + "]+"
_UPPER = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
# Trap: Keras made its files from byte strings, whose lower-casing covers A to Z only; `À` is in its index.
_LISTS = pl.col("text").str.replace_many(_UPPER, [char.lower() for char in _UPPER]).str.extract_all(_PATTERN)


def historical_words(texts: pl.Series) -> pl.Series:
    """Return the words of each text, List(String), (n_texts,), split as in Keras's files."""
    return texts.to_frame("text").select(_LISTS).to_series()


def count_words(texts: pl.Series) -> dict[str, int]:
    """Return the words of ``texts`` with their ranks, the most frequent first, ties by first occurrence."""
    words = historical_words(texts).explode(empty_as_null=False, keep_nulls=False).alias("word").to_frame()
    counted = words.with_row_index("first").group_by("word").agg(pl.len(), pl.col("first").min())
    ranked = counted.sort(["len", "first"], descending=[True, False])["word"]
    return {word: rank for rank, word in enumerate(ranked, 1)}


def parse_word_index(content: bytes, source: Path) -> dict[str, int]:
    """Return the words with their ranks of a JSON object; raise `DataError` for any other content."""
    try:
        found = json.loads(content)
    except ValueError as error:
        raise DataError(f"`{source}` is not JSON ({error}): put Keras's word index there, or remove it.") from error
    if not isinstance(found, dict) or not all(type(rank) is int for rank in found.values()):
        raise DataError(f"`{source}` is not a word index: it should be a JSON object of words and their ranks.")
    return found
