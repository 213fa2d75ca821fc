"""The runs of a folder, in short."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tagline.atomic import recover_all
from tagline.errors import InputError
from tagline.runs.folder import MARK, RUNS


@dataclass(frozen=True)
class RunSummary:
    """One run: what was trained on what, and the figure that people ask for.

    ``accuracy`` is of the test rows, with its 95 % interval, or None if there were none; ``rows`` counts
    train, validation and test, which after cross-validation, in so many ``folds``, are the same rows.
    """

    path: str
    name: str
    created: str
    recipe: str
    dataset: str
    task: str
    rows: dict[str, int]
    folds: int | None
    accuracy: float | None
    accuracy_ci95: list[float] | None
    macro_f1: float | None
    seconds: float | None

    @property
    def n_rows(self) -> int:
        """Return how many rows there were in all."""
        return self.rows["train"] if self.folds else sum(self.rows.values())

    def to_json(self) -> dict[str, Any]:
        """Return the summary as values that JSON knows."""
        return asdict(self)


def list_runs(parent: str | Path = RUNS) -> tuple[list[RunSummary], list[str]]:
    """Return the runs below ``parent``, oldest first, and the names of those that cannot be read.

    Raises:
        InputError: ``parent`` is not a folder.

    """
    folder = Path(parent)
    if not folder.exists() and folder == RUNS:
        return [], []
    if not folder.is_dir():
        what = "does not exist" if not folder.exists() else "is not a folder"
        raise InputError(f"`{folder}` {what}: name the folder that holds the runs.")
    recover_all(folder)
    found, damaged = [], []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not (path / MARK).is_file():
            continue
        try:
            found.append(_summary(path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            damaged.append(str(path))
    return sorted(found, key=lambda run: (run.created, run.name)), damaged


def _summary(path: Path) -> RunSummary:
    run = json.loads((path / MARK).read_text(encoding="utf-8"))
    metrics = json.loads((path / "metrics.json").read_text(encoding="utf-8"))
    test = metrics["test"] or {}
    return RunSummary(
        path=str(path),
        name=path.name,
        created=run["created"],
        recipe=run["recipe"]["recipe"]["name"],
        dataset=run["dataset"]["name"],
        task=metrics["task"],
        rows={name: int(metrics["rows"][name]) for name in ("train", "validation", "test")},
        folds=metrics.get("folds"),
        accuracy=test.get("accuracy"),
        accuracy_ci95=test.get("accuracy_ci95"),
        macro_f1=test.get("macro_f1"),
        seconds=metrics["seconds"].get("total"),
    )
