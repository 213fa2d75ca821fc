"""Units, such as the copies of a text: judged by drawing them one by one, by enumeration, and by simulation."""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t
from sklearn import metrics as authority

from tagline.metrics import measure
from tagline.metrics.comparison.compare import difference, resample
from tagline.metrics.comparison.mcnemar import mcnemar, paired_test, smallest_difference
from tagline.metrics.intervals.bootstrap import difference_interval, interval_tails
from tagline.metrics.intervals.shares import t_quantile
from tagline.metrics.units import CellDraws, Units

NAMES = ["a", "b", "c"]


def copies(n_texts=120, seed=0):
    """Return rows of texts with skewed numbers of copies: truth, probabilities, and the unit of each row, shuffled."""
    rng = np.random.default_rng(seed)
    sizes = np.ceil(rng.lognormal(0.5, 0.8, n_texts)).astype(int)
    truth = rng.integers(0, 3, n_texts)
    logits = rng.normal(size=(n_texts, 3))
    logits[np.arange(n_texts), truth] += 2
    proba = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    unit = rng.permutation(np.repeat(np.arange(n_texts), sizes))
    return truth[unit], proba[unit], unit


def test_rows_that_are_their_own_units_are_measured_as_rows() -> None:
    truth, proba, _ = copies()
    plain = measure(truth, proba.argmax(1), proba, NAMES, task="multiclass")
    own = np.random.default_rng(0).permutation(len(truth)) + 7
    assert measure(truth, proba.argmax(1), proba, NAMES, task="multiclass", units=own) == plain
    assert Units.repeated(own) is Units.repeated(None) is None
    assert "n_units" not in plain


def test_intervals_agree_with_drawing_units_one_by_one() -> None:
    truth, proba, unit = copies()
    drawn = Units.repeated(unit)
    assert drawn is not None
    block = measure(truth, proba.argmax(1), proba, NAMES, task="multiclass", n_bootstrap=4000, units=unit)
    assert block["n_units"] == drawn.n == 120
    rng = np.random.default_rng(1)
    rows_of = [np.flatnonzero(unit == k) for k in range(120)]
    samples: dict[str, list[float]] = {}
    for _ in range(200):
        rows = np.concatenate([rows_of[k] for k in rng.integers(0, 120, 120)])
        y, p = truth[rows], proba[rows]
        for name, value in {
            "accuracy": (y == p.argmax(1)).mean(),
            "macro_f1": authority.f1_score(y, p.argmax(1), average="macro"),
            "mcc": authority.matthews_corrcoef(y, p.argmax(1)),
            "log_loss": authority.log_loss(y, p),
            "brier": ((p - np.eye(3)[y]) ** 2).sum(1).mean(),
            "roc_auc": authority.roc_auc_score(y, p, multi_class="ovr"),
            "pr_auc": authority.average_precision_score(np.eye(3)[y], p),
        }.items():
            samples.setdefault(name, []).append(float(value))
    for name, values in samples.items():
        low, high = np.percentile(values, interval_tails(drawn.degrees))
        # Areas add what a few more rows may show, and the quantile of t for the few that matter.
        assert block[f"{name}_ci95"] == pytest.approx([low, high], abs=(0.35 if "auc" in name else 0.25) * (high - low))


def test_label_sets_are_drawn_by_unit_too() -> None:
    truth, proba, unit = copies()
    sets = (np.eye(3)[truth] == 1, proba > 0.5)
    block = measure(*sets, proba, NAMES, task="multilabel", n_bootstrap=4000, units=unit)
    single = measure(truth, proba.argmax(1), proba, NAMES, task="multiclass", n_bootstrap=4000, units=unit)
    low, high = single["log_loss_ci95"]
    exact = (sets[0] == sets[1]).all(1)
    of_exact = measure(exact.astype(int), np.ones(len(exact), int), None, ["no", "yes"], task="binary", units=unit)
    low, high = of_exact["accuracy_ci95"]
    assert block["accuracy_ci95"] == pytest.approx([low, high], abs=0.15 * (high - low))


