"""What the studentized bootstrap of mean losses draws: each sample's mean and its standard error."""

import numpy as np

from tagline.metrics.intervals.bootstrap import Columns
from tagline.metrics.units import Units, sum_by_unit
from tagline.task import Floats


def loss_columns(losses: Floats, units: Units | None) -> tuple[Columns, Floats]:
    """Return columns to resample losses, ``(n, n_means)``, and the standard error of each mean, ``(n_means,)``.

    With e the sum over a unit of a loss less its mean, and m the rows of the unit, the columns are e, e², e m and m² of
    all losses; of rows that are their own units only e and e².
    """
    n = len(losses)
    gaps = losses - losses.mean(0)
    sums = sum_by_unit(gaps, units)
    n_units = len(sums)
    errors = np.sqrt((sums**2).sum(0) * n_units / max(n_units - 1, 1)) / n
    if units is None:
        return Columns.of(np.hstack([gaps, gaps**2])), errors
    sizes = units.sizes[:, None].astype(float)
    of_units = np.hstack([sums**2, sums * sizes, np.broadcast_to(sizes**2, sums.shape)])
    # Each row of a unit gets its share, so that sums over units are these again.
    return Columns.of(np.hstack([gaps, (of_units / sizes)[units.of_rows]])), errors


def standard_errors(drawn: Floats, n_means: int, n: int, units: Units | None) -> Floats:
    """Return how far the mean of each sample is from that of the rows, and its standard error.

    Args:
        drawn: Means over the rows of samples of what ``loss_columns`` returned, ``(n_samples, …)``.
        n_means: Losses.
        n: Rows.
        units: Of the rows, if some have several.

    Returns:
        ``(n_samples, n_means, 2)``.

    """
    parts = np.split(drawn, drawn.shape[1] // n_means, axis=1)
    gap, squares = parts[0], parts[1]
    by_size, sizes = (gap, np.ones_like(gap)) if units is None else (parts[2], parts[3])
    variance = np.maximum(squares - 2 * gap * by_size + gap**2 * sizes, 0)
    return np.stack([gap, np.sqrt(variance / n)], axis=2)
