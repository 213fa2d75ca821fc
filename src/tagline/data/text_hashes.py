"""Hashes by which texts are recognised, the same on every machine."""

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.parallel import in_threads

Hashes = NDArray[np.uint64]

_ROWS = 4_096  # at a time


def text_hashes(texts: pl.Series) -> Hashes:
    """Return 64 bits of the BLAKE2b of each text, trimmed and lower-cased, (n,): the same on every machine."""

    def digests(part: pl.DataFrame) -> bytes:
        keys = part.to_series().str.strip_chars().str.to_lowercase().cast(pl.Binary).to_list()
        return b"".join([blake2b(key, digest_size=8).digest() for key in keys])

    found = b"".join(in_threads(digests, texts.to_frame().iter_slices(_ROWS)))
    return np.frombuffer(found, dtype="<u8").astype(np.uint64)
