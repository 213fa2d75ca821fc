"""Rows without a text or a label, which are dropped: fact ``dropped``, their number by reason."""

from collections.abc import Mapping
from typing import Any

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.wording import counted, row_place


def _inspect(data: InspectedData) -> Finding:
    warnings = [
        f"{counted(dropped.n, 'row')} left out: {dropped.reason} (first: {row_place(dropped.row, dropped.source)})."
        for dropped in data.dropped
    ]
    return Finding({"dropped": {dropped.reason: dropped.n for dropped in data.dropped}}, warnings)


def _describe(facts: Mapping[str, Any]) -> list[str]:
    return [f"{counted(n, 'row')}: {reason}" for reason, n in (facts.get("dropped") or {}).items() if n]


INSPECTION = Inspection("dropped rows", _inspect, "Left out", _describe, order=20)
