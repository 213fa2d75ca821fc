from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.compiled import COMPILED
from tagline.data.options import ReadOptions
from tagline.out_of_core import Budget, SpooledDataset, open_spool, write_spool
from tests.synthetic_texts import made_up

if not COMPILED:
    collect_ignore = ["test_fit.py", "test_shards.py", "test_train.py"]

#: So little that texts are processed in several parts, and the matrix has several blocks.
SMALL = Budget(303_000_000)


@pytest.fixture
def rows() -> pl.DataFrame:
    """Return 4,000 made-up rows of three classes, sorted by class, with words that occur once among others."""
    texts, labels = made_up(4_000, 3)
    order = np.argsort(labels, kind="stable")
    return pl.DataFrame({"text": texts, "label": labels})[order].with_columns(
        text=pl.col("text") + pl.Series([f" {'lorem ipsum ' * 40}" for _ in range(4_000)])
    )


def spooled(rows: pl.DataFrame, folder: Path, options: ReadOptions | None = None, seed: int = 0) -> SpooledDataset:
    """Return the dataset of rows that are written to a file and spooled."""
    path = folder / "rows.jsonl"
    rows.write_ndjson(path)
    options = options or ReadOptions()
    write_spool(str(path), options, seed, SMALL, folder / "work")
    return open_spool(folder / "work", options)
