"""Deprecated names that the documentation or pickles of earlier versions used: they still work, with a warning."""

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # the base class does nothing, and its module takes as long to import as all of `tagline --help`

MOVED = {
    "tagline.datasets": "tagline.data",
    "tagline.evaluation": "tagline.metrics",
    "tagline.evaluation.history_plots": "tagline.plots.history",
    "tagline.features.ngram_arrays": "tagline.features.ngrams.arrays",
    "tagline.features.skip_gram": "tagline.features.vectors.skip_gram",
    "tagline.indicators": "tagline.inputs.indicators",
    "tagline.run": "tagline.runs",
    "tagline.run.settings": "tagline.runs.settings",
    "tagline.search": "tagline.experiments",
    "tagline.search.conclusion": "tagline.experiments.sweep.summary",
}


class TaglineDeprecationWarning(DeprecationWarning):
    """Something of tagline has a new name; the old one will stop working."""


def warn(message: str) -> None:
    """Warn at the first line outside tagline that led here, which Python shows in scripts and notebooks."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "tagline":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TaglineDeprecationWarning, stacklevel=level)


class MovedModules(Loader):
    """Finds the modules in ``MOVED``; first of all finders, as some of their files exist under the new parent."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return a spec for a module that has moved."""
        return ModuleSpec(fullname, self, is_package=True) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the module to Python: `exec_module` replaces it."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the module at its new place in the place of ``module``: the import returns what ``sys.modules`` has."""
        new = MOVED[module.__name__]
        warnings.warn(f"`{module.__name__}` has moved to `{new}`.", TaglineDeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = import_module(new)


def install() -> None:
    """Let the old import paths work."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())
