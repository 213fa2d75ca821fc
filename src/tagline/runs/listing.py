"""List the runs of a folder."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tagline.errors import InputError
from tagline.run_folder import RUN, RUNS, RunFolder
from tagline.storage.atomic import recover_all


@dataclass(frozen=True)
class RunSummary:
    """One run: what was trained, or evaluated, on which data, and its main figures.

    ``evaluated`` is the model of an evaluation, ``recipe`` that of this model; None for a run that trained one.
    ``accuracy`` is of the test rows, with its 95 % interval, or None if there were none; ``rows`` counts
    train, validation and test, which after cross-validation, in so many ``folds``, are the same rows.
    """

    path: str
    name: str
    created: str
    recipe: str
    evaluated: str | None
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
        """Return the number of all rows."""
        return self.rows["train"] if self.folds else sum(self.rows.values())

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
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
        if path.name.startswith(".") or not (path / RUN).is_file():
            continue
        try:
            found.append(_summary(RunFolder(path)))
        except (InputError, KeyError, TypeError, ValueError, AttributeError):
            damaged.append(str(path))
    return sorted(found, key=lambda run: (run.created, run.name)), damaged


def _summary(run: RunFolder) -> RunSummary:
    record, metrics = run.record, run.metrics
    test = metrics["test"] or {}
    return RunSummary(
        path=str(run.path),
        name=run.path.name,
        created=record["created"],
        recipe=record["recipe"]["recipe"]["name"],
        evaluated=(record.get("evaluated") or {}).get("model"),
        dataset=record["dataset"]["name"],
        task=metrics["task"],
        rows={name: int(metrics["rows"][name]) for name in ("train", "validation", "test")},
        folds=metrics.get("folds"),
        accuracy=test.get("accuracy"),
        accuracy_ci95=test.get("accuracy_ci95"),
        macro_f1=test.get("macro_f1"),
        seconds=metrics["seconds"].get("total"),
    )
