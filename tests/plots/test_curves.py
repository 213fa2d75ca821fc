"""Contents of curves; their look was checked by eye."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

from tagline.metrics.ranking import rank_classes
from tagline.plots import curves


def example(n, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes))
    logits[np.arange(n), truth] += 2
    return truth, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@pytest.mark.parametrize("n_classes", [3, 46])
def test_names_of_curves_stand_below_the_axes(n_classes):
    truth, proba = example(600, n_classes)
    rankings = rank_classes(truth, proba, [f"topic {k}" for k in range(n_classes)])
    for draw in (curves.plot_roc, curves.plot_precision_recall):
        figure = draw(rankings)
        figure.draw_without_rendering()
        axes = figure.axes[0]
        legend = axes.get_legend().get_window_extent()
        assert legend.y1 < axes.xaxis.label.get_window_extent().y0
        assert legend.y0 >= 0


@pytest.mark.parametrize(("n_classes", "n_named"), [(3, 3), (20, 5)])
def test_a_class_has_one_colour_in_all_plots_and_no_other_has_it(n_classes, n_named):
    truth, proba = example(200, n_classes)
    rankings = rank_classes(truth, proba, [f"topic {k}" for k in range(n_classes)])
    colours = [
        {
            line.get_label().split(",")[0]: line.get_color()
            for line in draw(rankings).axes[0].get_legend().legend_handles
        }
        for draw in (curves.plot_roc, curves.plot_precision_recall)
    ]
    assert colours[0] == colours[1]
    assert sum(name.startswith("topic") for name in colours[0]) == n_named
    assert len(set(colours[0].values())) == len(colours[0])


def test_a_figure_is_returned_for_a_notebook():
    truth, proba = example(80, 2)
    figure = curves.plot_roc(rank_classes(truth, proba, ["a", "b"], positive="b"))
    assert isinstance(figure, Figure)
    figure.savefig(BytesIO(), format="png")
