"""Made-up labelled rows for the tests of data."""

from pathlib import Path

import polars as pl

LONG = "a text that is long enough to be one; number"


def rows(n: int = 40, classes: int = 2) -> list[tuple[str, str]]:
    return [(f"{LONG} {i}", f"c{i % classes}") for i in range(n)]


def frame(n: int = 40, classes: int = 2) -> pl.DataFrame:
    return pl.DataFrame(rows(n, classes), ["text", "label"], orient="row")


def write(path: Path, data: pl.DataFrame) -> Path:
    data.write_csv(path)
    return path