@pytest.mark.parametrize("times", [2, 10])
def test_copying_every_text_as_often_changes_no_interval(times: int) -> None:
    truth, proba, unit = copies()
    _, first = np.unique(unit, return_index=True)
    truth, proba = truth[first], proba[first]
    once = measure(truth, proba.argmax(1), proba, NAMES, task="multiclass", n_bootstrap=4000)
    again = np.tile(np.arange(120), times)
    copied = measure(
        truth[again], proba.argmax(1)[again], proba[again], NAMES, task="multiclass", n_bootstrap=4000, units=again
    )
    assert copied["n_effective"] == 120
    for name in ("accuracy", "macro_f1", "log_loss", "roc_auc", "pr_auc"):
        low, high = once[f"{name}_ci95"]
        assert copied[name] == pytest.approx(once[name]), name
        assert copied[f"{name}_ci95"] == pytest.approx([low, high], abs=0.06 * (high - low) + 1 / 120), name


def test_few_units_have_the_quantile_of_t() -> None:
    even = Units.repeated(np.repeat(np.arange(10), 7))
    skewed = Units.repeated(np.repeat(np.arange(11), [1] * 10 + [90]))
    assert even is not None
    assert skewed is not None
    assert even.degrees == 9
    assert t_quantile(even.degrees) == pytest.approx(t.ppf(0.975, 9))
    assert interval_tails(even.degrees)[0] == pytest.approx(100 * norm.cdf(-t.ppf(0.975, 9)))
    assert skewed.degrees == pytest.approx((90**2 + 10) ** 2 / (90**4 + 10))
    value = 0.1 * t.ppf(0.975, 9)
    interval, p = difference_interval(np.r_[-0.1, 0.1] + value, value, even.degrees)  # of the standard error 0.1
    assert interval == pytest.approx([0, 2 * value])
    assert p == pytest.approx(0.05)


def test_all_right_on_few_texts_is_not_certainty() -> None:
    block = measure([0, 1] * 100, [0, 1] * 100, None, ["a", "b"], task="binary", units=np.arange(200) % 20)
    # SciPy: binomtest(20, 20).proportion_ci().low
    assert block["accuracy_ci95"] == pytest.approx([0.8316, 1.0], abs=1e-4)


def test_one_unit_tells_nothing_about_others() -> None:
    truth, proba, unit = copies()
    block = measure(truth, proba.argmax(1), proba, NAMES, task="multiclass", units=0 * unit)
    assert block["n_units"] == 1
    assert all(block[f"{name}_ci95"] is None for name in ("accuracy", "macro_f1", "log_loss", "roc_auc", "pr_auc"))


def test_the_effective_number_of_rows() -> None:
    units = Units.repeated([0, 0, 0, 0, 1, 1, 2, 3])
    assert units is not None
    wrong = np.array([0, 0, 0, 0, 1, 1, 1, 0], bool)
    assert units.effective_rows(wrong) == pytest.approx(8 * 3 / (2**2 + 1**2))
    assert units.effective_rows(~wrong & False) == pytest.approx(8 * 8 / (4**2 + 2**2 + 1 + 1))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_kinds_of_units_hold_all_rows(rows: list[tuple[int, int]]) -> None:
    unit, cell = np.array(rows).T
    units = Units.repeated(unit)
    draws = CellDraws.of_rows(cell, 4, units)
    together = draws.counts @ (np.eye(4) if draws.cells is None else draws.cells.toarray())
    assert together.tolist() == np.bincount(cell, minlength=4).tolist()
    assert draws.counts.sum() == len(np.unique(unit)) or units is None
    if units is not None:
        tables = {tuple(np.bincount(cell[unit == k], minlength=4)) for k in np.unique(unit)}
        assert {tuple(row) for row in draws.cells.toarray().astype(int).tolist()} == tables


