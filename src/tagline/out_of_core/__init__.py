"""Linear SVMs of word n-grams, trained on files that are larger than memory.

Rows are read once, and those to learn from are kept on disk (`spool`). Their n-grams are counted exactly, by external
aggregation (`vocabulary`), encoded once, as blocks of rows on disk (`matrix`), and learned from by block minimisation
(`descent`). Each stage ends with a file that says so, from which a stopped training resumes.

With an engine of many machines the train rows are divided among shards there, which count, encode and learn; counts,
scales and coefficients come together here (`shards`).
"""

from tagline.out_of_core.budget import Budget, parse_memory, return_freed_arrays
from tagline.out_of_core.recipe import check_recipe
from tagline.out_of_core.spool.dataset import SpooledDataset, open_spool
from tagline.out_of_core.spool.writer import is_spooled, write_spool

__all__ = [
    "Budget",
    "SpooledDataset",
    "check_recipe",
    "is_spooled",
    "open_spool",
    "parse_memory",
    "return_freed_arrays",
    "write_spool",
]
