"""The test ledger: a line in `test_ledger.jsonl`, next to the runs, for each evaluation of a model on a test set.

The more models are evaluated on one test set, the likelier one of them looks better by chance. So evaluations are
counted, by a fingerprint of the rows, before any metric is computed. A training that fails before it reads the test
rows leaves no line; one that is stopped afterwards and resumed leaves two.

A ledger that cannot be written does not stop the run, but gives a warning.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tagline.data import Dataset, Split
from tagline.metrics.comparison.mcnemar import assumed_discordance, smallest_difference
from tagline.metrics.intervals.shares import ALPHA
from tagline.run_folder import LEDGER
from tagline.storage.atomic import append_file
from tagline.storage.locks import lock

Command = Literal["train", "evaluate", "tune"]


@dataclass(frozen=True)
class Fingerprint:
    """Hashes of the rows of a test split, in hexadecimal, and their number.

    ``unordered`` does not depend on the order of the rows: a shuffled file is the same test set. ``ordered`` does.
    """

    unordered: str
    ordered: str
    rows: int

    def to_json(self) -> dict[str, Any]:
        """Return ``test`` of ``run.json``."""
        return {"fingerprint": self.unordered, "ordered": self.ordered, "rows": self.rows}


@dataclass(frozen=True)
class Entry:
    """A reader of a test set: the command, the name of the data, and the run, or the run of the model.

    ``folds``: the number of folds in cross-validation.
    """

    command: Command
    dataset: str
    run: str
    folds: int | None = None


@dataclass(frozen=True)
class Looks:
    """A reading of a test set: how often it has been read so far, this time included, and warnings."""

    test: Fingerprint
    times: int
    warnings: tuple[str, ...] = ()


def rows_measured(dataset: Dataset) -> Split | None:
    """Return the rows that a run is measured on: the test split; in cross-validation all rows."""
    return dataset.test if dataset.folds is None else dataset.train


def fingerprint(split: Split) -> Fingerprint:
    """Return the fingerprints of the rows of a split, made of 128 bits of the BLAKE2b of each text with its labels."""
    labels = split.labels
    if isinstance(labels.dtype, pl.List):
        labels = labels.list.sort().list.join("\0")
    texts = split.texts.cast(pl.Binary).to_list()
    digests = [_row_digest(text, label) for text, label in zip(texts, labels, strict=True)]
    unordered, ordered = (blake2b(b"".join(rows), digest_size=16).hexdigest() for rows in (sorted(digests), digests))
    return Fingerprint(unordered, ordered, len(digests))


def _row_digest(text: bytes, label: str) -> bytes:
    return blake2b(b"%d\0%b\0%b" % (len(text), text, label.encode()), digest_size=16).digest()


def record_reading(folder: Path, entry: Entry, split: Split) -> Looks:
    """Record that a model is about to read these test rows, and return how often they have been read so far.

    Args:
        folder: The folder that holds the runs; made if it is missing.
        entry: The reader.
        split: The rows.

    """
    test = fingerprint(split)
    line = {
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "test": test.unordered,
        "rows": test.rows,
        "dataset": entry.dataset,
        "run": entry.run,
        "command": entry.command,
        **({} if entry.folds is None else {"folds": entry.folds}),
    }
    path = folder / LEDGER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(path, create=True):
            content = path.read_bytes()
            _append(path, content, line)
    except OSError as error:
        warning = (
            f"`{path}` cannot be written ({error.strerror or error}): this reading of the test set is not counted."
        )
        return Looks(test, looks(folder, test.unordered) + 1, (warning,))
    return Looks(test, _count(content, test.unordered) + 1)


def looks(folder: Path, unordered: str) -> int:
    """Return how often the test set of a fingerprint has been read by runs of a folder; 0 where there is no ledger."""
    try:
        return _count((folder / LEDGER).read_bytes(), unordered)
    except OSError:
        return 0


def what_counts(test: dict[str, Any], times: int) -> dict[str, Any]:
    """Return ``test_looks`` and ``smallest_difference`` as ``metrics.json`` holds them.

    The smallest difference in accuracy, in points (hundredths), by which another of the models that have read these
    rows must differ from this one to be more than chance: by McNemar's test, with 5 % divided by the number of
    readings, and `assumed_discordance`.

    Args:
        test: The block of the test rows; where they form units, its effective number of rows counts.
        times: How often the rows have been read.

    """
    discordance = assumed_discordance(test["accuracy"])
    least = smallest_difference(test.get("n_effective", test["n"]), discordance, times)
    return {
        "test_looks": times,
        "smallest_difference": {
            "points": None if least is None else round(100 * least, 4),
            "test": "McNemar, mid-p",
            "alpha": ALPHA,
            "comparisons": times,
            "assumed_discordance": round(discordance, 6),
        },
    }


def _append(path: Path, content: bytes, line: dict[str, Any]) -> None:
    """Append a line, after terminating an incomplete line that a killed process left."""
    text = json.dumps(line, ensure_ascii=False) + "\n"
    lacking = b"\n" if content and not content.endswith(b"\n") else b""
    append_file(path, lacking + text.encode("utf-8", "replace"))


def _count(content: bytes, unordered: str) -> int:
    """Count the readings of a test set; incomplete lines do not count."""
    return sum(_test_of(line) == unordered for line in content.splitlines())


def _test_of(line: bytes) -> Any:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return read.get("test") if isinstance(read, dict) else None
