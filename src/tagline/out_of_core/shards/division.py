"""The train rows divided among shards at random, by what the data and the budget are, not the cluster.

Texts are kept in files of this machine, from which a shard that is lost is built again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.out_of_core.budget import Budget
from tagline.out_of_core.spool.dataset import SpooledDataset
from tagline.out_of_core.spool.writer import part_file
from tagline.storage.atomic import write_json

_FEWEST = 16  # of small data, so that a small cluster is busy; more would only slow convergence
_STATE = "divided.json"


@dataclass(frozen=True)
class DividedTexts:
    """The files of ``n`` shards, each with the columns of `part_file`."""

    folder: Path
    n: int

    def files(self, shard: int) -> list[NDArray[np.uint8]]:
        """Return the bytes of the files of a shard."""
        return [np.fromfile(path, np.uint8) for path in sorted(self.folder.glob(f"{shard:05}-*"))]


def n_shards(text_bytes: int, budget: Budget) -> int:
    """Return how many shards there are for so much text."""
    return max(_FEWEST, -(-text_bytes // budget.shard))


def divide(dataset: SpooledDataset, seed: int, budget: Budget, step: Callable[[], None]) -> DividedTexts:
    """Divide the train rows of a dataset, and delete the files that they were in."""
    divided = DividedTexts(dataset.folder / "shards", n_shards(dataset.text_bytes, budget))
    if not (dataset.folder / _STATE).exists():
        divided.folder.mkdir(exist_ok=True)
        for left in divided.folder.iterdir():
            left.unlink()
        _write(dataset, divided, seed, budget, step)
        write_json(dataset.folder / _STATE, {"shards": divided.n})
    for number in range(dataset.n_parts):
        part_file(dataset.folder, number).unlink(missing_ok=True)
    return divided


def _write(dataset: SpooledDataset, divided: DividedTexts, seed: int, budget: Budget, step: Callable[[], None]) -> None:
    buffer: list[pl.DataFrame] = []
    n_written, last = 0, dataset.n_parts - 1
    for number in range(dataset.n_parts):
        rows = dataset.part(number)
        of_shard = np.random.default_rng((seed, number)).integers(divided.n, size=rows.height)
        buffer.append(rows.with_columns(shard=of_shard))
        if number == last or sum(int(frame["text"].str.len_bytes().sum()) for frame in buffer) >= budget.kept:
            whole = pl.concat(buffer)
            for shard in range(divided.n):
                path = divided.folder / f"{shard:05}-{n_written:06}.arrow"
                whole.filter(shard=shard).drop("shard").write_ipc(path, compression="lz4")
            buffer, n_written = [], n_written + 1
        step()
