"""What earlier versions wrote, and comparisons with it, floats within a tolerance."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent
EXPECTED = GOLDEN / "expected"
OLD_NAMES = pytest.mark.filterwarnings("ignore::tagline.deprecated.TaglineDeprecationWarning")
ABOUT_TIME = {"seconds", "peak_rss_mb", "ms_per_text", "texts_per_second", "fit_seconds", "dominated_by"}
ADDED = {"reason"}  # columns of predictions that came later
HALF_OF_4_DECIMALS = 5.001e-5


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def without(content: Any, keys: set[str]) -> Any:
    """Return JSON without some keys, wherever they stand."""
    if isinstance(content, dict):
        return {key: without(value, keys) for key, value in content.items() if key not in keys}
    return [without(value, keys) for value in content] if isinstance(content, list) else content


def without_intervals(content: Any) -> Any:
    """Return JSON without intervals and chance levels, which later versions compute in other ways."""
    if isinstance(content, dict):
        return {
            key: without_intervals(value) for key, value in content.items() if not key.endswith(("_ci95", "_chance"))
        }
    return [without_intervals(value) for value in content] if isinstance(content, list) else content


def same(found: Any, expected: Any, tolerance: float, place: str = "") -> None:
    """Assert that two JSON values are equal, floats within a tolerance."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), place
        assert sorted(found) == sorted(expected), place
        for key, value in expected.items():
            same(found[key], value, tolerance, f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list), place
        assert len(found) == len(expected), place
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            same(one, other, tolerance, f"{place}[{number}]")
    elif isinstance(expected, float):
        assert math.isclose(found, expected, rel_tol=0, abs_tol=tolerance), f"{place}: {found} is not {expected}"
    else:
        assert (type(found), found) == (type(expected), expected), place


def table(text: str) -> list[dict[str, Any]]:
    """Return the rows of CSV, with floats where there are any."""

    def value(cell: str) -> Any:
        return float(cell) if "." in cell and cell.replace(".", "").replace("e-", "").isdigit() else cell

    return [{name: value(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]
