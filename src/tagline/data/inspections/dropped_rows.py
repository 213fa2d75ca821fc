"""Rows without a text or a label, which are dropped: fact ``dropped``, their number by reason."""

from collections.abc import Mapping
from typing import Any

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.wording import counted
from tagline.key_findings import KeyFinding, Kind


def _inspect(data: InspectedData) -> Finding:
    n_rows = data.n_rows + sum(dropped.n for dropped in data.dropped)
    key = []
    for dropped in data.dropped:
        were = "was" if dropped.n == 1 else "were"
        sentence = f"{counted(dropped.n, 'row')} {were} left out: {dropped.reason} (first: {dropped.first})."
        key.append(KeyFinding(Kind.ROWS_LEFT_OUT, sentence, dropped.n / n_rows))
    return Finding({"dropped": {dropped.reason: dropped.n for dropped in data.dropped}}, key=key)


def _describe(facts: Mapping[str, Any]) -> list[str]:
    return [f"{counted(n, 'row')}: {reason}" for reason, n in (facts.get("dropped") or {}).items() if n]


INSPECTION = Inspection("dropped rows", _inspect, "Left out", _describe, order=20)
