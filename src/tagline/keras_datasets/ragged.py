"""`Ragged`: lists of word ids of different lengths as two arrays, shared by both data sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data.builtin.word_index import historical_words
from tagline.errors import DataError, InputError, nearest
from tagline.features.sequences import Sequences, WordIndex
from tagline.parallel import in_threads
from tagline.task import Ints

_BATCH = 2048  # texts looked up together by one thread


@dataclass(frozen=True, eq=False)
class Ragged:
    """Concatenated lists: ``ids``, int64, (n_ids,), and the length of each list, ``lengths``, (n,)."""

    ids: Ints
    lengths: Ints

    @staticmethod
    def of_lists(lists: list[Any], source: object) -> "Ragged":
        """Return lists of ranks read from a file; raises `DataError` for other values."""
        try:
            found = Sequences.of(lists)
        except InputError as error:
            raise DataError(f"`{source}` does not contain lists of word ranks: {error}") from error
        return Ragged(found.ids.astype(np.int64), found.lengths)

    @staticmethod
    def of_texts(texts: pl.Series, ranks: Mapping[str, int]) -> "Ragged":
        """Return the ranks of the words of each text; words without a rank are skipped, as in Keras's files."""
        index = WordIndex.of(ranks)

        def batch(part: pl.Series) -> tuple[Ints, Ints]:
            words = historical_words(part)
            lengths = words.list.len().to_numpy()
            found = index.ranks(words.explode(empty_as_null=False, keep_nulls=False))
            known = found > 0
            rows = np.repeat(np.arange(len(part)), lengths)[known]
            return found[known].astype(np.int64), np.bincount(rows, minlength=len(part))

        parts = in_threads(batch, [texts.slice(start, _BATCH) for start in range(0, len(texts), _BATCH)])
        return Ragged(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))

    def take(self, rows: NDArray[Any]) -> "Ragged":
        """Return the lists of ``rows``, in that order."""
        lengths = self.lengths[rows]
        begins = (np.cumsum(self.lengths) - self.lengths)[rows]
        places = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
        return Ragged(self.ids[places], lengths)

    def marked(self, start_char: int | None, index_from: int | None) -> "Ragged":
        """Return the lists with ``index_from`` added to every rank, and ``start_char`` in front of each list."""
        ids = self.ids + (index_from or 0)
        if start_char is None:
            return Ragged(ids, self.lengths)
        begins = np.cumsum(self.lengths) - self.lengths
        return Ragged(np.insert(ids, begins, start_char), self.lengths + 1)

    def limited(self, num_words: int, skip_top: int, oov_char: int | None) -> "Ragged":
        """Return the lists with ids outside [skip_top, num_words) replaced by ``oov_char``, or removed if None."""
        kept = (self.ids >= skip_top) & (self.ids < num_words)
        if oov_char is not None:
            return Ragged(np.where(kept, self.ids, oov_char), self.lengths)
        rows = np.repeat(np.arange(len(self.lengths)), self.lengths)[kept]
        return Ragged(self.ids[kept], np.bincount(rows, minlength=len(self.lengths)))

    def to_array(self) -> NDArray[np.object_]:
        """Return an object array of lists, (n,)."""
        array = np.empty(len(self.lengths), dtype=object)
        array[:] = Sequences(self.ids, self.lengths).to_lists()  # type: ignore[arg-type]
        return array


def labels_of(labels: list[Any], n: int, source: object) -> Ints:
    """Return the class numbers read from a file, (n,); raises `DataError` for other values."""
    found = np.array(labels)
    if found.shape != (n,) or found.dtype.kind not in "iu":
        raise DataError(f"`{source}` does not contain a class number for each of its {n:,} texts.")
    return found.astype(np.int64)


def refuse_unknown(unknown: Mapping[str, object], known: tuple[str, ...]) -> None:
    """Raise `TypeError` for the first unknown argument, with the nearest known one."""
    for name in unknown:
        if name == "nb_words":
            raise TypeError("`load_data` has no argument `nb_words`: it is called `num_words` since Keras 2.")
        raise TypeError(f"`load_data` has no argument `{name}`.{nearest(name, known)}")


def nothing_left(maxlen: int) -> InputError:
    """Return the error for a ``maxlen`` that removes every text."""
    return InputError(f"No text is shorter than `maxlen={maxlen}`, including its start: increase `maxlen`.")
