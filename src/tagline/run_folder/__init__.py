"""A run: the folder that holds a trained model and everything that was recorded and measured with it.

::

    run.json              what was trained on which data, with which settings, versions and machine
    metrics.json          figures with 95 % intervals, seconds, memory
    classes.parquet       of more than 3,000 classes: the metrics of each
    predictions.parquet   of the test rows: label, prediction, probabilities
    mistakes.json         the most confident mistakes, with attributions
    history.csv           of a network: the figures of each epoch; refit_history.csv: of the final training on all rows
    rejected.csv          rows of the data that could not be read
    copies.csv            rows whose text has several labels, or is in several splits
    trained_on.npy        hashes of the texts of the training and validation rows
    recipe.toml           of a search: the recipe it found; leaderboard.csv: all candidates
    report.html, plots/   for people
    model/                the bundle
    tensorboard/          event files, with `--track tensorboard`

Next to the runs is ``test_ledger.jsonl``, which counts how often a test set has been read.
"""

from tagline.run_folder.class_metrics import with_notable_classes
from tagline.run_folder.data import RunData
from tagline.run_folder.files import (
    CLASSES,
    EVENTS,
    FORMAT,
    LEADERBOARD,
    LEDGER,
    METRICS,
    MODEL,
    PREDICTIONS,
    RECIPE,
    RUN,
    RUNS,
)
from tagline.run_folder.folder import History, RunFolder, probabilities
from tagline.run_folder.model import load_model, model_folder, run_of_model
from tagline.run_folder.place import (
    building,
    check_foreign,
    check_parent,
    check_target,
    chosen_target,
    refusing,
    reserved,
    run_name,
)

__all__ = [
    "CLASSES",
    "EVENTS",
    "FORMAT",
    "LEADERBOARD",
    "LEDGER",
    "METRICS",
    "MODEL",
    "PREDICTIONS",
    "RECIPE",
    "RUN",
    "RUNS",
    "History",
    "RunData",
    "RunFolder",
    "building",
    "check_foreign",
    "check_parent",
    "check_target",
    "chosen_target",
    "load_model",
    "model_folder",
    "probabilities",
    "refusing",
    "reserved",
    "run_name",
    "run_of_model",
    "with_notable_classes",
]
