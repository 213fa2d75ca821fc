"""A finished run, or a file of predictions, among others that were measured on the same test rows."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tagline.errors import InputError
from tagline.run_folder import RunFolder
from tagline.task import Ints


@dataclass(frozen=True)
class FinishedRun:
    """A finished run or a file of predictions: its name among the others, and the predictions of the rows compared.

    ``predictions`` has the columns of ``predictions.parquet``, in the order of the first run; ``order``, (n,), are the
    places of these rows among the ``n_tested`` of the run itself, None if they are the same. ``folder`` is None for a
    file of predictions.
    """

    path: Path
    name: str
    predictions: pl.DataFrame
    classes: Sequence[str]
    n_tested: int
    folder: RunFolder | None = None
    order: Ints | None = None

    @property
    def n_left_out(self) -> int:
        """Return the number of rows that the run tested and that are not compared."""
        return self.n_tested - self.predictions.height

    @property
    def record(self) -> dict[str, Any]:
        """Return ``run.json``; empty for a file of predictions."""
        return {} if self.folder is None else self.folder.record

    @property
    def metrics(self) -> dict[str, Any]:
        """Return ``metrics.json``; empty for a file of predictions."""
        return {} if self.folder is None else self.folder.metrics

    @property
    def test(self) -> dict[str, Any]:
        """Return the fingerprints of the test rows; empty for runs older than the test ledger."""
        return {} if self.folder is None else self.folder.test

    @property
    def text_columns(self) -> list[str] | None:
        """Return the text columns; None if they are unknown."""
        facts = (self.record.get("dataset") or {}).get("facts") or {}
        return facts.get("text_columns")

    @property
    def has_probabilities(self) -> bool:
        """Whether there are probabilities, which a file of predictions may lack."""
        return any(self.has_probability(name) for name in self.classes)

    def has_probability(self, name: str) -> bool:
        """Return whether each row has a probability of the class; a label tree has those of all classes."""
        return not {f"proba:{name}", "top_1"}.isdisjoint(self.predictions.columns)

    @property
    def mistakes(self) -> list[dict[str, Any]]:
        """Return ``mistakes.json``; empty if it is damaged, or the run keeps no texts."""
        with suppress(InputError):
            return [] if self.folder is None else self.folder.mistakes
        return []
