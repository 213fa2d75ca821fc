"""A training run: read, fit, measure, explain, write the run folder; and what can be done with one afterwards."""

from tagline.run.evaluation import Evaluation, evaluate_model
from tagline.run.listing import RunSummary, list_runs
from tagline.run.model_folder import load_model
from tagline.run.prediction import Output, predict_file, predict_texts
from tagline.run.train import Run, TrainSettings, train_run

__all__ = [
    "Evaluation",
    "Output",
    "Run",
    "RunSummary",
    "TrainSettings",
    "evaluate_model",
    "list_runs",
    "load_model",
    "predict_file",
    "predict_texts",
    "train_run",
]
