"""The compiled log loss against the one of NumPy."""

import numpy as np
import pytest

from tagline.calibration._log_loss import log_loss_sums
from tagline.calibration.margins import Margins

ROWS = 40_000  # several blocks


@pytest.mark.parametrize("weights", [np.ones(ROWS), np.random.default_rng(0).integers(0, 3, ROWS) / 2])
def test_the_log_loss_is_that_of_numpy(weights: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 1, (ROWS, 3)) * [1, 30, 300]
    labels = Margins.of(logits, random.random((ROWS, 3)) < [0.5, 0.01, 0.5], weights, random.random((ROWS, 3)) < 0.1)
    found = labels.log_loss(1.5, -2.0, (0.99, 0.02))
    monkeypatch.setattr("tagline.calibration.margins.COMPILED", False)
    expected = labels.log_loss(1.5, -2.0, (0.99, 0.02))
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    assert found.gradient == pytest.approx(expected.gradient, rel=1e-12)
    assert found.curvature == pytest.approx(expected.curvature, rel=1e-12)


def test_arrays_that_do_not_fit_together_are_rejected() -> None:
    z, y = np.zeros(3), np.zeros(3, dtype=bool)
    for wrong in ((z, y[:2], z), (z, y, z[:2])):
        with pytest.raises(ValueError, match="do not fit together"):
            log_loss_sums(*wrong, 1.0, 0.0, 0.9, 0.1)
