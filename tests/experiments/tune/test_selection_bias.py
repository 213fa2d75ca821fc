"""The figure of the best of many, corrected for the choice: known truths decide."""

from dataclasses import replace

import numpy as np
import pytest

from tagline.experiments.tune.objective import METRICS
from tagline.experiments.tune.selection_bias import Corrected, corrected_score
from tagline.metrics.units import Units
from tagline.task import Task


def corrected(kept, metric) -> Corrected:
    return corrected_score(kept, [metric.score(rows) for rows in kept], metric, 0)


def tried(n_candidates, n_rows, chance, seed):
    """Return which rows some candidates are right on, each with its own chance."""
    rng = np.random.default_rng(seed)
    chances = np.broadcast_to(chance, n_candidates)
    return [(rng.random(n_rows) < p).astype(np.float32) for p in chances]


def test_the_best_of_many_equals_looks_better_than_it_is():
    """Two hundred coins: the best one shows more than a half, and is worth a half."""
    found = [corrected(tried(200, 300, 0.5, seed), METRICS["accuracy"]) for seed in range(12)]
    assert np.mean([each.chosen for each in found]) > 0.56
    assert np.mean([each.value for each in found]) == pytest.approx(0.5, abs=0.015)
    assert all(each.low < 0.5 < each.high for each in found)


def test_a_true_best_keeps_its_figure():
    chance = np.r_[np.full(50, 0.6), 0.9]
    found = corrected(tried(51, 2000, chance, 0), METRICS["accuracy"])
    assert found.chosen == pytest.approx(0.9, abs=0.02)
    assert found.value == pytest.approx(found.chosen, abs=0.003)
    assert found.low < found.chosen < found.high


def test_a_single_candidate_has_nothing_to_correct():
    kept = tried(1, 500, 0.8, 3)
    found = corrected(kept, METRICS["accuracy"])
    assert found.chosen == kept[0].mean()
    assert found.value == pytest.approx(found.chosen, abs=0.005)
    assert found.value <= found.chosen


def test_scores_that_are_no_means():
    rng = np.random.default_rng(0)
    Y = np.eye(3, dtype=bool)[rng.integers(3, size=240)]
    metric = METRICS["macro_f1"]
    kept = [
        metric.kept(Y, np.ones((240, 3)), np.eye(3, dtype=bool)[rng.integers(3, size=240)], Task.MULTICLASS)
        for _ in range(60)
    ]
    found = corrected(kept, metric)
    assert found.chosen > 0.37
    assert found.value == pytest.approx(1 / 3, abs=0.03)


def test_of_large_data_a_score_is_worked_out_less_often(monkeypatch):
    """Of 60 draws among 30 candidates there are then 20 among 5."""
    calls = []

    def slow(rows):
        calls.append(len(rows))
        return float(rows.mean())

    monkeypatch.setattr("tagline.experiments.tune.selection_bias._MOST_CELLS", 100)
    metric = replace(METRICS["macro_f1"], objective=replace(METRICS["macro_f1"].objective, score=slow))
    found = corrected(tried(40, 100, 0.5, 0), metric)
    assert len(calls) == 40 + 20 * (5 + 1)
    assert found.low <= found.value <= found.chosen


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
def test_copies_of_rows_are_left_out_together(name):
    metric, rng = METRICS[name], np.random.default_rng(0)
    Y = np.eye(2, dtype=bool)[np.arange(80) % 2]
    said = [np.where((rng.random(80) < 0.5)[:, None], Y, ~Y) for _ in range(40)]
    kept = [metric.kept(Y, each.astype(float), each, Task.BINARY) for each in said]
    again = np.repeat(np.arange(80), 5)
    scores = [metric.score(rows) for rows in kept]
    plain = corrected_score(kept, scores, metric, 0)
    copied = corrected_score([rows[again] for rows in kept], scores, metric, 0, Units.repeated(again))
    as_rows = corrected_score([rows[again] for rows in kept], scores, metric, 0)
    assert copied.value == pytest.approx(plain.value, abs=0.02)
    assert copied.high - copied.low == pytest.approx(plain.high - plain.low, rel=0.3)
    assert as_rows.value > copied.value + 0.03
