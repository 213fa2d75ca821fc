"""The table of finished trials of a sweep: one SQLite file, written by the parent process, one transaction a trial."""

import sqlite3
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import numpy as np

from tagline.errors import InputError
from tagline.task import Bools

_COLUMNS = {
    "number": "INTEGER PRIMARY KEY",
    "recipe": "TEXT NOT NULL",
    "settings": "TEXT NOT NULL",
    "seed": "INTEGER NOT NULL",
    "size": "INTEGER",
    "status": "TEXT NOT NULL CHECK (status IN ('done', 'failed'))",
    "accuracy": "REAL",
    "accuracy_low": "REAL",
    "accuracy_high": "REAL",
    "macro_f1": "REAL",
    "log_loss": "REAL",
    "learnt_from": "INTEGER",
    "best_epoch": "INTEGER",
    "epochs": "INTEGER",
    "parameters": "INTEGER",
    "seconds": "REAL",
    "right": "BLOB",
    "error": "TEXT",
    "finished": "TEXT NOT NULL",
}


@dataclass(frozen=True)
class Outcome:
    """The outcome of a trial: figures on the held-out rows, or the error message.

    ``accuracy_low`` and ``accuracy_high`` are the 95 % interval for the sampling of rows. ``learnt_from`` is the number
    of training rows. ``right`` has a bit for each held-out row, in order, eight in a byte: 1 if it was classified
    correctly.
    """

    status: str
    accuracy: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    macro_f1: float | None = None
    log_loss: float | None = None
    learnt_from: int | None = None
    best_epoch: int | None = None
    epochs: int | None = None
    parameters: int | None = None
    seconds: float | None = None
    right: bytes | None = None
    error: str | None = None

    def right_rows(self, n_rows: int) -> Bools:
        """Return whether each held-out row was classified correctly, (n_rows,)."""
        assert self.right is not None
        return np.unpackbits(np.frombuffer(self.right, dtype=np.uint8), count=n_rows).astype(bool)


class TrialTable:
    """The outcomes in a file, by number of trial; a context manager.

    Raises:
        InputError: the file is damaged.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        columns = ", ".join(f'"{name}" {kind}' for name, kind in _COLUMNS.items())
        try:
            self._connection = sqlite3.connect(path)
            with self._connection:
                self._connection.execute(f"CREATE TABLE IF NOT EXISTS trials ({columns})")
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from None

    def __enter__(self) -> "TrialTable":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def add(self, number: int, recipe: str, settings: str, seed: int, size: int | None, outcome: Outcome) -> None:
        """Write the outcome of a trial."""
        finished = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = (number, recipe, settings, seed, size, *astuple(outcome), finished)
        marks = ", ".join("?" * len(_COLUMNS))
        with self._connection:
            self._connection.execute(f"INSERT INTO trials VALUES ({marks})", row)  # noqa: S608 (of names above)

    def outcomes(self) -> dict[int, Outcome]:
        """Return the outcomes by number of trial."""
        names = [field.name for field in fields(Outcome)]
        columns = ", ".join(f'"{name}"' for name in ("number", *names))
        try:
            rows = self._connection.execute(f"SELECT {columns} FROM trials ORDER BY number").fetchall()  # noqa: S608
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from None
        return {number: Outcome(**dict(zip(names, values, strict=True))) for number, *values in rows}

    def _damaged(self, error: sqlite3.DatabaseError) -> InputError:
        return InputError(f"`{self._path}` cannot be read: {error}.")


def read_outcomes(path: Path) -> dict[int, Outcome]:
    """Read the table of a sweep.

    Raises:
        InputError: the file is damaged.

    """
    with TrialTable(path) as table:
        return table.outcomes()
