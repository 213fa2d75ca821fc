"""Contents of the plots of a sweep, read back from the figures."""

import numpy as np
import pytest

from tagline.plots.searches.sweep import LearningCurve, SettingValue, plot_curves, plot_settings
from tagline.plots.style import save


def test_a_panel_for_each_setting_on_one_scale(tmp_path):
    settings = {
        f"model.s{k}": [
            SettingValue("relu", 0.8, 0.7, 0.85, [0.79, 0.81]),
            SettingValue("tanh", 0.9, 0.88, 0.95, [0.9]),
        ]
        for k in range(4)
    }
    figure = plot_settings(settings)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(settings)
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    low, high = figure.axes[0].get_ylim()
    assert low < 0.7 < 0.95 < high
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["relu", "tanh"]
    drawn = np.concatenate([line.get_ydata() for line in figure.axes[0].lines])
    for value in (0.79, 0.81, 0.8, 0.9):
        assert value in drawn
    save(figure, tmp_path, "settings")
    assert "model.s3" in (tmp_path / "settings.svg").read_text()


def test_panels_do_not_overlap():
    values = [SettingValue("a", 0.5, 0.4, 0.6, [0.5])]
    figure = plot_settings({f"k{k}": values for k in range(7)})
    boxes = [axes.get_position() for axes in figure.axes]
    for k, one in enumerate(boxes):
        assert min(one.x0, one.y0) > 0
        assert max(one.x1, one.y1) < 1
        for other in boxes[k + 1 :]:
            assert one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0


@pytest.mark.parametrize("n", [1, 3])
def test_curves_and_their_laws(n):
    sizes = np.array([100.0, 200.0, 400.0])
    mean = np.array([0.7, 0.8, 0.85])
    law = (np.array([100.0, 800.0]), np.array([0.7, 0.9]))
    curves = [
        LearningCurve(
            f"recipe {k}", sizes, mean - k / 50, mean - 0.1, mean + 0.02, [(100, 0.69)], law if k == 0 else None
        )
        for k in range(n)
    ]
    figure = plot_curves(curves, 400)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[1] > 800
    low, high = axes.get_ylim()
    assert low < mean.min() - 0.1
    assert high > 0.9
    assert (axes.get_legend() is not None) == (n > 1)
    assert "all rows" in [text.get_text() for text in axes.texts]
