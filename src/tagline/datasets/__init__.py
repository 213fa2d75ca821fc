"""Labelled texts: read from files, folders, Python objects and built-in sets, checked, and split."""

from tagline.datasets.catalog import BUILT_IN, BuiltIn
from tagline.datasets.dataset import Dataset, Split, load_dataset
from tagline.datasets.facts import Facts
from tagline.datasets.files import Batch, read_texts
from tagline.datasets.rows import Rejected

__all__ = [
    "BUILT_IN",
    "Batch",
    "BuiltIn",
    "Dataset",
    "Facts",
    "Rejected",
    "Split",
    "load_dataset",
    "read_texts",
]
