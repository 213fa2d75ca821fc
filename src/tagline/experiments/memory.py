"""How many processes can fit side by side without running out of memory."""

from collections.abc import Sequence
from pathlib import Path

from tagline.data import Dataset
from tagline.parallel import cores
from tagline.recipes import Recipe

# Bytes of a process before there are texts, and for each byte of text: somewhat more than IMDB was seen to take.
_NETWORK_BYTES, _NGRAM_BYTES = 500e6, 300e6
_NETWORK_FACTOR, _NGRAM_FACTOR = 8, 40


def processes_for(dataset: Dataset, recipes: Sequence[Recipe]) -> int:
    """Return how many processes fit side by side: one a core, fewer where memory would not do."""
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
    """Return the memory that is free, or None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        (line,) = (line for line in lines if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
