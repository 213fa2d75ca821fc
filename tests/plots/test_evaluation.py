"""What plots hold and say; how they look is for eyes, and was looked at."""

import xml.etree.ElementTree as ET
from io import BytesIO
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn import metrics as authority

from tagline.metrics.ranking import precision_recall_curve, rank, roc_curve
from tagline.plots import evaluation as plots
from tagline.plots import style as drawing
from tagline.plots.confusion_matrix import plot_confusion_matrix, plot_label_counts

SVG = "{http://www.w3.org/2000/svg}"


def example(n, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes))
    logits[np.arange(n), truth] += 2
    return truth, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def words_of(path):
    return [text.text for text in ET.parse(path).iter(f"{SVG}text")]


def test_curves_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    score = np.round(rng.normal(size=300) + truth, 1)  # with ties
    ranking = rank(truth, score)
    expected = authority.roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(np.stack(roc_curve(ranking)), np.stack(expected[:2]))
    precision, recall, _ = authority.precision_recall_curve(truth, score)
    found_recall, found_precision = precision_recall_curve(ranking)
    np.testing.assert_allclose(found_recall, recall[-2::-1])
    np.testing.assert_allclose(found_precision, precision[-2::-1])


def test_two_classes_get_every_plot_as_svg_and_png(tmp_path):
    truth, proba = example(500, 2)
    files = plots.save_plots(tmp_path / "plots", truth, proba.argmax(1), proba, ["neg", "pos"], task="binary")
    assert list(files) == ["confusion_matrix", "roc", "precision_recall", "calibration", "scores"]
    written = {path.name for path in (tmp_path / "plots").iterdir()}
    assert written == {name for formats in files.values() for name in formats.values()}
    for formats in files.values():
        assert ET.parse(tmp_path / "plots" / formats["svg"]).getroot().tag == f"{SVG}svg"
        with Image.open(tmp_path / "plots" / formats["png"]) as image:
            assert min(image.size) > 300
    words = words_of(tmp_path / "plots" / "confusion_matrix.svg")
    assert {"Predicted label", "True label", "neg", "pos", "TP", "FP", "FN", "TN"} <= set(words)
    counts = authority.confusion_matrix(truth, proba.argmax(1)).ravel()
    assert {str(n) for n in counts} <= set(words)
    area = authority.roc_auc_score(truth, proba[:, 1])
    assert f"ROC curve for “pos”, AUC {area:.3f}" in words_of(tmp_path / "plots" / "roc.svg")


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    truth, proba = example(200, 3)
    for name in ("one", "two"):
        plots.save_plots(tmp_path / name, truth, proba.argmax(1), proba, ["a", "b", "c"], task="multiclass")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_plot_of_many_classes_names_all_in_the_matrix_and_the_extremes_in_curves(tmp_path):
    names = [f"topic {k}" for k in range(46)]
    truth, proba = example(2000, 46)
    plots.save_plots(tmp_path, truth, proba.argmax(1), proba, names, task="multiclass")
    matrix = words_of(tmp_path / "confusion_matrix.svg")
    assert all(matrix.count(name) == 2 for name in names)  # on both axes
    assert "0" not in matrix  # cells without a row are blank
    curves = [word for word in words_of(tmp_path / "roc.svg") if "AUC" in word]
    assert len(curves) == 6
    assert curves[-1].startswith("mean of 46")
    areas = {name: authority.roc_auc_score(truth == k, proba[:, k]) for k, name in enumerate(names)}
    assert curves[0].startswith(min(areas, key=areas.get))


def luminance(colour):
    """Relative luminance by WCAG 2.2."""
    c = np.asarray(colour)
    return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("n", range(10, 1001, 30))
def test_counts_stand_out_from_their_cells(n):
    axes = plot_confusion_matrix([[n, 1000 - n], [0, 1]], ["a", "b"]).axes[0]
    image = axes.images[0]
    for text in axes.texts:
        column, row = map(int, text.get_position())
        background = luminance(image.cmap(image.norm(image.get_array()[row, column]))[:3])
        ink = luminance(np.array(tuple(int(text.get_color()[i : i + 2], 16) for i in (1, 3, 5))) / 255)
        contrast = (max(ink, background) + 0.05) / (min(ink, background) + 0.05)
        assert contrast >= 4.5, text.get_text()  # level AA


