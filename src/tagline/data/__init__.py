"""Labelled texts: read from files, folders, Python objects and built-in sets, checked, and split."""

from tagline.data.builtin.catalog import BUILT_IN, BuiltIn
from tagline.data.dataset import Dataset, Split, load_dataset, read_dataset
from tagline.data.inspections.facts import Facts
from tagline.data.options import ReadOptions
from tagline.data.reading import FileLayout, ReadLog
from tagline.data.rows import Rejected
from tagline.data.sources.files import Batch, read_texts

__all__ = [
    "BUILT_IN",
    "Batch",
    "BuiltIn",
    "Dataset",
    "Facts",
    "FileLayout",
    "ReadLog",
    "ReadOptions",
    "Rejected",
    "Split",
    "load_dataset",
    "read_dataset",
    "read_texts",
]
