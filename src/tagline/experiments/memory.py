"""How many workers fit into memory."""

from collections.abc import Sequence
from pathlib import Path

from tagline.data import Dataset
from tagline.parallel import cores
from tagline.recipes import Recipe

# Memory of a process without texts in bytes, and per byte of text: somewhat more than measured on IMDB.
_NETWORK_BYTES, _NGRAM_BYTES = 500e6, 300e6
_NETWORK_FACTOR, _NGRAM_FACTOR = 8, 40


def processes_for(dataset: Dataset, recipes: Sequence[Recipe]) -> int:
    """Return the number of workers: one per core, fewer if memory is short."""
    available = _available_bytes()
    if available is None:
        return cores()
    parts = (dataset.train, dataset.validation)
    n_bytes = sum(int(part.texts.str.len_bytes().sum()) for part in parts if part is not None)
    return max(1, min(cores(), int(available // max(_needed(recipe, n_bytes) for recipe in recipes))))


def _needed(recipe: Recipe, n_bytes: int) -> float:
    if recipe.training is not None:
        return _NETWORK_BYTES + _NETWORK_FACTOR * n_bytes
    return _NGRAM_BYTES + _NGRAM_FACTOR * n_bytes


def _available_bytes() -> float | None:
    """Return the available memory, or None if the system does not report it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        (line,) = (line for line in lines if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
