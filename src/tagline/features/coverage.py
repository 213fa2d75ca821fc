"""Coverage: the share of the n-grams of a text that a vocabulary knows."""

import numpy as np
import scipy.sparse as sp

from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.tokenizer import Tokens
from tagline.task import Floats, Ints


def coverage(block: WordNgrams | CharNgrams, counts: sp.csr_matrix, tokens: Tokens) -> Floats:
    """Return the share of the n-grams of each text that are known, (n_texts,); 0 for a text without any.

    Args:
        block: the n-grams, of all orders that have columns.
        counts: those of the texts, (n_texts, n_columns).
        tokens: those of the same texts.

    """
    n_known = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
    return np.asarray(n_known / np.maximum(count_ngrams(block, tokens), 1))


def count_ngrams(block: WordNgrams | CharNgrams, tokens: Tokens) -> Ints:
    """Return how many n-grams each text has, known or not, (n_texts,)."""
    orders = range(block.table.min_n, len(block.table.keys) + 2)
    if isinstance(block, WordNgrams):
        return _starts(tokens.lengths, orders)
    of_words = _starts(tokens.values.str.len_chars().to_numpy().astype(np.int64) + 2, orders)  # and two spaces
    ends = np.cumsum(tokens.lengths)
    total = np.concatenate([[0], np.cumsum(of_words)])
    return np.asarray(total[ends] - total[ends - tokens.lengths])


def _starts(lengths: Ints, orders: range) -> Ints:
    """Return how many n-grams of some orders sequences of these lengths have, (n,)."""
    return np.asarray(np.sum([np.maximum(lengths - order + 1, 0) for order in orders], axis=0))
