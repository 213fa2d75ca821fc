"""Contents of training curves; their look was checked by eye."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tagline.plots.history import plot_history, save_history_plots

SVG = "{http://www.w3.org/2000/svg}"
NAN, INF = float("nan"), float("inf")


def plot_loss(columns, best=None):
    return plot_history(columns, "loss", best)


def plot_accuracy(columns, best=None):
    return plot_history(columns, "accuracy", best)


def history(n_epochs=20):
    epoch = np.arange(1, n_epochs + 1)
    return {
        "epoch": epoch.tolist(),
        "loss": (0.5 * 0.7**epoch).tolist(),
        "accuracy": (1 - 0.2 * 0.7**epoch).tolist(),
        "val_loss": (0.3 + 0.02 * np.abs(epoch - 4)).tolist(),
        "val_accuracy": (0.88 - 0.001 * np.abs(epoch - 4)).tolist(),
        "seconds": [0.4] * n_epochs,
    }


def without_validation(columns):
    return {name: values for name, values in columns.items() if not name.startswith("val_")}


def curves(figure):
    return {line.get_label(): line for line in figure.axes[0].lines if not line.get_label().startswith("_")}


def legend_names(figure):
    legend = figure.axes[0].get_legend()
    return None if legend is None else [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(("draw", "what"), [(plot_loss, "loss"), (plot_accuracy, "accuracy")])
def test_the_curves_are_the_columns(draw, what):
    columns = history()
    figure = draw(columns, 4)
    axes, drawn = figure.axes[0], curves(figure)
    assert list(drawn) == ["training", "validation"]
    for name, column in (("training", what), ("validation", f"val_{what}")):
        np.testing.assert_array_equal(drawn[name].get_xdata(), columns["epoch"])
        np.testing.assert_array_equal(drawn[name].get_ydata(), columns[column])
    assert drawn["training"].get_linestyle() != drawn["validation"].get_linestyle()  # told apart without colour
    assert axes.get_title("left") == f"Training and validation {what}"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Epoch", what.capitalize())


def test_points_are_drawn_while_there_are_few():
    for n_epochs, marker in ((25, "o"), (26, "")):
        assert {line.get_marker() for line in curves(plot_loss(history(n_epochs))).values()} == {marker}


@pytest.mark.parametrize("n_epochs", [1, 2, 3, 7, 20, 60, 1000])
def test_ticks_are_epochs_that_were_run(n_epochs):
    ticks = plot_loss(history(n_epochs)).axes[0].get_xticks()
    assert 1 <= len(ticks) <= 12
    assert set(ticks) <= set(range(1, n_epochs + 1))


def test_accuracies_are_in_per_cent_and_no_tick_is_beyond_all():
    figure = plot_accuracy(history(), 4)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels[-1] == "100 %"
    assert all(label == f"{100 * at:g} %" for label, at in zip(labels, axes.get_yticks(), strict=True))


@pytest.mark.parametrize("best", [1, 4, 20])
def test_neither_legend_nor_the_word_for_the_best_epoch_covers_a_curve(best):
    for draw in (plot_loss, plot_accuracy):
        figure = draw(history(), best)
        figure.draw_without_rendering()
        axes = figure.axes[0]
        (word,) = axes.texts
        assert word.get_text() == f"best epoch: {best}"
        box, area = word.get_window_extent(), axes.get_window_extent()
        highest = max(axes.transData.transform(line.get_xydata())[:, 1].max() for line in curves(figure).values())
        assert highest < box.y0
        assert area.x0 <= box.x0
        assert box.x1 <= area.x1
        assert axes.get_legend().get_window_extent().y0 >= area.y1


def test_only_a_best_epoch_among_several_is_marked():
    for columns, best in ((history(), None), (history(), 21), (history(1), 1)):
        assert not plot_loss(columns, best).axes[0].texts


def test_without_validation_rows_one_curve_needs_no_legend():
    figure = plot_accuracy(without_validation(history()), None)
    assert list(curves(figure)) == ["training"]
    assert figure.axes[0].get_title("left") == "Training accuracy"
    assert legend_names(figure) is None


def test_one_epoch_is_a_point_within_the_axes():
    for columns in (history(1), without_validation(history(1))):
        figure = plot_loss(columns, 1)
        low, high = figure.axes[0].get_ylim()
        for line in curves(figure).values():
            assert line.get_marker() == "o"
            assert low < line.get_ydata()[0] < high
        assert high - low < 1


def test_values_that_are_not_finite_are_marked_and_the_others_fill_the_axes():
    columns = history(6)
    columns["loss"][4:] = [1e308, NAN]  # a number that no axis holds
    columns["val_loss"][5] = -INF
    figure = plot_loss(columns, 4)
    assert legend_names(figure) == ["training", "validation", "no finite value"]
    drawn = curves(figure)
    assert drawn["no finite value"].get_xdata().tolist() == [5, 6]
    assert np.isfinite(drawn["training"].get_ydata()).tolist() == [True] * 4 + [False] * 2
    low, high = figure.axes[0].get_ylim()
    assert low < min(columns["loss"][:4])
    assert high < 0.6
    assert legend_names(plot_accuracy(columns, 4)) == ["training", "validation"]


def test_a_history_without_a_finite_value_still_has_a_plot():
    figure = plot_loss({"epoch": [1, 2], "loss": [NAN, NAN], "accuracy": [0.5, NAN]})
    assert legend_names(figure) == ["training", "no finite value"]
    assert len(figure.axes[0].get_yticks()) == 0


@pytest.mark.usefixtures("drawn_plots")
@pytest.mark.parametrize("largest", [500.0, 3e38])
def test_a_loss_that_ran_away_is_drawn_by_powers_of_ten(largest, tmp_path):
    columns = {"epoch": [1, 2, 3, 4], "loss": [0.7, 0.0, largest, INF], "accuracy": [0.5] * 4}
    save_history_plots(tmp_path, columns)
    words = [text.text for text in ET.parse(tmp_path / "training_loss.svg").iter(f"{SVG}text")]
    assert "1" in words  # and not TeX
    assert not [word for word in words if "$" in word]
    figure = plot_loss(columns)
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert 0 < low <= 0.7
    assert np.isfinite(high)
    assert plot_loss(history()).axes[0].get_yscale() == "linear"


@pytest.mark.usefixtures("drawn_plots")
def test_files_are_written_as_of_other_plots_and_repeat(tmp_path):
    columns = history()
    files = save_history_plots(tmp_path / "one", columns, 4)
    assert files == {
        "training_loss": {"svg": "training_loss.svg", "png": "training_loss.png"},
        "training_accuracy": {"svg": "training_accuracy.svg", "png": "training_accuracy.png"},
    }
    save_history_plots(tmp_path / "two", columns, 4)
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert written == sorted(name for formats in files.values() for name in formats.values())
    for name in written:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    words = [text.text for text in ET.parse(tmp_path / "one" / "training_loss.svg").iter(f"{SVG}text")]
    assert {"Training and validation loss", "training", "validation", "best epoch: 4", "Epoch", "Loss"} <= set(words)
    with Image.open(tmp_path / "one" / "training_accuracy.png") as image:
        assert min(image.size) > 300


def test_without_accuracy_the_loss_alone_is_drawn(tmp_path):
    assert list(save_history_plots(tmp_path, {"epoch": [1, 2], "loss": [0.7, 0.6]})) == ["training_loss"]


def test_of_no_epoch_nothing_is_drawn(tmp_path):
    assert save_history_plots(tmp_path / "plots", {"epoch": [], "loss": [], "accuracy": []}) == {}
    assert not (tmp_path / "plots").exists()


def test_rising_ticks_of_a_flat_accuracy():
    ticks = plot_accuracy({"epoch": [1, 2], "loss": [0.7, 0.7], "accuracy": [1.0, 1.0]}).axes[0].get_yticks()
    assert ticks[-1] == 1.0
    assert all(low < high for low, high in pairwise(ticks))
