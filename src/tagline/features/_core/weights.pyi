import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]

def count_rows(ends: Ints, indices: Ids, rows: Ints, first: int, last: int, df: Ints) -> None: ...
def count_known(
    ends: Ints, indices: Ids, rows: Ints, first: int, last: int, known: NDArray[np.uint8], counts: Ints
) -> None: ...
def add_squared_ratios(
    ends: Ints,
    indices: Ids,
    rows: Ints,
    class_ends: Ints,
    first: int,
    last: int,
    df: Ints,
    logs: Doubles,
    shifts: Doubles,
    squares: Doubles,
) -> None: ...
def weigh(
    ends: Ints,
    indices: Ids,
    counts: Singles,
    rows: Ints,
    first: int,
    last: int,
    scale: Singles,
    frequencies: Doubles,
    unit: bool,
    places: Ints,
    weights: Singles | Doubles,
) -> None: ...
def copy_columns(
    ends: Ints,
    indices: Ids,
    rows: Ints,
    first: int,
    last: int,
    offset: int,
    places: Ints,
    columns: Ids,
) -> None: ...
