"""Rows that could not be read: facts ``rejected_rows``, their number, and ``rejected``, place and reason of each."""

from collections.abc import Mapping
from typing import Any

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.wording import counted
from tagline.key_findings import KeyFinding, Kind


def _inspect(data: InspectedData) -> Finding:
    rejected = data.rejected
    places = [{"file": row.file, "line": row.line, "reason": row.reason} for row in rejected]
    key = []
    if rejected:
        first = rejected[0]
        sentence = (
            f"{counted(len(rejected), 'row')} could not be read; "
            f"the first is `{first.file}` line {first.line}: {first.reason}."
        )
        share = len(rejected) / (data.n_rows + len(rejected))
        key.append(KeyFinding(Kind.UNREADABLE_ROWS, sentence, share))
    return Finding({"rejected_rows": len(rejected), "rejected": places}, key=key)


def _describe(facts: Mapping[str, Any]) -> list[str]:
    n = facts.get("rejected_rows") or 0
    return [f"{counted(n, 'row')} could not be read"] if n else []


INSPECTION = Inspection("rejected rows", _inspect, "Left out", _describe, order=30)
