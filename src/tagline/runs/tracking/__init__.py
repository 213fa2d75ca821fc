"""Experiment tracking: log parameters, figures and the report of a run to MLflow or TensorBoard.

::

    with tracked(["mlflow"], kept=None, warn=print) as tracking:
        tracking.start("my-run", {"model.kind": "nb-linear"})
        tracking.epoch(1, {"loss": 0.3, "val_loss": 0.4})
        tracking.finish(metrics, folder)

A tracker implements `Tracker`; a new one is a row in `TRACKERS`.
"""

from tagline.runs.tracking.figures import Parameter, flat_figures, flat_parameters
from tagline.runs.tracking.tracker import TRACKERS, Tracker, Tracking, check_trackers, tracked

__all__ = [
    "TRACKERS",
    "Parameter",
    "Tracker",
    "Tracking",
    "check_trackers",
    "flat_figures",
    "flat_parameters",
    "tracked",
]
