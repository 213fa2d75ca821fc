"""A metric is one entry of the registry: what is measured, displayed and searched follows from it."""

import numpy as np
import pytest
from sklearn import metrics as authority

from tagline.metrics import measure
from tagline.metrics.formatting import format_figure, format_interval
from tagline.metrics.headline import headlines, tiles
from tagline.metrics.registry import HEADLINES, METRICS, TILES, Label, MeanOfRows, Metric, OfCounts, OfTop
from tagline.task import Task


def measured(task="binary"):
    rng = np.random.default_rng(0)
    p = rng.random(200)
    truth = (rng.random(200) < p).astype(int)
    proba = np.stack([1 - p, p], 1)
    if task == "multilabel":
        return measure(np.stack([truth, 1 - truth], 1) == 1, proba > 0.5, proba, ["a", "b"], task=task)
    return measure(truth, proba.argmax(1), proba, ["a", "b"], task=task, costs=[[0, 1], [5, 0]])


@pytest.mark.parametrize("task", list(Task))
def test_a_block_holds_the_metrics_of_its_task_in_their_order(task):
    block = measured(task)
    of_trees = {name for name, metric in METRICS.items() if isinstance(metric.compute, OfTop)}
    names = [name for name, metric in METRICS.items() if task in metric.tasks and name not in of_trees]
    of_each_class = {"precision", "recall", "f1", "specificity", "false_positive_rate"}
    expected = [name for name in names if task is Task.BINARY or name not in of_each_class]
    assert [key for key in block if key in METRICS] == expected
    assert {f"{name}_ci95" for name in expected} <= block.keys()


def test_the_mean_cost_stands_beside_that_of_the_most_probable_class():
    rng = np.random.default_rng(0)
    p, costs = rng.random(200), np.array([[0, 1], [5, 0]])
    truth, proba = (rng.random(200) < p).astype(int), np.stack([1 - p, p], 1)
    block = measure(truth, p > 1 / 6, proba, ["a", "b"], task="binary", costs=costs)
    assert block["mean_cost"] == pytest.approx(costs[truth, (p > 1 / 6).astype(int)].mean())
    assert block["mean_cost_most_probable"] == pytest.approx(costs[truth, (p > 0.5).astype(int)].mean())
    meaning = next(line.meaning for line in headlines(block) if line.key == "mean_cost")
    assert meaning.endswith(f"the most probable classes cost {block['mean_cost_most_probable']:.3f}")


def test_a_new_metric_is_measured_and_displayed(monkeypatch):
    def errors(truth, p, task):
        return np.abs(p[:, 1] - truth)

    label = {Task.BINARY: Label("Mean absolute error", "0 is best")}
    new = Metric("mae", MeanOfRows(errors), tasks=(Task.BINARY,), labels=label, larger_is_better=False)
    old = measured()
    monkeypatch.setitem(METRICS, "mae", new)
    monkeypatch.setitem(METRICS, "error", Metric("error", OfCounts(lambda tally: 1 - tally.exact), percent=True))
    block = measured()
    assert {key: block[key] for key in old} == old
    assert block["mae"] == pytest.approx(1 / 3, abs=0.05)
    assert block["mae_ci95"][0] < block["mae"] < block["mae_ci95"][1]
    assert block["error"] == pytest.approx(1 - block["accuracy"])
    assert headlines(block)[-1].name == "Mean absolute error"
    assert "error" not in [line.key for line in headlines(block)]  # without a label
    assert "mae" not in measured("multiclass")


def test_the_metrics_shown_are_registered_for_their_tasks():
    assert set(HEADLINES) == {name for name, metric in METRICS.items() if metric.labels}
    for task, names in TILES.items():
        assert all(task in METRICS[name].labels for name in names)
        of_arrays = [name for name in names if not isinstance(METRICS[name].compute, OfTop)]
        assert len(tiles(measured(task))) == len(of_arrays)


def test_figures_are_displayed_as_their_metric_says():
    assert (format_figure("recall", 0.5), format_figure("macro_recall", 0.5)) == ("50.0 %", "0.500")
    assert (format_interval("mcc", [-0.1, 1.0]), format_interval("roc_auc", [0.0, 1.0])) == ("-0.100 to 1.000", "")


@pytest.mark.parametrize("task", [Task.MULTICLASS, Task.MULTILABEL])
def test_evaluation_and_search_compute_the_same(task):
    rng = np.random.default_rng(1)
    proba = rng.dirichlet(np.ones(4), 300)
    proba[0], proba[1] = [1, 0, 0, 0], [0, 1, 0, 0]  # certain, once rightly and once wrongly
    decided = np.eye(4, dtype=bool)[proba.argmax(1)]
    Y = np.eye(4, dtype=bool)[np.r_[0, 0, rng.integers(0, 4, 298)]]
    block = measure(task.truth(Y), task.truth(decided), proba, list("abcd"), task=task)
    for name, metric in METRICS.items():
        if metric.objective is not None:
            score = metric.objective.score(metric.objective.keep(Y, proba, decided, task))
            assert score == pytest.approx(block[name], rel=1e-6), name
    expected = authority.log_loss(Y.argmax(1), proba) if task is Task.MULTICLASS else None
    assert expected is None or block["log_loss"] == pytest.approx(expected)
