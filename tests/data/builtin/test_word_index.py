"""Words counted as Keras counted them."""

import polars as pl

from tagline.data.builtin.word_index import count_words


def test_words_are_counted_as_keras_counted_them() -> None:
    texts = pl.Series(["The film: don't, DON'T", "", "film\tthe the\n10/10", "À à A\xa0b"])
    # Equal ones as they come; capitals are A to Z alone; only ASCII white space cuts.
    ranks = {"the": 1, "film": 2, "don't": 3, "10": 4, "À": 5, "à": 6, "a\xa0b": 7}
    assert count_words(texts) == ranks
