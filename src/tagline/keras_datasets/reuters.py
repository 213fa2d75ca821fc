"""The Reuters newswires as lists of word ids, as returned by ``keras.datasets.reuters``."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data.builtin import reuters
from tagline.data.builtin.archives import find_file
from tagline.data.builtin.download import fetch
from tagline.features.sequences import INDEX_FROM
from tagline.keras_datasets.npz import read_npz
from tagline.keras_datasets.ragged import Ragged, labels_of, nothing_left, refuse_unknown
from tagline.task import Ints

Split = tuple[NDArray[np.object_], Ints]
_ARGUMENTS = ("path", "num_words", "skip_top", "maxlen", "test_split", "seed", "start_char", "oov_char", "index_from")
#: The topics in the order of their first appearance in the files, which numbers the classes.
_TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str | Path = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **unknown: object,
) -> tuple[Split, Split]:
    """Return ``(x_train, y_train), (x_test, y_test)`` like Keras's function.

    Reads Keras's ``.npz`` at ``path``, or of that name in `TAGLINE_DATA`, Keras's folder or the cache folder; otherwise
    the texts of the built-in data set ``reuters`` if they are there; otherwise downloads the file.
    From the texts, stories, order and labels are Keras's; without Keras's word index the words are counted, and equally
    frequent words may have other ranks.

    Args:
        path: Keras's file, or its name.
        num_words: ids of this size or more become ``oov_char``. As in Keras, None means the largest id, which is
            thus replaced too.
        skip_top: smaller ids become ``oov_char``.
        maxlen: keep only newswires with fewer ids, including the start.
        test_split: the share of the remaining newswires, at the end, that is the test set.
        seed: of the shuffle.
        start_char: the first id of every newswire; None for no start.
        oov_char: replaces ids outside ``skip_top`` to ``num_words``; None removes them.
        index_from: added to the rank of every word; the most frequent has rank 1.
        unknown: other arguments raise `TypeError`.

    Returns:
        For each split an object array of lists of ids, (n,), and its labels, int64, (n,): places in
        ``get_label_names()``.

    Raises:
        InputError: a `ValueError`; no newswire is shorter than ``maxlen``.
        DataError: what was found cannot be read or is not whole.
        DownloadError: nothing was found, and it cannot be downloaded.
    """
    refuse_unknown(unknown, _ARGUMENTS)
    ranks, y = _ranks(path)
    order = np.arange(len(y))
    np.random.RandomState(seed).shuffle(order)
    x, y = ranks.take(order).marked(start_char, index_from), y[order]
    if maxlen:
        kept = np.flatnonzero(x.lengths < maxlen)
        if not len(kept):
            raise nothing_left(maxlen)
        x, y = x.take(kept), y[kept]
    lists = x.limited(num_words or int(x.ids.max(initial=0)), skip_top, oov_char).to_array()
    n_train = int(len(lists) * (1 - test_split))
    return (lists[:n_train], y[:n_train]), (lists[n_train:], y[n_train:])


def _ranks(path: str | Path) -> tuple[Ragged, Ints]:
    """Return ranks and labels, unshuffled."""
    file = find_file(reuters.ARRAYS, "reuters21578", path)
    if file is None and reuters.find_reuters():
        table = reuters.read_in_file_order()
        numbers = {topic: number for number, topic in enumerate(_TOPICS)}
        y = table["label"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
        return Ragged.of_texts(table["text"], reuters.read_word_index()), y
    file = file or fetch(reuters.ARRAYS)
    arrays = read_npz(file, ["x", "y"])
    ranks = Ragged.of_lists(arrays["x"], file)
    return ranks, labels_of(arrays["y"], len(ranks.lengths), file)


def get_word_index(path: str | Path = "reuters_word_index.json") -> dict[str, int]:
    """Return the rank of each of the 30,979 words, 1 the most frequent; the id of a word is its rank + 3.

    ``path`` is Keras's file, or its name in the folders of ``load_data``. Where it is not, the ranks are those
    that ``load_data`` counts from the texts, or the file is downloaded. Raises `DataError` if it is not such an index.
    """
    return reuters.read_word_index(path)


def get_label_names() -> tuple[str, ...]:
    """Return the 46 topics; the label of a newswire is the index of its topic."""
    return _TOPICS


def decode_newswire(ids: Iterable[int]) -> str:
    """Return the words of a newswire loaded with the default ids, `?` for reserved ids."""
    words = _words()
    return " ".join(words.get(int(number) - INDEX_FROM, "?") for number in ids)


@cache
def _words() -> dict[int, str]:
    return {rank: word for word, rank in get_word_index().items()}
