import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]

def count_texts(ids: Ids, ends: Ints, first: int, last: int, last_text: Ids, df: Ints) -> None: ...
def count_prefixes(
    prefixes: Ids, symbols: Ids, ends: Ints, first: int, last: int, order: int, n_symbols: int, counts: Ints
) -> None: ...
def count_buckets(
    prefixes: Ids, symbols: Ids, ends: Ints, first: int, last: int, order: int, bucket_of: Ids, counts: Ints
) -> None: ...
def fill_buckets(
    prefixes: Ids,
    symbols: Ids,
    ends: Ints,
    first: int,
    last: int,
    order: int,
    n_symbols: int,
    bucket_of: Ids,
    low: int,
    high: int,
    places: Ints,
    occurrences: Ints,
) -> None: ...
def count_keys(
    occurrences: Ints,
    starts: Ints,
    first: int,
    last: int,
    min_df: int,
    most_keys: Ints,
    places: Ints,
    keys: Ints,
    n_kept: Ints,
) -> None: ...
def number_keys(occurrences: Ints, starts: Ints, first: int, last: int, offsets: Ints, ids: Ids) -> None: ...
