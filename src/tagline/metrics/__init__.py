"""How good is it, and how sure are we: figures, intervals, calibration, plots.

``plots`` is imported on its own, because matplotlib takes its time.
"""

from tagline.calibration import fit_temperature
from tagline.metrics.block import measure, positive_class
from tagline.metrics.calibration_error import (
    Reliability,
    expected_calibration_error,
    reliability_curve,
)

__all__ = [
    "Reliability",
    "expected_calibration_error",
    "fit_temperature",
    "measure",
    "positive_class",
    "reliability_curve",
]
