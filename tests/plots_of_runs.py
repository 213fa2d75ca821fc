"""What tests draw for the plots of a run: empty figures, or the plots themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tagline.plots import process
from tagline.plots.registry import PLOTS, PlotData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLOTS = dict(PLOTS)


def _empty(_: PlotData) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(1, 1))


@contextmanager
def emptied() -> Iterator[None]:
    """Save an empty figure for each plot: drawing takes several times as long as the rest of a small run.

    They are drawn in this process, as another one knows nothing of it.
    """
    PLOTS.update({name: replace(plot, draw=_empty) for name, plot in _PLOTS.items()})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "cores", lambda: 1)
        yield
    PLOTS.update(_PLOTS)


@contextmanager
def drawn() -> Iterator[None]:
    """Draw the plots within `emptied`."""
    empty = dict(PLOTS)
    PLOTS.update(_PLOTS)
    try:
        yield
    finally:
        PLOTS.update(empty)
