"""The third stage: the features of the train rows, encoded once, as blocks of random rows on disk.

Rows are divided among the blocks at random, as block minimisation converges slowly where a block holds one class.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features.weighting import TermFrequency, weigh_blocks
from tagline.models.linear import _products
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.out_of_core.vocabulary.text_parts import TextParts
from tagline.parallel import ahead, checkpoint, row_ranges
from tagline.sparse import csr
from tagline.storage.atomic import write_json
from tagline.task import Bools, Floats, Ints

_STATE, _WEIGHED = "encoded.json", "weighed.json"
_FOLDER = "matrix"
ENTRY_BYTES = 8  # column and value
_ENTRIES = 1 << 22  # that are counted in one call


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows: their features, (n_rows, n_columns), label codes, (n_rows,), and weights, (n_rows,)."""

    number: int
    X: sp.csr_matrix
    codes: NDArray[np.int32]
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class BlockMatrix:
    """A matrix on disk; ``n_rows`` and ``n_entries`` are those of all blocks."""

    folder: Path
    n_columns: int
    n_blocks: int
    n_rows: int
    n_entries: int

    def read(self, number: int) -> Block:
        """Return a block."""
        codes, weights = self._array(number, "codes", np.int32), self._array(number, "weights", np.float64)
        return Block(number, self._rows(number, "values"), codes, weights)

    def blocks(self, order: Sequence[int] | None = None) -> Iterator[Block]:
        """Yield the blocks, reading the next one meanwhile."""
        return ahead(map(self.read, range(self.n_blocks) if order is None else order))

    def weigh(self, scale: NDArray[np.float32], tf: TermFrequency, *, unit: bool, step: Callable[[], None]) -> None:
        """Replace the counts by features; see `tagline.features.weighting.weigh_blocks`."""
        done = _read_json(self.folder / _WEIGHED).get("blocks", 0)
        for number in range(done, self.n_blocks):
            path = _file(self.folder, number, "values")
            counts = _file(self.folder, number, "counts")
            if not counts.exists():
                path.rename(counts)
            weigh_blocks([self._rows(number, "counts")], [scale], tf, unit=unit, dtype=np.float32).data.tofile(path)
            write_json(self.folder / _WEIGHED, {"blocks": number + 1})
            counts.unlink()
            step()

    def keep_used_columns(self) -> NDArray[np.int32]:
        """Leave out the columns without entries from the files; return the others, (n_used,), sorted."""
        used = np.zeros(self.n_columns, dtype=bool)
        for number in range(self.n_blocks):
            used[self._array(number, "columns", np.int32)] = True
        new = np.cumsum(used, dtype=np.int32) - np.int32(1)
        for number in range(self.n_blocks):
            new[self._array(number, "columns", np.int32)].tofile(_file(self.folder, number, "columns"))
        return np.flatnonzero(used).astype(np.int32)

    def column_sums(self, Y: Bools) -> Floats:
        """Return the weight of the rows of each class that have a column, (n_classes, n_columns).

        ``Y`` is the class matrix of the label codes, (n_codes, n_classes).
        """
        sums = np.zeros((Y.shape[1], self.n_columns))
        for block in self.blocks():
            for classes, weights in _one_by_one(block, Y):
                ends = block.X.indptr.astype(np.int64)
                for first, last in row_ranges(ends, _ENTRIES):
                    _products.add_class_counts(ends, block.X.indices, block.X.data, classes, weights, first, last, sums)
                    checkpoint()
        return sums

    def total_weight(self) -> float:
        """Return the weight of all rows."""
        return sum(float(block.weights.sum()) for block in self.blocks())

    def _rows(self, number: int, values: str) -> sp.csr_matrix:
        """Return the rows of a block with the ``"values"`` or, while it is weighed, the ``"counts"``."""
        lengths = self._array(number, "lengths", np.int32)
        ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        columns = self._array(number, "columns", np.int32)
        return csr(self._array(number, values, np.float32), columns, ends, (len(lengths), self.n_columns))

    def _array(self, number: int, name: str, dtype: type[np.generic]) -> NDArray[Any]:
        return np.fromfile(_file(self.folder, number, name), dtype=dtype)


def encode(parts: TextParts, counted: CountedNgrams, seed: int, n_blocks: int, step: Callable[[], None]) -> BlockMatrix:
    """Write the counts of n-grams of all rows as ``n_blocks``, and remove what they were counted from."""
    if not (parts.folder / _STATE).exists():
        folder = parts.folder / _FOLDER
        folder.mkdir(exist_ok=True)
        for left in folder.iterdir():
            left.unlink()
        write_json(parts.folder / _STATE, _write(parts, counted, seed, n_blocks, folder, step))
    parts.remove()
    return open_matrix(parts.folder, counted.n_columns)


def open_matrix(folder: Path, n_columns: int) -> BlockMatrix:
    """Return the matrix that `encode` wrote."""
    return BlockMatrix(folder / _FOLDER, n_columns, **_read_json(folder / _STATE))


def _write(
    parts: TextParts,
    counted: CountedNgrams,
    seed: int,
    n_blocks: int,
    folder: Path,
    step: Callable[[], None],
) -> dict[str, int]:
    table = counted.block().table
    n_rows = n_entries = 0
    for number in range(parts.n):
        symbols, ends = parts.symbols(number, len(counted.tokens))
        counts = table.count(symbols, ends)
        rows = parts.read(number).drop("text")
        codes, weights = rows["code"].to_numpy(), rows["weight"].fill_null(1.0).to_numpy()
        of_block = np.random.default_rng((seed, number)).integers(n_blocks, size=len(codes))
        for block in range(n_blocks):
            chosen = np.flatnonzero(of_block == block)
            X = counts[chosen]
            for name, array in (
                ("columns", X.indices.astype(np.int32, copy=False)),
                ("values", X.data),
                ("lengths", np.diff(X.indptr).astype(np.int32)),
                ("codes", codes[chosen]),
                ("weights", weights[chosen]),
            ):
                with _file(folder, block, name).open("ab") as file:
                    file.write(array.tobytes())
        n_rows += len(codes)
        n_entries += counts.nnz
        step()
    return {"n_blocks": n_blocks, "n_rows": n_rows, "n_entries": n_entries}


def _one_by_one(block: Block, Y: Bools) -> list[tuple[Ints, Floats]]:
    """Return classes and weights of the rows of a block, (n_rows,) each, as often as a row has classes."""
    rest = Y.copy()
    found = []
    while rest.any():
        first, has = rest.argmax(axis=1), np.asarray(rest.any(axis=1))
        found.append((first[block.codes], np.where(has[block.codes], block.weights, 0.0)))
        rest[np.arange(len(rest)), first] = False
    return found


def _file(folder: Path, block: int, name: str) -> Path:
    return folder / f"{block:05}.{name}"


def _read_json(path: Path) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
