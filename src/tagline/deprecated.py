"""Import paths of earlier versions that the documentation named: they work, and warn."""

import sys
import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

MOVED = {
    "tagline.datasets": "tagline.data",
    "tagline.evaluation": "tagline.metrics",
    "tagline.evaluation.history_plots": "tagline.plots.history",
    "tagline.features.skip_gram": "tagline.features.vectors.skip_gram",
    "tagline.run": "tagline.runs",
    "tagline.run.settings": "tagline.runs.settings",
    "tagline.search": "tagline.experiments",
    "tagline.search.conclusion": "tagline.experiments.sweep.summary",
}


class MovedModules(MetaPathFinder, Loader):
    """Finds the modules in ``MOVED``; first of all finders, as some of their files exist under the new parent."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return a spec for a module that has moved."""
        return spec_from_loader(fullname, self, is_package=True) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the module to Python: `exec_module` replaces it."""

    def exec_module(self, module: ModuleType) -> None:
        """Put the module at its new place in the place of ``module``: the import returns what ``sys.modules`` has."""
        new = MOVED[module.__name__]
        warnings.warn(f"`{module.__name__}` has moved to `{new}`.", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = import_module(new)


def install() -> None:
    """Let the old import paths work."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())
