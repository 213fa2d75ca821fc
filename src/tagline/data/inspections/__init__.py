"""Inspections: what is looked for in every dataset before training.

Each module with an ``INSPECTION`` is one inspection. To add one, add a module: its facts reach ``run.json``, its
warnings the terminal and the report, its lines the report.
"""

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.registry import load_entries

__all__ = ["INSPECTIONS", "Finding", "InspectedData", "Inspection"]

_FOUND: list[Inspection] = load_entries(__name__, "INSPECTION")
#: Every inspection by its name, in the order of its facts and warnings.
INSPECTIONS: dict[str, Inspection] = {one.name: one for one in sorted(_FOUND, key=lambda one: (one.order, one.name))}
