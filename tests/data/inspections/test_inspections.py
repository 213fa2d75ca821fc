"""An inspection in the registry reaches the facts of a dataset, the warnings and the report."""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.data.inspections import INSPECTIONS, Finding, InspectedData, Inspection
from tagline.data.inspections.text_lengths import text_lengths
from tagline.report.sections.data import data_facts

ROWS = [(f"text number {i}", "pos" if i % 2 else "neg") for i in range(40)]


def count_capitals(data: InspectedData) -> Finding:
    n = int(data.table["text"].str.contains(r"^\p{Lu}+$").sum())
    return Finding({"capitals": n}, [f"{n} texts in capitals."])


def describe_capitals(facts: Mapping[str, Any]) -> list[str]:
    return [f"{facts['capitals']} texts in capitals"] if "capitals" in facts else []


def test_a_new_inspection_needs_nothing_but_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INSPECTIONS, "capitals", Inspection("capitals", count_capitals, "Style", describe_capitals))
    data = load_dataset([*ROWS, ("SHOUTED", "pos")])
    facts = json.loads(json.dumps(data.facts.to_json()))
    assert facts["capitals"] == 1
    assert "1 texts in capitals." in data.facts.warnings
    section = data_facts({"dataset": {"facts": facts}}, {})
    assert {"title": "Style", "lines": ["1 texts in capitals"]} in section["inspections"]


def test_facts_keep_the_names_that_runs_record() -> None:
    facts = load_dataset(ROWS).facts.to_json()
    assert set(facts) == {
        "rows_read",
        "text_columns",
        "label_column",
        "label_columns",
        "label_separator",
        "chosen",
        "split",
        "official",
        "dropped",
        "duplicates",
        "lengths",
        "class_counts",
        "rejected_rows",
        "rejected",
        "warnings",
    }


def test_lengths_are_in_characters() -> None:
    found = text_lengths(pl.Series(["é", "ab", "日本語", "x" * 10]))
    assert found == {"mean": 4.0, "median": 2.5, "p95": 10.0, "max": 10.0}
