"""Texts with control characters, which are kept."""

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.wording import row_place

CONTROL_CHARACTERS = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"


def _inspect(data: InspectedData) -> Finding:
    control = data.table["text"].str.contains(CONTROL_CHARACTERS)
    n = int(control.sum())
    if not n:
        return Finding()
    what = "text contains" if n == 1 else "texts contain"
    place = row_place(data.table, control.arg_max() or 0)
    return Finding(warnings=[f"{n:,} {what} control characters, which are kept (first: {place})."])


INSPECTION = Inspection("control characters", _inspect, order=80)
