"""The IMDB reviews as lists of word ids, as returned by ``keras.datasets.imdb``."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data.builtin import imdb
from tagline.data.builtin.archives import find_file
from tagline.data.builtin.download import fetch
from tagline.features.sequences import INDEX_FROM
from tagline.keras_datasets.npz import read_npz
from tagline.keras_datasets.ragged import Ragged, labels_of, nothing_left, refuse_unknown
from tagline.task import Ints

Split = tuple[NDArray[np.object_], Ints]
_ARGUMENTS = ("path", "num_words", "skip_top", "maxlen", "seed", "start_char", "oov_char", "index_from")


def load_data(
    path: str | Path = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **unknown: object,
) -> tuple[Split, Split]:
    """Return ``(x_train, y_train), (x_test, y_test)``, the same ids as Keras's function.

    Reads Keras's ``.npz`` at ``path``, or of that name in `TAGLINE_DATA`, Keras's folder or the cache folder; otherwise
    the texts of the built-in data set ``imdb`` if they are there; otherwise downloads the file.

    Args:
        path: Keras's file, or its name.
        num_words: ids of this size or more become ``oov_char``. As in Keras, None means the largest id, which is
            thus replaced too.
        skip_top: smaller ids become ``oov_char``.
        maxlen: keep only reviews with fewer ids, including the start.
        seed: of the shuffle, first train, then test.
        start_char: the first id of every review; None for no start.
        oov_char: replaces ids outside ``skip_top`` to ``num_words``; None removes them.
        index_from: added to the rank of every word; the most frequent has rank 1.
        unknown: other arguments raise `TypeError`.

    Returns:
        For each split an object array of lists of ids, (n,), and its labels, int64, (n,): 1 positive, 0 negative.

    Raises:
        InputError: no review of a split is shorter than ``maxlen``; also a `ValueError`.
        DataError: the file or the texts cannot be read or are incomplete.
        DownloadError: nothing was found, and the download failed.
    """
    refuse_unknown(unknown, _ARGUMENTS)
    generator = np.random.RandomState(seed)
    splits = []
    for ranks, y in _ranks(path):
        order = np.arange(len(y))
        generator.shuffle(order)
        x, y = ranks.take(order).marked(start_char, index_from), y[order]
        if maxlen:
            kept = np.flatnonzero(x.lengths < maxlen)
            if not len(kept):
                raise nothing_left(maxlen)
            x, y = x.take(kept), y[kept]
        splits.append((x, y))
    limit = num_words or max(int(x.ids.max(initial=0)) for x, _ in splits)
    (x_train, y_train), (x_test, y_test) = splits
    return (
        (x_train.limited(limit, skip_top, oov_char).to_array(), y_train),
        (x_test.limited(limit, skip_top, oov_char).to_array(), y_test),
    )


def _ranks(path: str | Path) -> list[tuple[Ragged, Ints]]:
    """Return train and test, ranks and labels, unshuffled."""
    file = find_file(imdb.ARRAYS, "imdb", path)
    if file is None and imdb.find_imdb():
        frame = imdb.read_by_name().frame.filter(pl.col("split").is_in(imdb.SPLITS))
        ranks = Ragged.of_texts(frame["text"], imdb.read_word_index())
        y = (frame["label"] == "pos").cast(pl.Int64).to_numpy()
        places = [(frame["split"] == split).arg_true().to_numpy() for split in imdb.SPLITS]
        return [(ranks.take(rows), y[rows]) for rows in places]
    file = file or fetch(imdb.ARRAYS)
    arrays = read_npz(file, [f"{of}_{split}" for split in imdb.SPLITS for of in ("x", "y")])
    found = []
    for split in imdb.SPLITS:
        ranks = Ragged.of_lists(arrays[f"x_{split}"], file)
        found.append((ranks, labels_of(arrays[f"y_{split}"], len(ranks.lengths), file)))
    return found


def get_word_index(path: str | Path = "imdb_word_index.json") -> dict[str, int]:
    """Return the rank of each of the 88,584 words of the train reviews, 1 the most frequent.

    ``path`` is Keras's file, or its name in the folders of ``load_data``; it is downloaded if missing.
    The id of a word is its rank + 3. Raises `DataError` if the file is not a word index.
    """
    return imdb.read_word_index(path)


def decode_review(ids: Iterable[int]) -> str:
    """Return the words of a review loaded with the default ids, `?` for reserved ids."""
    words = _words()
    return " ".join(words.get(int(number) - INDEX_FROM, "?") for number in ids)


@cache
def _words() -> dict[int, str]:
    return {rank: word for word, rank in get_word_index().items()}