def test_multilabel_plots(tmp_path):
    rng = np.random.default_rng(0)
    truth = rng.random((300, 3)) < 0.3
    proba = np.clip(0.6 * truth + 0.4 * rng.random((300, 3)), 0, 1)
    files = plots.save_plots(tmp_path, truth, proba > 0.5, proba, ["joy", "fear", "rage"], task="multilabel")
    assert list(files) == ["confusion_matrix", "roc", "precision_recall", "calibration", "scores"]
    assert {"joy", "fear", "rage"} <= set(words_of(tmp_path / "confusion_matrix.svg"))


def test_rows_are_counted_in_whole_numbers():
    axes = plot_label_counts([[[80, 5], [2, 14]], [[90, 1], [1, 3]]], ["a", "b"]).axes[0]
    assert all(tick == round(tick) for tick in axes.get_xticks())


@pytest.mark.parametrize("n_classes", [3, 46])
def test_names_of_curves_stand_below_the_axes(n_classes):
    truth, proba = example(600, n_classes)
    rankings = plots.rank_classes(truth, proba, [f"topic {k}" for k in range(n_classes)])
    for draw in (plots.plot_roc, plots.plot_precision_recall):
        figure = draw(rankings)
        figure.draw_without_rendering()
        axes = figure.axes[0]
        legend = axes.get_legend().get_window_extent()
        assert legend.y1 < axes.xaxis.label.get_window_extent().y0
        assert legend.y0 >= 0


def test_without_probabilities_or_with_one_class_only_what_can_be_drawn_is(tmp_path):
    truth, proba = example(50, 2)
    alone = plots.save_plots(tmp_path, truth, truth, None, ["a", "b"], task="binary")
    assert list(alone) == ["confusion_matrix"]
    only = plots.save_plots(tmp_path, np.zeros(50, int), np.zeros(50, int), proba, ["a", "b"], task="binary")
    assert "roc" not in only
    assert "scores" in only


def test_hostile_class_names_are_drawn_as_text(tmp_path):
    names = ["<script>alert(1)</script>", "$\\frac{a}$", "a\x00b\u202ec", "财经"]
    truth, proba = example(100, 4)
    plots.save_plots(tmp_path, truth, proba.argmax(1), proba, names, task="multiclass")
    words = words_of(tmp_path / "confusion_matrix.svg")  # parsing it says that it is well-formed
    assert {"<script>alert(1)</script>", "$\\frac{a}$", "a�b�c", "财经"} <= set(words)


def test_names_in_chinese_use_a_font_that_is_installed(monkeypatch):
    fonts = [SimpleNamespace(name=name) for name in ("DejaVu Sans", "WenQuanYi Micro Hei")]
    monkeypatch.setattr(drawing, "fontManager", SimpleNamespace(ttflist=fonts))
    with drawing.style():
        assert mpl.rcParams["font.family"] == ["sans-serif", "WenQuanYi Micro Hei"]
    monkeypatch.setattr(drawing, "fontManager", SimpleNamespace(ttflist=fonts[:1]))
    with drawing.style():
        assert mpl.rcParams["font.family"] == ["sans-serif"]


def test_of_very_many_classes_only_the_calibration_is_drawn(tmp_path):
    names = [f"topic {k}" for k in range(501)]
    truth, proba = example(300, 501)
    files = plots.save_plots(tmp_path, truth, proba.argmax(1), proba, names, task="multiclass")
    assert list(files) == ["calibration"]
    labels = np.eye(501, dtype=bool)[truth]
    assert plots.save_plots(tmp_path, labels, labels, proba, names, task="multilabel") == {}


def test_a_figure_is_returned_for_a_notebook():
    truth, proba = example(80, 2)
    figure = plots.plot_roc(plots.rank_classes(truth, proba, ["a", "b"], positive="b"))
    assert isinstance(figure, Figure)
    figure.savefig(BytesIO(), format="png")
