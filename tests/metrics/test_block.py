"""scikit-learn is the authority for every figure; SciPy's distributions for intervals."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, t
from sklearn import metrics as authority

from tagline.errors import InputError
from tagline.metrics import block, expected_calibration_error, measure, positive_class, tally
from tagline.metrics.registry import METRICS
from tagline.task import Task

NAMES = ["a", "b", "c", "d"]


def example(n, n_classes, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    logits = rng.normal(size=(n, n_classes))
    logits[np.arange(n), truth] += 1.0
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if ties:
        proba = np.round(proba, 1)
    return truth, proba.argmax(1), proba


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_single_label_figures_agree_with_scikit_learn(n_classes, ties):
    truth, prediction, proba = example(500, n_classes, ties=ties)
    block = measure(truth, prediction, proba, NAMES[:n_classes], task="multiclass")
    assert block["accuracy"] == pytest.approx(authority.accuracy_score(truth, prediction))
    assert block["mcc"] == pytest.approx(authority.matthews_corrcoef(truth, prediction))
    for average in ("macro", "micro", "weighted"):
        expected = authority.precision_recall_fscore_support(truth, prediction, average=average)[:3]
        found = [block[f"{average}_{name}"] for name in ("precision", "recall", "f1")]
        assert found == pytest.approx(expected)
    assert block["confusion_matrix"] == authority.confusion_matrix(truth, prediction).tolist()
    onehot = np.eye(n_classes, dtype=bool)[truth]
    assert block["roc_auc"] == pytest.approx(authority.roc_auc_score(onehot, proba, average="macro"))
    assert block["pr_auc"] == pytest.approx(authority.average_precision_score(onehot, proba))
    if not ties:
        assert block["log_loss"] == pytest.approx(authority.log_loss(truth, proba))
        assert block["brier"] == pytest.approx(
            authority.brier_score_loss(onehot if n_classes > 2 else truth, proba, scale_by_half=False)
        )
    expected = authority.precision_recall_fscore_support(truth, prediction)
    for k, name in enumerate(NAMES[:n_classes]):
        row = block["per_class"][name]
        assert [row[key] for key in ("precision", "recall", "f1", "support")] == pytest.approx(
            [part[k] for part in expected]
        )
        tn, fp, fn, tp = authority.confusion_matrix(truth == k, prediction == k).ravel()
        assert [row[key] for key in ("tn", "fp", "fn", "tp")] == [tn, fp, fn, tp]
        assert row["specificity"] == pytest.approx(tn / (tn + fp))
        assert row["false_positive_rate"] == pytest.approx(fp / (tn + fp))


@pytest.mark.parametrize(("positive", "column"), [(None, 1), ("neg", 0)])
def test_two_class_figures_are_those_of_the_named_positive_class(positive, column):
    truth, prediction, proba = example(300, 2)
    block = measure(truth, prediction, proba, ["neg", "pos"], task="binary", positive=positive)
    assert block["positive"] == ["neg", "pos"][column]
    is_positive = truth == column
    assert block["precision"] == pytest.approx(authority.precision_score(is_positive, prediction == column))
    assert block["f1"] == pytest.approx(authority.f1_score(is_positive, prediction == column))
    assert block["roc_auc"] == pytest.approx(authority.roc_auc_score(is_positive, proba[:, column]))
    assert block["pr_auc"] == pytest.approx(authority.average_precision_score(is_positive, proba[:, column]))
    assert block["brier"] == pytest.approx(authority.brier_score_loss(is_positive, proba[:, column]))
    assert block["tp"] == int((is_positive & (prediction == column)).sum())
    assert block["tp"] + block["fp"] + block["fn"] + block["tn"] == 300


def test_a_threshold_moves_predictions_and_not_the_areas():
    truth, prediction, proba = example(300, 2)
    strict = (proba[:, 1] > 0.8).astype(int)
    default = measure(truth, prediction, proba, ["neg", "pos"], task="binary")
    moved = measure(truth, strict, proba, ["neg", "pos"], task="binary")
    assert moved["recall"] < default["recall"]
    assert [moved[k] for k in ("roc_auc", "ece")] == [default[k] for k in ("roc_auc", "ece")]


def test_multilabel_figures_agree_with_scikit_learn():
    rng = np.random.default_rng(3)
    truth = rng.random((400, 4)) < [0.1, 0.3, 0.5, 0.2]
    proba = 1 / (1 + np.exp(-(rng.normal(size=(400, 4)) + 2 * truth - 1)))
    prediction = proba > 0.5
    block = measure(truth, prediction, proba, NAMES, task="multilabel")
    assert block["accuracy"] == pytest.approx(authority.accuracy_score(truth, prediction))
    assert block["hamming_loss"] == pytest.approx(authority.hamming_loss(truth, prediction))
    for average in ("macro", "micro", "weighted"):
        assert block[f"{average}_f1"] == pytest.approx(authority.f1_score(truth, prediction, average=average))
    assert block["confusion_matrix"] == authority.multilabel_confusion_matrix(truth, prediction).tolist()
    assert block["roc_auc"] == pytest.approx(authority.roc_auc_score(truth, proba))
    assert block["pr_auc"] == pytest.approx(authority.average_precision_score(truth, proba))
    losses = [authority.log_loss(truth[:, k], proba[:, k]) for k in range(4)]
    assert block["log_loss"] == pytest.approx(np.mean(losses))
    coefficients = [authority.matthews_corrcoef(truth[:, k], prediction[:, k]) for k in range(4)]
    assert block["mcc"] == pytest.approx(np.mean(coefficients))
    assert block["ece"] == pytest.approx(expected_calibration_error(truth, proba))
    for name in ("accuracy", "hamming_loss", "macro_f1", "log_loss", "ece", "roc_auc"):
        low, high = block[f"{name}_ci95"]
        assert low <= block[name] <= high
        assert low < high


def test_classes_absent_from_the_truth_are_left_out_of_the_means():
    truth, prediction = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 1, 1, 1, 0, 2])
    proba = np.full((6, 4), 0.1)
    proba[np.arange(6), prediction] = 0.7
    block = measure(truth, prediction, proba, NAMES, task="multiclass")
    assert block["per_class"]["c"]["roc_auc"] is None
    assert block["per_class"]["c"]["precision"] == 0.0
    assert block["per_class"]["d"]["f1"] is None
    expected = [authority.roc_auc_score(truth == k, proba[:, k]) for k in (0, 1)]
    assert block["roc_auc"] == pytest.approx(np.mean(expected))
    scored = authority.f1_score(truth, prediction, average="macro", zero_division=0)
    assert block["macro_f1"] == pytest.approx(scored)


def test_a_classifier_without_probabilities_has_figures_of_counts_only():
    block = measure([0, 1, 1], [0, 1, 0], None, ["a", "b"], task="binary")
    assert block["accuracy"] == pytest.approx(2 / 3)
    assert "log_loss" not in block
    assert "roc_auc" not in block


def test_accuracy_interval_is_the_binomial_one():
    # 860 of 1000 right: the exact (Clopper-Pearson) interval is [0.8370, 0.8809].
    truth = np.zeros(1000, int)
    prediction = (np.arange(1000) >= 860).astype(int)
    block = measure(truth, prediction, None, ["a", "b"], task="multiclass", n_bootstrap=4000)
    assert block["accuracy_ci95"] == pytest.approx([0.837, 0.881], abs=0.003)


def test_no_mistake_on_few_rows_is_not_certainty():
    block = measure([0, 1] * 10, [0, 1] * 10, None, ["a", "b"], task="binary")
    # SciPy: binomtest(20, 20).proportion_ci().low
    assert block["accuracy_ci95"] == pytest.approx([0.8316, 1.0], abs=1e-4)
    assert block["macro_f1_ci95"] is None
    wrong = measure([0, 1] * 10, [1, 0] * 10, None, ["a", "b"], task="binary")
    assert wrong["accuracy_ci95"] == pytest.approx([0.0, 0.1684], abs=1e-4)


def test_intervals_agree_with_a_bootstrap_drawn_row_by_row():
    truth, prediction, proba = example(400, 4, seed=5)
    block = measure(truth, prediction, proba, NAMES, task="multiclass", n_bootstrap=4000)
    rng = np.random.default_rng(0)
    samples = {"macro_f1": [], "log_loss": [], "roc_auc": [], "pr_auc": [], "mcc": [], "brier": []}
    onehot = np.eye(4, dtype=bool)[truth]
    for _ in range(150):
        rows = rng.integers(0, 400, 400)
        t, p, P = truth[rows], prediction[rows], proba[rows]
        samples["macro_f1"].append(authority.f1_score(t, p, average="macro"))
        samples["log_loss"].append(authority.log_loss(t, P))
        samples["mcc"].append(authority.matthews_corrcoef(t, p))
        samples["brier"].append(((P - onehot[rows]) ** 2).sum(1).mean())
        samples["roc_auc"].append(authority.roc_auc_score(onehot[rows], P))
        samples["pr_auc"].append(authority.average_precision_score(onehot[rows], P))
    for name, values in samples.items():
        low, high = np.percentile(values, [2.5, 97.5])
        width = high - low
        assert block[f"{name}_ci95"] == pytest.approx([low, high], abs=0.25 * width), name


def test_auc_interval_is_delongs():
    # The variance by its definition, over all pairs of a positive and a negative, on tied scores.
    rng = np.random.default_rng(2)
    truth = rng.random(80) < 0.4
    score = np.round(rng.normal(size=80) + truth, 1)
    pairs = (score[truth][:, None] > score[~truth]) + 0.5 * (score[truth][:, None] == score[~truth])
    variance = pairs.mean(1).var(ddof=1) / truth.sum() + pairs.mean(0).var(ddof=1) / (~truth).sum()
    area = pairs.mean()
    m, n = truth.sum(), (~truth).sum()
    parts = np.r_[(pairs.mean(1) - area) ** 2 / (m * (m - 1)), (pairs.mean(0) - area) ** 2 / (n * (n - 1))]
    z = t.ppf(0.975, 2 * parts.sum() ** 2 / (parts**2).sum() + 1)
    half = z * np.sqrt(variance + area * (1 - area) / min(m, n) ** 2) / (area * (1 - area))
    expected = 1 / (1 + np.exp(-(np.log(area / (1 - area)) + np.array([-half, half]))))
    proba = 1 / (1 + np.exp(-score))
    block = measure(truth.astype(int), truth.astype(int), np.stack([1 - proba, proba], 1), ["a", "b"], task="binary")
    assert block["roc_auc_ci95"] == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_predictions_give_finite_json_and_intervals_that_hold_their_figure(data):
    n, n_classes = data.draw(st.integers(1, 12)), data.draw(st.integers(2, 4))
    index = st.integers(0, n_classes - 1)
    truth = data.draw(st.lists(index, min_size=n, max_size=n))
    prediction = data.draw(st.lists(index, min_size=n, max_size=n))
    weights = st.lists(st.integers(0, 3), min_size=n_classes, max_size=n_classes).filter(any)
    proba = np.array(data.draw(st.lists(weights, min_size=n, max_size=n)), float)
    proba /= proba.sum(1, keepdims=True)
    task = "binary" if n_classes == 2 else "multiclass"
    check_block(measure(truth, prediction, proba, NAMES[:n_classes], task=task, n_bootstrap=50))
    of_labels = np.eye(n_classes, dtype=bool)
    sets = of_labels[truth] | of_labels[prediction], of_labels[prediction]
    check_block(measure(*sets, proba, NAMES[:n_classes], task="multilabel", n_bootstrap=50))


def check_block(block):
    json.dumps(block, allow_nan=False)
    for part in [block, *block["per_class"].values()]:
        for name, interval in part.items():
            if name.endswith("_ci95") and interval is not None:
                value = part[name.removesuffix("_ci95")]
                assert interval[0] <= value <= interval[1]


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_figures_of_very_many_classes_are_those_of_fewer(monkeypatch, task):
    names = [f"c{k}" for k in range(501)]
    truth, prediction, proba = example(2000, 501)
    prediction = np.where(np.arange(2000) % 2, truth, prediction)
    if task == "multilabel":
        of_class = np.eye(501, dtype=bool)
        truth, prediction = of_class[truth], of_class[prediction]
    many = measure(truth, prediction, proba, names, task=task)
    check_block(many)
    for module in (block, tally):
        monkeypatch.setattr(module, "MANY_CLASSES", 501)
    dense = measure(truth, prediction, proba, names, task=task)
    for name, row in dense["per_class"].items():
        assert many["per_class"][name] == {key: v for key, v in row.items() if not key.endswith("_ci95")}
    for name, value in dense.items():
        if name == "ece_chance":
            assert (many[name] is None) == (task == "multilabel")
        elif not name.endswith("_ci95") and not isinstance(value, dict | list):
            assert many[name] == pytest.approx(value), name
        elif name.endswith("_ci95") and many[name] is not None:
            width = value[1] - value[0]
            assert many[name] == pytest.approx(value, abs=0.2 * width), name
    missing = {name for name in dense if name.endswith("_ci95") and dense[name] is not None and many[name] is None}
    if task == "multilabel":
        # Means over classes have no interval either way: some labels have hardly any rows.
        assert missing == {f"weighted_{f}_ci95" for f in ("recall", "f1")} | {"ece_ci95"}
        assert many["confusion_matrix"] == dense["confusion_matrix"]
    else:
        assert missing == set()
        matrix = np.zeros((501, 501), int)
        matrix[many["confusion"]["rows"], many["confusion"]["columns"]] = many["confusion"]["counts"]
        assert matrix.tolist() == dense["confusion_matrix"]
        assert many["confusion_matrix"] is None


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_very_many_classes_need_little_memory(task):
    n, n_classes = 300, 6000
    rng = np.random.default_rng(0)
    truth = rng.integers(0, n_classes, n)
    prediction = np.where(rng.random(n) < 0.5, truth, rng.integers(0, n_classes, n))
    proba = rng.random((n, n_classes), dtype=np.float64)  # 14 MB
    if task == "multilabel":
        truth, prediction = (np.arange(n_classes) == y[:, None] for y in (truth, prediction))
    tracemalloc.start()
    block = measure(truth, prediction, proba, [str(k) for k in range(n_classes)], task=task)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6  # a dense matrix alone would be 288 MB
    assert len(json.dumps(block, indent=2)) < 4e6


def test_many_labels_need_little_memory():
    # Spreading every row over the 15 bins of each label at once took 4000 * 200 * 15 * 4 bytes, twice: 96 MB.
    n, n_labels = 4000, 200
    rng = np.random.default_rng(0)
    truth = rng.random((n, n_labels)) < 0.05
    proba = rng.random((n, n_labels))  # 6 MB
    names = [str(k) for k in range(n_labels)]
    tracemalloc.start()
    measure(truth, proba > 0.9, proba, names, task="multilabel")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 70e6


def test_many_cells_of_a_confusion_matrix_need_little_memory():
    # 1,000 samples of 20,000 cells, as whole numbers and as floats, took 320 MB.
    n, n_classes = 20_000, 400
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, n_classes, (2, n))
    tracemalloc.start()
    measure(truth, prediction, None, [str(k) for k in range(n_classes)], task="multiclass")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120e6


def test_the_interval_of_a_calibrated_model_is_the_basic_one_from_0():
    # Probabilities that are right: resampling inflates their calibration error, so that percentiles lie above it.
    rng = np.random.default_rng(0)
    p = rng.random(2000)
    truth = (rng.random(2000) < p).astype(int)
    proba = np.stack([1 - p, p], 1)
    block = measure(truth, proba.argmax(1), proba, ["a", "b"], task="binary", n_bootstrap=2000)
    rows = [rng.integers(0, 2000, 2000) for _ in range(500)]
    low, high = np.percentile([expected_calibration_error(truth[r], proba[r]) for r in rows], [2.5, 97.5])
    assert block["ece"] <= block["ece_chance"]
    expected = [0, max(2 * block["ece"] - low, block["ece"])]
    assert block["ece_ci95"] == pytest.approx(expected, abs=0.15 * (high - low))


def test_a_rare_class_that_a_sample_does_not_draw_is_left_out_of_its_macro_averages():
    # The one row of c is not drawn in e**-1 of the samples; counted as a recall of 0 it would drag them down to 0.63.
    truth = np.repeat([0, 1, 2], [100, 100, 1])
    prediction = truth.copy()
    prediction[:10] = 2
    block = measure(truth, prediction, None, ["a", "b", "c"], task="multiclass")
    assert block["macro_recall"] == pytest.approx((0.9 + 1 + 1) / 3)
    assert block["macro_recall_ci95"] is None  # one row says too little about c
    labels = np.eye(3, dtype=bool)
    of_labels = measure(labels[truth], labels[prediction], None, ["a", "b", "c"], task="multilabel")
    assert of_labels["macro_recall_ci95"] is of_labels["mcc_ci95"] is None
    for samples in (
        tally.tally_classes(truth, prediction, 3, Task.MULTICLASS, None, 500, np.random.default_rng(0)),
        tally.tally_labels(labels[truth], labels[prediction], None, 500, np.random.default_rng(0)),
    ):
        recalls = [METRICS["macro_recall"].compute.value(sample) for sample in samples.samples]
        assert np.percentile(np.concatenate(recalls), 2.5) > 0.9


@pytest.mark.parametrize("task", ["multiclass", "multilabel"])
def test_the_intervals_of_a_rare_class_are_those_of_its_rows(task):
    truth = np.repeat([0, 1, 2, 3], [60, 60, 2, 2])
    prediction = truth.copy()
    prediction[:5], prediction[-1] = 1, 0
    labels = np.eye(4, dtype=bool)
    rows = (truth, prediction) if task == "multiclass" else (labels[truth], labels[prediction])
    per_class = measure(*rows, None, ["a", "b", "c", "d"], task=task)["per_class"]
    for name in ("precision", "recall", "f1"):
        assert per_class["c"][name] == 1
    assert per_class["c"]["recall_ci95"] == pytest.approx([0.025**0.5, 1])  # two of two are right
    expected = binomtest(1, 2).proportion_ci(method="wilson")
    low, high = per_class["d"]["recall_ci95"]  # one of two is right
    assert [low, high] == pytest.approx([expected.low, expected.high], abs=0.08)


def test_a_class_without_rows_that_is_predicted_counts_in_every_sample_that_has_it():
    truth = np.repeat([0, 1], [100, 100])
    prediction = truth.copy()
    prediction[:10] = 2
    block = measure(truth, prediction, None, ["a", "b", "c"], task="multiclass")
    assert block["macro_recall"] == pytest.approx((0.9 + 1) / 3)
    samples = tally.tally_classes(truth, prediction, 3, Task.MULTICLASS, None, 500, np.random.default_rng(0)).samples
    assert max(METRICS["macro_recall"].compute.value(sample).max() for sample in samples) < 0.7
    assert block["macro_recall_ci95"] is None  # these rows do not tell how well c is found


def test_the_same_seed_gives_the_same_block():
    arrays = example(200, 4)
    first, again, other = (measure(*arrays, NAMES, task="multiclass", seed=s) for s in (1, 1, 2))
    assert first == again
    assert first["macro_f1_ci95"] != other["macro_f1_ci95"]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["neg", "pos"], "pos"),
        (["Positive", "negative"], "Positive"),
        (["SPAM", "ham"], "SPAM"),
        (["no", "yes"], "yes"),
        (["0", "1"], "1"),
        (["True", "false"], "True"),
        (["cats", "dogs"], "dogs"),
    ],
)
def test_positive_class_by_name_or_last(classes, expected):
    assert positive_class(classes) == expected
    assert positive_class(classes, classes[0]) == classes[0]


def test_an_unknown_positive_class_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"`posit` is not a class.*Did you mean `positive`\?"):
        positive_class(["negative", "positive"], "posit")


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(InputError, match="no row"):
        measure([], [], None, ["a", "b"], task="binary")
    with pytest.raises(ValueError, match="not a finite number"):
        measure([0, 1], [0, 1], [[np.nan, 1.0], [0.5, 0.5]], ["a", "b"], task="binary")
    with pytest.raises(ValueError, match="shape"):
        measure([0, 1], [0, 1], [[1.0], [1.0]], ["a", "b"], task="binary")
