import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]

def sort_texts(ids: Ids, ends: Ints, first: int, last: int, n_ids: int, n_known: Ints, n_distinct: Ints) -> None: ...
def write_rows(
    ids: Ids,
    ends: Ints,
    first: int,
    last: int,
    n_known: Ints,
    offset: int,
    places: Ints,
    indices: Ids,
    counts: Singles,
) -> None: ...
def count_products(
    word_ends: Ints,
    words: Ids,
    ngram_ends: Ints,
    ngrams: Ids,
    first: int,
    last: int,
    df: Ints,
    lengths: Ints,
) -> None: ...
def write_products(
    word_ends: Ints,
    words: Ids,
    word_counts: Singles,
    ngram_ends: Ints,
    ngrams: Ids,
    ngram_counts: Singles,
    first: int,
    last: int,
    n_ngrams: int,
    ends: Ints,
    indices: Ids,
    counts: Singles,
) -> None: ...
