"""The coverage-accuracy curve: what is drawn where."""

import numpy as np
import pytest

from tagline.metrics.selective import AnsweredLevel, selective_curve
from tagline.plots.selective import plot_selective


@pytest.fixture(scope="module")
def curve():
    confidence = np.linspace(1, 0.5, 400)
    return selective_curve(confidence, np.random.default_rng(0).random(400) < confidence)


def test_guaranteed_levels_are_marked_at_what_was_found(curve):
    levels = [AnsweredLevel(0.9, 0.7, 0.92), AnsweredLevel(0.95, 0.7, 0.92), AnsweredLevel(0.98, 0.4, 0.985)]
    axes = plot_selective(curve, levels).axes[0]
    line, *marks = axes.lines
    assert np.array_equal(line.get_xydata(), np.stack([curve.answered, curve.accuracy], 1))
    assert sorted(mark.get_xydata()[0].tolist() for mark in marks) == [[0.4, 0.985], [0.7, 0.92]]
    assert sorted(text.get_text() for text in axes.texts) == ["≥ 90, 95 %", "≥ 98 %"]


@pytest.mark.parametrize("places", [(0.05, 0.5, 0.95, 1.0), (0.97, 0.99, 0.995, 1.0), (0.0, 0.01, 0.98, 1.0)])
def test_the_band_and_every_label_lie_within_the_axes(curve, places):
    levels = [AnsweredLevel(k / 100, x, 0.99 - x / 6) for k, x in zip((99, 98, 95, 90), places, strict=True)]
    figure = plot_selective(curve, levels)
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    assert low < curve.low.min()
    assert high > 1
    assert figure.canvas is not None
    boxes = [text.get_window_extent() for text in axes.texts]
    for k, box in enumerate(boxes):
        assert axes.bbox.x0 <= box.x0 < box.x1 <= axes.bbox.x1
        assert not any(box.overlaps(other) for other in boxes[k + 1 :])
