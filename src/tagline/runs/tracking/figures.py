"""Nested settings and figures under the flat names that trackers expect."""

import json
from collections.abc import Mapping
from typing import Any

Parameter = str | int | float | bool


def flat_parameters(settings: Mapping[str, Any]) -> dict[str, Parameter]:
    """Return settings by dotted name, as `--set` takes them; lists as JSON, None left out.

    >>> flat_parameters({"model": {"kind": "dense", "units": 16, "layers": [1, 2], "dropout": None}})
    {'model.kind': 'dense', 'model.units': 16, 'model.layers': '[1, 2]'}
    """
    found: dict[str, Parameter] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{below}": each for below, each in flat_parameters(value).items()}
        elif isinstance(value, str | int | float):
            found[name] = value
        elif value is not None:
            found[name] = json.dumps(value, ensure_ascii=False)
    return found


def flat_figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of ``metrics.json`` by path; an interval as its two ends.

    Figures of single classes are left out: a tracker draws a chart for every figure.

    >>> flat_figures({"task": "binary", "test": {"accuracy": 0.9, "accuracy_ci95": [0.88, 0.92], "roc_auc": None}})
    {'test/accuracy': 0.9, 'test/accuracy_ci95/low': 0.88, 'test/accuracy_ci95/high': 0.92}
    """
    found: dict[str, float] = {}
    for name, value in metrics.items():
        if name.endswith("_ci95") and value is not None:
            found |= {f"{name}/low": float(value[0]), f"{name}/high": float(value[1])}
        elif isinstance(value, Mapping) and name != "per_class":
            found |= {f"{name}/{below}": each for below, each in flat_figures(value).items()}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
    return found
