"""Which texts a model was trained on, as hashes: enough to recognise a text, not to read one."""

from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data import Dataset
from tagline.runs.folder import TRAINED_ON

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


def save_trained_on(path: Path, dataset: Dataset) -> None:
    """Write the hashes of the texts of training as a NumPy array, little-endian."""
    np.save(path, training_hashes(dataset).astype("<u8"), allow_pickle=False)


def read_trained_on(run: Path) -> Hashes | None:
    """Return what `save_trained_on` wrote in a run folder, None if there is none or it is damaged."""
    try:
        hashes = np.load(run / TRAINED_ON, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return hashes if isinstance(hashes, np.ndarray) and hashes.dtype == np.uint64 else None


def count_seen(texts: pl.Series, hashes: Hashes) -> int:
    """Count the texts whose hash is among ``hashes``."""
    return int(np.isin(text_hashes(texts), hashes).sum())
