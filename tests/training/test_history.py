"""The best epoch of a history, and findings on overfitting and underfitting."""

import math

import pytest

from tagline.training import History


def history(loss: list[float], val_loss: list[float] | None = None) -> History:
    made = History()
    for epoch, value in enumerate(loss):
        validation = {} if val_loss is None else {"val_loss": val_loss[epoch]}
        made.add({"epoch": epoch + 1, "loss": value, **validation})
    return made


def test_columns() -> None:
    made = history([0.7, 0.6], [0.8, 0.9])
    assert len(made) == 2
    assert made.columns == {"epoch": [1, 2], "loss": [0.7, 0.6], "val_loss": [0.8, 0.9]}
    assert len(History()) == 0
    assert History().findings(0.7) == []


@pytest.mark.parametrize(
    ("val_loss", "best"),
    [
        ([0.7, 0.5, 0.6], 2),
        ([0.7, 0.5, 0.5], 2),  # the first of equals
        ([0.3, 0.5, 0.6], 1),
        ([0.7, 0.5, 0.4], 3),
        ([math.nan, 0.5, math.inf], 2),
        ([0.5, math.nan, -math.inf], 1),
    ],
)
def test_best_epoch(val_loss: list[float], best: int) -> None:
    assert history([0.7, 0.6, 0.5], val_loss).best_epoch == best
    assert history([0.7, 0.6, 0.5]).best_epoch is None


def test_overfitting_finding_names_its_epoch() -> None:
    (finding,) = history([0.6, 0.4, 0.3, 0.2], [0.5, 0.4, 0.45, 0.6]).findings(0.693)
    assert finding == (
        "The network overfits after epoch 2: validation loss rose from 0.400 to 0.600, while training loss fell."
    )


def test_underfitting_finding_names_the_loss_of_class_shares() -> None:
    for found in ([0.69, 0.68, 0.66], [0.69, 0.68, 0.67]), ([0.69],):
        (finding,) = history(*found).findings(0.693)
        assert finding.startswith(
            f"The network underfits: training loss is {found[0][-1]:.3f} after {len(found[0])} epoch"
        )
        assert "gives 0.693. Train for more epochs" in finding


def test_finding_that_the_network_does_not_generalise() -> None:
    (finding,) = history([0.5, 0.2, 0.1], [0.7, 0.69, 0.695]).findings(0.693)
    assert "does not generalise" in finding
    assert "never below 0.690" in finding


def test_divergence_is_the_only_finding() -> None:
    (finding,) = history([2.0, 300.0], [1.0, 5000.0]).findings(0.693)
    assert finding.startswith("The training diverged")
    assert "Lower `training.learning_rate`" in finding


@pytest.mark.parametrize(
    ("loss", "val_loss"),
    [
        ([0.6, 0.4, 0.3, 0.25], [0.5, 0.4, 0.33, 0.3]),  # still falls, and is well below the loss of the class shares
        ([0.6, 0.4, 0.3, 0.2], [0.5, 0.4, 0.401, 0.405]),  # a rise within the noise
        ([0.6, 0.3, 0.31, 0.32], [0.5, 0.4, 0.45, 0.6]),  # training loss rises too: no overfitting
    ],
)
def test_no_findings(loss: list[float], val_loss: list[float]) -> None:
    assert history(loss, val_loss).findings(0.693) == []


def test_no_underfitting_finding_without_chance() -> None:
    assert history([0.69, 0.68, 0.66], [0.69, 0.68, 0.67]).findings() == []
