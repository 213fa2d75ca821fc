"""Paired comparisons, judged by SciPy, scikit-learn, published figures, and definitions written out."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from sklearn.metrics import cohen_kappa_score

from tagline.metrics import measure
from tagline.metrics.comparison.compare import (
    agreement,
    class_differences,
    difference,
    dominated,
    holm,
    resample,
    right_rows,
)
from tagline.metrics.comparison.mcnemar import assumed_discordance, mcnemar, smallest_difference


@pytest.mark.parametrize(
    ("only_first", "only_second", "exact", "mid"),
    # Fagerland, Lydersen, Laake (2013), table 6: airway hyper-responsiveness, complete response.
    [(1, 7, 0.070, 0.039), (16, 2, 0.0013, 0.00072)],
)
def test_mcnemar_of_published_examples(only_first, only_second, exact, mid):
    of_coin = binomtest(only_first, only_first + only_second)
    assert of_coin.pvalue == pytest.approx(exact, rel=0.02)
    assert mcnemar(only_first, only_second) == pytest.approx(mid, rel=0.02)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_test_less_half_of_both_ends(one, other):
    d = one + other
    p = mcnemar(one, other)
    assert p == mcnemar(other, one)
    if one == other:
        assert p == pytest.approx(1)
    else:
        end = 0.5**d * float(np.exp(sum(np.log((d - i) / (i + 1)) for i in range(min(one, other)))))
        assert p == pytest.approx(binomtest(one, d).pvalue - end, abs=1e-9)


def test_mcnemar_of_many_rows_is_the_normal_approximation():
    assert mcnemar(500_000, 502_000) == pytest.approx(2 * norm.sf(2000 / np.sqrt(1_002_000)), rel=1e-3)


@pytest.mark.parametrize(
    ("n", "discordance", "comparisons"), [(1000, 0.08, 1), (1000, 0.08, 10), (50, 0.02, 1), (6, 0.9, 1)]
)
def test_the_smallest_difference_counts_and_the_next_one_does_not(n, discordance, comparisons):
    least = smallest_difference(n, discordance, comparisons)
    d = max(round(n * discordance), 5)
    gap = round(least * n)
    assert mcnemar((d - gap) // 2, (d + gap) // 2) <= 0.05 / comparisons
    assert mcnemar((d - gap) // 2 + 1, (d + gap) // 2 - 1) > 0.05 / comparisons or gap < 2
    assert (
        smallest_difference(n, discordance, comparisons + 5) is None
        or smallest_difference(n, discordance, comparisons + 5) >= least
    )


def test_too_few_rows_show_nothing():
    assert smallest_difference(4, 1.0) is None
    assert smallest_difference(5, 0.0) == 1.0  # five rows, all to one model: p = 1/32
    assert smallest_difference(5, 1.0, comparisons=2) is None


def test_the_assumed_discordance_is_possible():
    for accuracy in np.linspace(0, 1, 21):
        assert 0 <= assumed_discordance(accuracy) <= min(1, 2 * (1 - accuracy), 2 * accuracy) + 1e-12
    assert assumed_discordance(0.9) == pytest.approx(0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_holm_is_the_closed_test_of_bonferroni(p_values):
    """A hypothesis falls if every set of hypotheses that holds it does: Marcus, Peritz, Gabriel (1976)."""
    places = range(len(p_values))
    sets = [chosen for size in range(1, len(p_values) + 1) for chosen in combinations(places, size)]
    closed = [
        max(min(1.0, len(chosen) * min(p_values[k] for k in chosen)) for chosen in sets if i in chosen) for i in places
    ]
    assert holm(p_values) == pytest.approx(closed)


def noisy(truth, error, n_classes, seed):
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(truth)) < error
    return np.where(wrong, rng.integers(0, n_classes, len(truth)), truth)


@pytest.mark.parametrize("n_classes", [2, 7])
def test_kappa_is_scikit_learns(n_classes):
    truth = np.random.default_rng(0).integers(0, n_classes, 300)
    one, other = noisy(truth, 0.3, n_classes, 1), noisy(truth, 0.4, n_classes, 2)
    same, kappa = agreement(one, other)
    assert same == (one == other).mean()
    assert kappa == pytest.approx(cohen_kappa_score(one, other))
    assert agreement(np.zeros(9, int), np.zeros(9, int)) == (1.0, None)


def label_sets(n=300, n_labels=9):
    rng = np.random.default_rng(0)
    truth = rng.random((n, n_labels)) < 0.15
    return truth, truth ^ (rng.random(truth.shape) < 0.02), truth ^ (rng.random(truth.shape) < 0.05)


def test_a_set_of_labels_is_one_answer():
    truth, one, other = label_sets()
    same, kappa = agreement(one, other)
    names = [["".join(map(str, row.astype(int))) for row in each] for each in (one, other)]
    assert same == np.mean([a == b for a, b in zip(*names, strict=True)])
    assert kappa == pytest.approx(cohen_kappa_score(*names))
    assert right_rows(truth, one).tolist() == [bool((t == o).all()) for t, o in zip(truth, one, strict=True)]


@pytest.mark.parametrize(("task", "n_classes"), [("binary", 2), ("multiclass", 7), ("multilabel", 9)])
def test_figures_are_those_of_the_report(task, n_classes):
    if task == "multilabel":
        truth, *answers = label_sets()
    else:
        truth = np.random.default_rng(0).integers(0, n_classes, 400)
        answers = [noisy(truth, 0.2, n_classes, 1), noisy(truth, 0.3, n_classes, 2)]
    samples = resample(truth, answers, n_classes)
    classes = [str(k) for k in range(n_classes)]
    for k, prediction in enumerate(answers):
        block = measure(truth, prediction, None, classes, task=task, n_bootstrap=10)
        for name, value in samples.value.items():
            assert value[k] == pytest.approx(block[name]), name
        of_classes = [block["per_class"][name]["f1"] for name in classes]
        assert samples.class_value[k] == pytest.approx(of_classes)


def test_the_paired_interval_is_that_of_the_difference_of_right_rows():
    """The variance of a difference of paired shares: Agresti, Categorical Data Analysis, section 11.1."""
    truth = np.random.default_rng(0).integers(0, 3, 2000)
    one, other = noisy(truth, 0.30, 3, 1), noisy(truth, 0.35, 3, 2)
    found = difference(resample(truth, [one, other], 3), "accuracy", 0, 1)
    gains = (other == truth).astype(float) - (one == truth)
    assert found.value == pytest.approx(gains.mean())
    half = 1.96 * gains.std() / np.sqrt(2000)
    assert found.interval == pytest.approx([gains.mean() - half, gains.mean() + half], abs=0.15 * half)
    only_first, only_second = int((gains < 0).sum()), int((gains > 0).sum())
    assert found.p == pytest.approx(mcnemar(only_first, only_second), abs=0.03)


def test_the_label_sets_interval_agrees_with_drawing_row_by_row():
    truth, one, other = label_sets(400)
    found = difference(resample(truth, [one, other], 9), "micro_f1", 0, 1)
    rng = np.random.default_rng(5)

    def micro(prediction, rows):
        tp = (truth[rows] & prediction[rows]).sum()
        return 2 * tp / (truth[rows].sum() + prediction[rows].sum())

    drawn = [micro(other, rows) - micro(one, rows) for rows in rng.integers(0, 400, (800, 400))]
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.interval == pytest.approx([low, high], abs=0.2 * (high - low))


def test_models_that_answer_alike_do_not_differ():
    truth = np.random.default_rng(0).integers(0, 3, 50)
    answers = noisy(truth, 0.3, 3, 1)
    samples = resample(truth, [answers, answers.copy()], 3)
    for figure in ("accuracy", "macro_f1"):
        found = difference(samples, figure, 0, 1)
        assert (found.value, found.interval, found.p) == (0, None, 1)
    assert mcnemar(0, 0) == 1


def test_the_same_rows_give_the_same_samples_and_order_does_not_matter():
    truth = np.random.default_rng(0).integers(0, 4, 200)
    one, other = noisy(truth, 0.2, 4, 1), noisy(truth, 0.4, 4, 2)
    first, again = (difference(resample(truth, [one, other], 4, seed=3), "macro_f1", 0, 1) for _ in range(2))
    assert first == again
    shuffled = np.random.default_rng(1).permutation(200)
    moved = difference(resample(truth[shuffled], [one[shuffled], other[shuffled]], 4, seed=3), "macro_f1", 0, 1)
    assert moved == first


def test_class_differences_find_the_class_that_one_model_predicts_better():
    truth = np.repeat([0, 1, 2], 200)
    one, other = truth.copy(), truth.copy()
    one[200:300] = 0  # half of class 1
    found = class_differences(resample(truth, [one, other], 4), 0, 1)
    assert found[1][0] == pytest.approx(1 - 2 / 3)
    assert found[1][1][0] > 0.2
    assert found[2] == (0, None)
    assert found[3] == (None, None)  # a class that neither the rows nor the answers hold


@pytest.mark.parametrize("shape", [(300,), (300, 600)])
def test_very_many_classes_are_compared_without_intervals_of_their_own(shape):
    rng = np.random.default_rng(0)
    if len(shape) == 1:
        truth = rng.integers(0, 600, 300)
        answers = [noisy(truth, 0.1, 600, 1), noisy(truth, 0.5, 600, 2)]
    else:
        truth = rng.random(shape) < 0.01
        answers = [truth ^ (rng.random(shape) < 0.001), truth ^ (rng.random(shape) < 0.01)]
    samples = resample(truth, answers, 600)
    assert samples.class_drawn is None
    assert difference(samples, "accuracy", 0, 1).interval[1] < 0
    assert all(interval is None for _, interval in class_differences(samples, 0, 1))
    if len(shape) == 2:
        assert difference(samples, "micro_f1", 0, 1).interval[1] < 0
        assert difference(samples, "macro_f1", 0, 1).p is None


def test_the_front_is_what_nothing_beats():
    rng = np.random.default_rng(0)
    accuracies, costs = rng.integers(0, 6, 12) / 6, rng.integers(1, 6, 12)
    found = dominated(accuracies.tolist(), costs.tolist())
    for i, j in product(range(12), repeat=2):
        better = accuracies[j] >= accuracies[i] and costs[j] <= costs[i]
        alike = accuracies[j] == accuracies[i] and costs[j] == costs[i]
        assert (j in found[i]) == (better and not alike)
    assert dominated([0.9, 0.8], [None, 1.0]) == [[], []]
    assert dominated([0.9, 0.8, 0.9], [1, 1, 2], [5, 4, 5]) == [[], [], [0]]
