"""Many fits on the same data: a grid of experiments, and a search within a time budget."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagline.search.results import Results
    from tagline.search.sweep import Sweep, SweepSettings, resume_sweep, run_sweep

__all__ = ["Results", "Sweep", "SweepSettings", "resume_sweep", "run_sweep"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    home = "tagline.search.results" if name == "Results" else "tagline.search.sweep"
    return getattr(import_module(home), name)
