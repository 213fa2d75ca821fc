"""Tokens of texts as numbers, and texts in batches."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.compiled import COMPILED
from tagline.features.ngrams.counting import Ids
from tagline.features.tokenizer import Tokenizer
from tagline.parallel import in_threads
from tagline.task import Ints

if COMPILED:
    from tagline.features.token_ids import intern

_BATCH = 2048  # texts tokenized and looked up together by one thread


def is_compiled(tokenizer: Tokenizer) -> bool:
    """Return whether compiled code splits texts by this tokenizer, which may be a Python function."""
    return COMPILED and type(tokenizer) is Tokenizer


def tokens_as_codes(texts: pl.Series, tokenizer: Tokenizer) -> tuple[Ids, Ints, pl.Series]:
    """Return the tokens of texts as codes, (n_tokens,), where each text ends, and the token of each code.

    Codes are dense; without the compiled core their order is not deterministic, as threads assign them.
    """
    if is_compiled(tokenizer):
        return intern(texts, tokenizer)
    kind = pl.Categorical(pl.Categories.random())

    def batch(part: pl.Series) -> tuple[pl.Series, Ints]:
        tokens = tokenizer.tokenize(part)
        return tokens.values.cast(kind), tokens.lengths

    parts = in_threads(batch, batches(texts))
    tokens = pl.concat([part[0] for part in parts], rechunk=True) if parts else pl.Series(dtype=kind)
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(part[1] for part in parts)])
    codes = tokens.to_physical().to_numpy()
    somewhere = np.full(int(codes.max()) + 1 if len(codes) else 0, -1, dtype=np.int64)
    somewhere[codes] = np.arange(len(codes))
    used = somewhere >= 0  # polars leaves gaps between the codes that its threads assign
    dense = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return dense[codes], ends_of(lengths), tokens.gather(somewhere[used]).cast(pl.String)


def ends_of(lengths: Ints) -> Ints:
    """Return where each text starts and the last one ends, (n_texts + 1,), given the tokens per text."""
    return np.concatenate([[0], np.cumsum(lengths)])


def batches(texts: pl.Series) -> list[pl.Series]:
    """Return the texts in batches of `_BATCH`."""
    return [texts.slice(start, _BATCH) for start in range(0, len(texts), _BATCH)]


def stack(parts: Sequence[sp.csr_matrix], n_columns: int) -> sp.csr_matrix:
    """Return the rows of batches in one matrix, (n_texts, n_columns)."""
    if len(parts) == 1:
        return parts[0]
    return sp.vstack(parts, format="csr") if parts else sp.csr_matrix((0, n_columns), dtype=np.float32)
