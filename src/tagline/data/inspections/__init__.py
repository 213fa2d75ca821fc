"""Inspections: what is looked for in every dataset before training.

Each module with an ``INSPECTION`` is one inspection. To add one, add a module: its facts reach ``run.json``, its
warnings the terminal and the report, its lines the report.
"""

from importlib import import_module
from pkgutil import iter_modules

from tagline.data.inspections.base import Finding, InspectedData, Inspection

__all__ = ["INSPECTIONS", "Finding", "InspectedData", "Inspection"]

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
_FOUND = [module.INSPECTION for module in _MODULES if hasattr(module, "INSPECTION")]
#: Every inspection by its name, in the order of its facts and warnings.
INSPECTIONS: dict[str, Inspection] = {one.name: one for one in sorted(_FOUND, key=lambda one: (one.order, one.name))}
