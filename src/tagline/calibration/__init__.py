"""Calibration: map logits to logits whose probabilities match observed frequencies.

A new method is a module with a `Calibrator` and its entry here; recipes name it by its key, or `auto` for the best one.
"""

from typing import Any

from tagline.calibration.base import Calibrator
from tagline.calibration.choose import choose_calibrator
from tagline.calibration.platt import PlattScaling
from tagline.calibration.sigmoid import SigmoidScaling
from tagline.calibration.temperature import TemperatureScaling, fit_temperature

__all__ = [
    "CALIBRATORS",
    "Calibrator",
    "PlattScaling",
    "SigmoidScaling",
    "TemperatureScaling",
    "choose_calibrator",
    "fit_temperature",
    "restore_calibrator",
    "uncalibrated",
]

CALIBRATORS: dict[str, type[Calibrator]] = {
    TemperatureScaling.kind: TemperatureScaling,
    SigmoidScaling.kind: SigmoidScaling,
    PlattScaling.kind: PlattScaling,
}


def uncalibrated() -> Calibrator:
    """Return a calibrator that leaves logits as they are."""
    return TemperatureScaling(1.0)


def restore_calibrator(table: dict[str, Any]) -> Calibrator:
    """Return the calibrator that ``to_json`` of one came from.

    Raises:
        ValueError: the kind is unknown, or a value is invalid.

    """
    kind = table.get("kind")
    if kind not in CALIBRATORS:
        raise ValueError(f"the calibration method `{kind}` is unknown")
    return CALIBRATORS[kind].from_json(table)
