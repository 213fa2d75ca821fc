"""The settings of a run, and where it reports to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tagline.data import ReadOptions
from tagline.decisions.costs import CostMatrix

if TYPE_CHECKING:
    from tagline.runs.tracking.callbacks import TrainingProgress, VectorProgress

Log = Callable[[str], None]


@dataclass(frozen=True)
class StepProgress:
    """``done`` of ``total`` steps of a fit of n-grams, or texts of a prediction; no step is worth a line of its own."""

    stage: str
    done: int
    total: int
    epoch_ended: bool = False

    def words(self) -> str:
        """Return the stage."""
        return self.stage


Progress = Callable[["StepProgress | TrainingProgress | VectorProgress"], None]


@dataclass(frozen=True)
class TrainSettings(ReadOptions):
    """The settings of a run and the options of its data; the names are those of the command line.

    ``folds``: None for the default, which is cross-validation where there are few rows and no official splits (see
    `tagline.data.splits.folds_for_few`) and otherwise test rows; 0 for test rows. ``unlabelled`` is a file of texts
    without labels, from which a network's word vectors are learned first. ``texts`` False leaves every text of the
    data out of run, report and bundle, except for the vocabulary; ``track`` names trackers of
    `tagline.runs.tracking`. ``memory``, such as ``"1GB"``, is the most that the process may take: data that needs
    more is trained on out of core, see `tagline.out_of_core`. ``costs``, ``precision`` and ``recall`` are those of
    `TextClassifier`. ``from_model`` is the folder of a run or model to continue with the rows of the data.
    """

    recipe: str | Path = "fast"
    settings: tuple[str, ...] = ()
    seed: int = 0
    unlabelled: str | Path | None = None
    positive: str | None = None
    threshold: float | None = None
    costs: CostMatrix | None = None
    precision: Mapping[str, float] | None = None
    recall: Mapping[str, float] | None = None
    balance: bool = False
    memory: str | None = None
    texts: bool = True
    track: tuple[str, ...] = ()
    from_model: str | Path | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return settings from JSON values; see `ReadOptions.from_json`."""
        costs = content.get("costs")
        return super().from_json({**content, "costs": None if costs is None else CostMatrix.from_json(costs)})


@dataclass(frozen=True)
class Observer:
    """Where a run reports to.

    Attributes:
        log: called with the name of each stage.
        progress: called while a model is trained, and while it predicts.
        warn: called with a sentence when a tracker fails, which does not stop the run.

    """

    log: Log = lambda stage: None
    progress: Progress = lambda progress: None
    warn: Log = lambda sentence: None
