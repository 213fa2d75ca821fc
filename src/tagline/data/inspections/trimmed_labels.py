"""Labels that had spaces around them."""

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.wording import counted


def _inspect(data: InspectedData) -> Finding:
    n = int(data.table["trimmed"].sum())
    return Finding(warnings=[f"Spaces around the label were trimmed in {counted(n, 'row')}."] if n else [])


INSPECTION = Inspection("trimmed labels", _inspect, order=10)
