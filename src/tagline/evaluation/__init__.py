"""How good is it, and how sure are we: figures, intervals, calibration, plots.

``plots`` is imported on its own, because matplotlib takes its time.
"""

from tagline.evaluation.calibration import (
    Reliability,
    expected_calibration_error,
    fit_temperature,
    reliability_curve,
)
from tagline.evaluation.metrics import measure, positive_class

__all__ = [
    "Reliability",
    "expected_calibration_error",
    "fit_temperature",
    "measure",
    "positive_class",
    "reliability_curve",
]