def rows_of(net: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which rows two models have right, and units, whose net differences are ``net``."""
    unit = np.repeat(np.arange(len(net)), [abs(one) + 2 for one in net])
    first, second = np.ones(len(unit), bool), np.ones(len(unit), bool)
    for k, one in enumerate(net):
        places = np.flatnonzero(unit == k)[: abs(one)]
        (second if one > 0 else first)[places] = False
    return first, second, unit


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_paired_test_of_units_enumerates_their_signs(net: list[int]) -> None:
    first, second, unit = rows_of(net)
    sums = np.array([np.dot(signs, np.abs(net)) for signs in product((1, -1), repeat=len(net))])
    found = abs(sum(net))
    expected = 1.0 if found == 0 else (np.abs(sums) > found).mean() + (np.abs(sums) == found).mean() / 2
    assert paired_test(first, second, Units.repeated(unit)) == pytest.approx(expected)


def test_the_paired_test_of_rows_is_mcnemars() -> None:
    first, second, unit = rows_of([1] * 7 + [-1] + [0] * 20)
    assert paired_test(first, second) == paired_test(first, second, Units.repeated(unit)) == mcnemar(7, 1)


def test_the_paired_test_of_many_units_is_obuchowskis() -> None:
    net = np.random.default_rng(0).integers(-5, 7, 2000)
    first, second, unit = rows_of(net.tolist())
    z = net.sum() / np.sqrt((net.astype(float) ** 2).sum())
    assert paired_test(first, second, Units.repeated(unit)) == pytest.approx(2 * norm.sf(z), rel=0.05)


def test_a_difference_in_one_text_is_not_significant_however_often_it_is_copied() -> None:
    truth = np.zeros(500, int)
    one, other = truth.copy(), truth.copy()
    one[:60] = 1
    unit = np.r_[np.zeros(60, int), np.arange(1, 441)]
    of_rows, units = difference(resample(truth, [one, other], 2), "accuracy", 0, 1), Units.repeated(unit)
    of_units = difference(resample(truth, [one, other], 2, units=units), "accuracy", 0, 1)
    assert of_rows.interval is not None
    assert of_units.interval is not None
    assert of_rows.interval[0] > 0
    assert of_units.interval[0] < 0  # one text: the other model may as well have had it right
    assert of_rows.p is not None
    assert of_rows.p < 0.01
    assert of_units.p is not None
    assert of_units.p > 0.05
    assert mcnemar(0, 60) < 1e-10
    assert paired_test(one == truth, other == truth, units) > 0.05
    assert units is not None
    least = smallest_difference(units.effective_rows(one != truth), 0.12)
    assert least is not None
    assert least > 60 / 500 > (smallest_difference(500, 0.12) or 1)


def test_the_order_of_rows_does_not_matter() -> None:
    truth, proba, unit = copies()
    said = proba.argmax(1)
    other = np.where(np.arange(len(said)) % 9, said, 0)
    shuffled = np.random.default_rng(3).permutation(len(truth))
    found = [
        difference(resample(truth[rows], [said[rows], other[rows]], 3, 5, Units.repeated(unit[rows])), "macro_f1", 0, 1)
        for rows in (slice(None), shuffled)
    ]
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["22 each", "by rank (Zipf)"])
def test_intervals_of_copies_contain_the_truth(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``benchmarks/coverage_copies.py`` on few samples: with 100, 93 % has a standard error of 2.6 points.

    Intervals of rows contain the truth in 7 to 55 % of them.
    """
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    from coverage_copies import coverage

    try:
        found = coverage(kind, 456, 100, n_population=20_000)
    finally:
        for name in ("coverage_copies", "measure"):
            sys.modules.pop(name, None)
    for name in ("accuracy", "macro_f1", "weighted_f1", "mcc", "log_loss", "brier", "difference"):
        assert found[name] > 0.87, (name, found)
    assert found["p <= 0.05"] < 0.09
