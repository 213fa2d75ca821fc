"""Which plots are drawn, what they contain, and that they are saved; their look is checked by eye."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from sklearn import metrics as authority

from tagline.plots.registry import PLOTS, Caption, PlotData, Predictions, captions, predictions_plot
from tagline.plots.save import save_plots
from tagline.task import Task
from tests.plots_of_runs import emptied

pytestmark = pytest.mark.usefixtures("drawn_plots")

SVG = "{http://www.w3.org/2000/svg}"


def example(n, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes))
    logits[np.arange(n), truth] += 2
    return truth, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def draw(folder, y_true, y_pred, proba, classes, task, **settings):
    return save_plots(folder, PlotData(task, Predictions(y_true, y_pred, proba, classes, task, **settings)))


def words_of(path):
    return [text.text for text in ET.parse(path).iter(f"{SVG}text")]


def test_two_classes_get_every_plot_as_svg_and_png(tmp_path):
    truth, proba = example(500, 2)
    files = draw(tmp_path / "plots", truth, proba.argmax(1), proba, ["neg", "pos"], Task.BINARY)
    assert list(files) == ["confusion_matrix", "roc", "precision_recall", "calibration", "scores", "coverage_accuracy"]
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
        draw(tmp_path / name, truth, proba.argmax(1), proba, ["a", "b", "c"], Task.MULTICLASS)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_plot_of_many_classes_names_all_in_the_matrix_and_the_extremes_in_curves(tmp_path):
    names = [f"topic {k}" for k in range(24)]
    truth, proba = example(1000, 24)
    draw(tmp_path, truth, proba.argmax(1), proba, names, Task.MULTICLASS)
    matrix = words_of(tmp_path / "confusion_matrix.svg")
    assert all(matrix.count(name) == 2 for name in names)  # on both axes
    assert "0" not in matrix  # cells without a row are blank
    curves = [word for word in words_of(tmp_path / "roc.svg") if "AUC" in word]
    assert len(curves) == 6
    assert curves[-1].startswith("mean of 24")
    areas = {name: authority.roc_auc_score(truth == k, proba[:, k]) for k, name in enumerate(names)}
    assert curves[0].startswith(min(areas, key=areas.get))


def test_multilabel_plots(tmp_path):
    rng = np.random.default_rng(0)
    truth = rng.random((300, 3)) < 0.3
    proba = np.clip(0.6 * truth + 0.4 * rng.random((300, 3)), 0, 1)
    files = draw(tmp_path, truth, proba > 0.5, proba, ["joy", "fear", "rage"], Task.MULTILABEL)
    assert list(files) == ["confusion_matrix", "roc", "precision_recall", "calibration", "scores"]
    assert {"joy", "fear", "rage"} <= set(words_of(tmp_path / "confusion_matrix.svg"))


def test_without_probabilities_or_with_one_class_only_what_can_be_drawn_is(tmp_path):
    truth, proba = example(50, 2)
    alone = draw(tmp_path, truth, truth, None, ["a", "b"], Task.BINARY)
    assert list(alone) == ["confusion_matrix"]
    only = draw(tmp_path, np.zeros(50, int), np.zeros(50, int), proba, ["a", "b"], Task.BINARY)
    assert "roc" not in only
    assert "scores" in only


def test_hostile_class_names_are_drawn_as_text(tmp_path):
    names = ["<script>alert(1)</script>", "$\\frac{a}$", "a\x00b\u202ec", "财经"]
    truth, proba = example(100, 4)
    draw(tmp_path, truth, proba.argmax(1), proba, names, Task.MULTICLASS)
    words = words_of(tmp_path / "confusion_matrix.svg")  # parsing it says that it is well-formed
    assert {"<script>alert(1)</script>", "$\\frac{a}$", "a�b�c", "财经"} <= set(words)


def test_of_very_many_classes_only_plots_of_confidences_are_drawn(tmp_path):
    names = [f"topic {k}" for k in range(501)]
    truth, proba = example(300, 501)
    files = draw(tmp_path, truth, proba.argmax(1), proba, names, Task.MULTICLASS)
    assert list(files) == ["calibration", "coverage_accuracy"]
    labels = np.eye(501, dtype=bool)[truth]
    assert draw(tmp_path, labels, labels, proba, names, Task.MULTILABEL) == {}


def test_a_new_plot_is_drawn_saved_and_has_a_caption(tmp_path, monkeypatch):
    drawn = []

    def draw_lift(predictions: Predictions) -> Figure:
        drawn.append(predictions)
        return Figure(figsize=(3, 3))

    new = predictions_plot("lift", draw_lift, {Task.BINARY: Caption("Lift", "How much better than chance.")})
    monkeypatch.setitem(PLOTS, "lift", new)
    truth, proba = example(50, 2)
    with emptied():
        files = draw(tmp_path, truth, proba.argmax(1), proba, ["neg", "pos"], Task.BINARY, threshold=0.3)
    assert files["lift"] == {"svg": "lift.svg", "png": "lift.png"}
    assert (drawn[0].positive, drawn[0].threshold) == ("pos", 0.3)
    assert captions(PlotData(Task.BINARY))["lift"].title == "Lift"
    assert "lift" not in captions(PlotData(Task.MULTICLASS))
    truth, proba = example(50, 3)
    with emptied():
        assert "lift" not in draw(tmp_path, truth, truth, proba, ["a", "b", "c"], Task.MULTICLASS)
