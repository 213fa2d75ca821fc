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
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.spooled import SpooledDataset
from tagline.out_of_core.vocabulary import CountedNgrams, symbols_of
from tagline.parallel import ahead
from tagline.sparse import csr
from tagline.storage.atomic import write_json

_STATE, _WEIGHED = "encoded.json", "weighed.json"
_ENTRY_BYTES = 8  # column and value


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

    def _rows(self, number: int, values: str) -> sp.csr_matrix:
        """Return the rows of a block with the ``"values"`` or, while it is weighed, the ``"counts"``."""
        lengths = self._array(number, "lengths", np.int32)
        ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        columns = self._array(number, "columns", np.int32)
        return csr(self._array(number, values, np.float32), columns, ends, (len(lengths), self.n_columns))

    def _array(self, number: int, name: str, dtype: type[np.generic]) -> NDArray[Any]:
        return np.fromfile(_file(self.folder, number, name), dtype=dtype)


def encode(
    dataset: SpooledDataset, counted: CountedNgrams, seed: int, budget: Budget, step: Callable[[], None]
) -> BlockMatrix:
    """Write the counts of n-grams of all train rows, and delete what they were counted from."""
    folder = dataset.folder / "matrix"
    state = _read_json(dataset.folder / _STATE)
    if not state:
        folder.mkdir(exist_ok=True)
        for left in folder.iterdir():
            left.unlink()
        state = _write(dataset, counted, seed, budget, folder, step)
        write_json(dataset.folder / _STATE, state)
    for pattern in ("texts-*", "symbols-*", "ends-*"):
        for path in dataset.folder.glob(pattern):
            path.unlink()
    return BlockMatrix(folder, counted.n_columns, **state)


def _write(
    dataset: SpooledDataset,
    counted: CountedNgrams,
    seed: int,
    budget: Budget,
    folder: Path,
    step: Callable[[], None],
) -> dict[str, int]:
    table = counted.block().table
    n_entries, n_rows = sum(int(df.sum()) for df in counted.df), 0
    n_blocks = 1 + n_entries * _ENTRY_BYTES // budget.block
    for number in range(dataset.n_parts):
        symbols, ends = symbols_of(dataset.folder, number, len(counted.tokens))
        counts = table.count(symbols, ends)
        rows = dataset.part(number).drop("text")
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
        step()
    return {"n_blocks": n_blocks, "n_rows": n_rows, "n_entries": n_entries}


def _file(folder: Path, block: int, name: str) -> Path:
    return folder / f"{block:05}.{name}"


def _read_json(path: Path) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
