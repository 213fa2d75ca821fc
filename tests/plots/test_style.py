"""The style that all plots share."""

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np

from tagline.plots import style
from tagline.plots.confusion_matrix import plot_label_counts
from tagline.plots.scores import plot_scores


def test_names_in_chinese_use_a_font_that_is_installed(monkeypatch):
    fonts = [SimpleNamespace(name=name) for name in ("DejaVu Sans", "WenQuanYi Micro Hei")]
    monkeypatch.setattr(style, "fontManager", SimpleNamespace(ttflist=fonts))
    with style.style():
        assert mpl.rcParams["font.family"] == ["sans-serif", "WenQuanYi Micro Hei"]
    monkeypatch.setattr(style, "fontManager", SimpleNamespace(ttflist=fonts[:1]))
    with style.style():
        assert mpl.rcParams["font.family"] == ["sans-serif"]


def test_long_names_of_classes_leave_nothing_outside_a_plot():
    names = ["Техническая поддержка и обслуживание", "ok", "Bundesausbildungsförderungsgesetz"]
    truth = np.eye(3, dtype=bool)
    plots = plot_scores(truth, np.full((3, 3), 0.5), names), plot_label_counts(np.ones((3, 2, 2)), names)
    for figure in plots:
        figure.draw_without_rendering()
        axes = figure.axes[0]
        for shown in (axes.yaxis.label, axes._left_title, axes.get_legend()):
            place = shown.get_window_extent()
            assert place.x0 >= 0
            assert place.x1 <= figure.bbox.x1
