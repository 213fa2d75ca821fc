"""Names of the files of a run, and the format of ``run.json``."""

from pathlib import Path
from typing import Any

from tagline.bundle import OF_RUN

RUNS = Path("runs")
FORMAT = 1
RUN, METRICS, PREDICTIONS, MISTAKES = "run.json", "metrics.json", "predictions.parquet", "mistakes.json"
HISTORY, REFIT_HISTORY, TRAINED_ON = "history.csv", "refit_history.csv", "trained_on.npy"
REJECTED, COPIES = "rejected.csv", "copies.csv"
CLASSES, RECIPE, LEADERBOARD, REPORT = "classes.parquet", "recipe.toml", "leaderboard.csv", "report.html"
PLOTS, MODEL, EVENTS = "plots", OF_RUN, "tensorboard"
LEDGER = "test_ledger.jsonl"
FILES = {
    *(RUN, METRICS, CLASSES, PREDICTIONS, MISTAKES, HISTORY, REFIT_HISTORY),
    *(REJECTED, COPIES, TRAINED_ON, RECIPE, LEADERBOARD, REPORT),
}
KEYS = {"format", "name", "created", "recipe", "dataset"}  # of run.json

Json = dict[str, Any]
