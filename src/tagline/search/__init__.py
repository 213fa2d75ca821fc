"""Many fits on the same data: a grid of experiments, and a search within a time budget."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagline.search.results import Results
    from tagline.search.sweep import Sweep, SweepSettings, resume_sweep, run_sweep
    from tagline.search.tune import TuneSettings, resume_tune, tune_run

# Where each is: nothing is imported before it is asked for, as a sweep has no need of Optuna.
_HOMES = {
    "Results": "results",
    "Sweep": "sweep",
    "SweepSettings": "sweep",
    "TuneSettings": "tune",
    "resume_sweep": "sweep",
    "resume_tune": "tune",
    "run_sweep": "sweep",
    "tune_run": "tune",
}
__all__ = ["Results", "Sweep", "SweepSettings", "TuneSettings", "resume_sweep", "resume_tune", "run_sweep", "tune_run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    return getattr(import_module(f"tagline.search.{_HOMES[name]}"), name)
