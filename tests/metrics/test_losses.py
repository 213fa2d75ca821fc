"""Losses of single rows against their definitions."""

import numpy as np
import pytest

from tagline.metrics import losses
from tagline.metrics.losses import brier_losses, log_losses
from tagline.task import Task

RNG = np.random.default_rng(0)
PROBA = RNG.dirichlet(np.ones(3), size=50)
LABELS = RNG.random((50, 3)) < 0.4


@pytest.mark.parametrize("cells_at_once", [1, 10, 10**9])
def test_losses_of_several_labels_are_means_over_labels(monkeypatch: pytest.MonkeyPatch, cells_at_once: int) -> None:
    monkeypatch.setattr(losses, "_CELLS_AT_ONCE", cells_at_once)
    np.testing.assert_allclose(
        brier_losses(LABELS, PROBA, Task.MULTILABEL),
        [((p - y) ** 2).mean() for p, y in zip(PROBA, LABELS, strict=True)],
    )
    np.testing.assert_allclose(
        log_losses(LABELS, PROBA, Task.MULTILABEL),
        [-np.log(np.where(y, p, 1 - p)).mean() for p, y in zip(PROBA, LABELS, strict=True)],
    )


def test_a_probability_of_zero_costs_a_finite_loss() -> None:
    (loss,) = log_losses(np.array([0]), np.array([[0.0, 1.0]]), Task.BINARY)
    assert 30 < loss < 100
