"""The distinct cells of label columns, numbered as they come, so that rows on disk have a number in place of labels.

What a cell means depends on all of them: see `tagline.data.labels`. So labels are read when all rows have been.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data.frames import concat
from tagline.data.labels import LabelOptions, Labels, read_labels, unify_labels
from tagline.errors import DataError
from tagline.task import Ints

Codes = NDArray[np.int32]

_MOST_CELLS = 200_000
_MOST_ROWS = 200_000  # that stand for all when labels are read
_NULL = "\0null"


class LabelCells:
    """Numbers the cells of label columns."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._codes: dict[str, int] = {}
        self._frames: list[pl.DataFrame] = []

    def codes(self, cells: pl.DataFrame, place: pl.DataFrame) -> Codes:
        """Return the number of each row of cells, (n_rows,).

        Raises:
            DataError: there are more different ones than a column of labels has.

        """
        columns = [f"label{i}" for i in range(cells.width)]
        cells.columns = columns
        plain = cells.width == 1 and cells.dtypes[0] == pl.String
        keys = cells[columns[0]] if plain else cells.select(pl.struct(pl.all()).struct.json_encode()).to_series()
        keys = keys.fill_null(_NULL)
        first = keys.is_first_distinct().arg_true()
        known = keys.gather(first).to_list()
        n_before = len(self._codes)
        for key in known:
            self._codes.setdefault(key, len(self._codes))
        new = [row for row, key in zip(first, known, strict=True) if self._codes[key] >= n_before]
        if new:
            self._frames.append(cells[new].hstack(place[new]))
        if len(self._codes) > _MOST_CELLS:
            raise DataError(
                f"`{self._source}`: the label column has more than {_MOST_CELLS:,} different values: choose another "
                "with `--label`."
            )
        return keys.replace_strict(known, [self._codes[key] for key in known], return_dtype=pl.Int32).to_numpy()

    def frame(self) -> pl.DataFrame:
        """Return the cells by number, and the ``file`` and ``line`` where each occurs first."""
        return concat(self._frames)


@dataclass(frozen=True, eq=False)
class CellLabels:
    """The labels of each number, String or List(String), (n_cells,), null for none; and what was found in them."""

    values: pl.Series
    read: Labels
    unified: Labels


def labels_of(
    cells: pl.DataFrame, counts: Ints, columns: Sequence[str], source: str, options: LabelOptions
) -> CellLabels:
    """Read the labels of distinct cells, of which each occurs ``counts`` times, (n_cells,).

    Cells are repeated in proportion, as what a column of labels is may depend on how often its values occur.
    """
    share = min(1.0, _MOST_ROWS / max(1, int(counts.sum())))
    times = np.maximum(1, np.rint(counts * share)).astype(np.int64)
    rows = np.repeat(np.arange(len(times)), times)
    repeated = cells[rows]
    place = repeated.select(pl.col("file").cast(pl.Categorical), pl.col("line").cast(pl.UInt32))
    frame = repeated.drop("file", "line")
    frame.columns = list(columns)
    read = read_labels(frame, columns, source, options, place)
    unified = unify_labels(read.values.alias("label"), options)
    return CellLabels(unified.values[np.cumsum(times) - times], read, unified)
