"""Texts and labels with control characters, which are kept."""

import re

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.wording import row_place

CONTROL_CHARACTERS = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"


def _inspect(data: InspectedData) -> Finding:
    odd = [name for name in data.classes if re.search(CONTROL_CHARACTERS, name)]
    are = "1 label contains" if len(odd) == 1 else f"{len(odd):,} labels contain"
    labels = [f"{are} control characters, which are kept, such as {odd[0]!r}."] if odd else []
    control = data.table["text"].str.contains(CONTROL_CHARACTERS)
    n = int(control.sum())
    if not n:
        return Finding(warnings=labels)
    what = "text contains" if n == 1 else "texts contain"
    place = row_place(data.table, control.arg_max() or 0)
    return Finding(warnings=[*labels, f"{n:,} {what} control characters, which are kept (first: {place})."])


INSPECTION = Inspection("control characters", _inspect, order=80)
