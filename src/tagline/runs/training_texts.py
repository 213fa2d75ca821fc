"""Which texts a model was trained on, as hashes: enough to recognise a text, not to read one."""

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data import Dataset

Hashes = NDArray[np.uint64]


def text_hashes(texts: pl.Series) -> Hashes:
    """Return 64 bits of the BLAKE2b of each text, trimmed and lower-cased, (n,): the same on every machine."""
    keys = texts.str.strip_chars().str.to_lowercase()
    digests = b"".join([blake2b(key.encode(), digest_size=8).digest() for key in keys])
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def training_hashes(dataset: Dataset) -> Hashes:
    """Return the sorted hashes of all texts that training sees: the rows of train and validation."""
    parts = [part.texts for part in (dataset.train, dataset.validation) if part is not None]
    return np.unique(text_hashes(pl.concat(parts)))


def count_seen(texts: pl.Series, hashes: Hashes) -> int:
    """Count the texts whose hash is among ``hashes``."""
    return int(np.isin(text_hashes(texts), hashes).sum())
