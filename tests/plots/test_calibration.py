"""The bars of the calibration plot."""

import numpy as np
import pytest

from tagline.plots.calibration import plot_calibration


def bars(truth, proba, unit=None, positive="b"):
    """Return the lower and upper end of each bar, (n_bars, 2)."""
    lines = plot_calibration(truth, proba, ["a", "b"], positive=positive, unit=unit).axes[0].collections[0]
    return np.array([segment[:, 1] for segment in lines.get_segments()])


@pytest.mark.parametrize("multilabel", [False, True])
def test_copies_make_no_bar_shorter(multilabel: bool) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200)
    proba, truth = np.stack([1 - p, p], 1), (rng.random(200) < p).astype(int)
    positive = None if multilabel else "b"
    if multilabel:
        truth = np.stack([1 - truth, truth], 1) == 1
    plain = bars(truth, proba, positive=positive)
    again = np.repeat(np.arange(200), 5)
    assert bars(truth, proba, np.arange(200), positive) == pytest.approx(plain)
    assert bars(truth[again], proba[again], again, positive) == pytest.approx(plain)
    assert (np.ptp(bars(truth[again], proba[again], None, positive), axis=1) < np.ptp(plain, axis=1)).all()
