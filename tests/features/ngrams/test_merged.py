"""Blocks of n-grams of two sets of texts, merged."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block

TOKENIZER = Tokenizer()
TEXTS = st.lists(st.text(alphabet="ab ñ.", max_size=12), min_size=1, max_size=6).filter(
    lambda t: any(map(str.strip, t))
)
MAKE = {
    "words": lambda texts: WordNgrams.fit(texts, TOKENIZER, 3, 1)[0],
    "words alone": lambda texts: WordNgrams.fit(texts, TOKENIZER, 1, 1)[0],
    "characters": lambda texts: CharNgrams.fit(texts, TOKENIZER, 2, 4, 1)[0],
}


def names(block: Block) -> list[str]:
    return block.names(np.arange(block.table.n_columns))


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@given(first=TEXTS, second=TEXTS)
def test_merged_blocks_have_the_n_grams_of_both(
    make: Callable[[pl.Series], Block], first: list[str], second: list[str]
) -> None:
    texts = pl.Series(first), pl.Series(second)
    a, b = map(make, texts)
    merged, of_a, of_b = a.merged(b)  # type: ignore[arg-type]  # both are of one kind
    merged.table.check()
    found = names(merged)
    assert sorted(found) == sorted({*names(a), *names(b)})
    assert [found[k] for k in of_a] == names(a)
    assert [found[k] for k in of_b] == names(b)
    for block, columns, known in ((a, of_a, texts[0]), (b, of_b, texts[1])):
        assert (merged.transform(known, TOKENIZER)[:, columns] != block.transform(known, TOKENIZER)).nnz == 0
