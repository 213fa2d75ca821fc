"""Many fits on the same data: sweeps over settings, and tuning within a time budget."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagline.experiments.sweep.results import Results
    from tagline.experiments.sweep.run import Sweep, SweepSettings, resume_sweep, run_sweep
    from tagline.experiments.tune.run import TuneSettings, resume_tune, tune_run

# Imported on first use: a sweep does not need Optuna.
_HOMES = {
    "Results": "sweep.results",
    "Sweep": "sweep.run",
    "SweepSettings": "sweep.run",
    "TuneSettings": "tune.run",
    "resume_sweep": "sweep.run",
    "resume_tune": "tune.run",
    "run_sweep": "sweep.run",
    "tune_run": "tune.run",
}
__all__ = ["Results", "Sweep", "SweepSettings", "TuneSettings", "resume_sweep", "resume_tune", "run_sweep", "tune_run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"tagline.experiments.{_HOMES[name]}"), name)
