"""What a run is told beside its data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainSettings:
    """What a run is told beside its data; the names are those of the command line.

    ``unlabelled`` is a file of texts without labels, from which a network's word vectors are learnt before it.
    ``texts`` False leaves every text of the data out of run, report and bundle beyond the vocabulary; ``track`` names
    the loggers of `tagline.runs.tracking`.
    """

    recipe: str | Path = "fast"
    settings: tuple[str, ...] = ()
    seed: int = 0
    text: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None
    test: Any = None
    validation: Any = None
    unlabelled: str | Path | None = None
    folds: int | None = None
    positive: str | None = None
    threshold: float | None = None
    balance: bool = False
    strict: bool = False
    texts: bool = True
    track: tuple[str, ...] = ()
