"""Who falls behind, who is best, who costs too much."""

import numpy as np
import pytest

from tagline.experiments.tune.candidates import Candidate, Limits, ranked, should_prune
from tagline.experiments.tune.objective import METRICS
from tagline.experiments.tune.scoring import Cost, FoldResult
from tagline.task import Task

ACCURACY, F1 = METRICS["accuracy"], METRICS["macro_f1"]


def candidate(number, right, state="whole", cost=None, finalist=False):
    """Return a candidate with these shares of 1,000 rows right, a part each, the first rows."""
    parts = {
        k: FoldResult(k, (np.arange(1000) < 1000 * share).astype(np.float32), {"features": 0.0, "fit": 0.1})
        for k, share in enumerate(right)
    }
    return Candidate(number, {"recipe": {"name": "tuned-fast"}}, state, parts, cost, finalist=finalist)


def test_a_far_worse_candidate_is_pruned():
    best = candidate(0, [0.9, 0.9])
    assert should_prune(candidate(1, [0.8]), best, ACCURACY)
    assert not should_prune(candidate(1, [0.95]), best, ACCURACY)


def test_noise_is_forgiven():
    rng = np.random.default_rng(0)
    best, other = candidate(0, [0.9]), candidate(1, [0.9])
    rows = rng.permutation(best.results[0].rows)  # as good, on other rows
    rows[:2] = 0
    other.results[0] = FoldResult(0, rows, {})
    assert not should_prune(other, best, ACCURACY)


def test_an_equal_one_goes_on():
    assert not should_prune(candidate(1, [0.9]), candidate(0, [0.9, 0.9]), ACCURACY)


def test_scores_other_than_means_are_bootstrapped():
    Y = np.eye(2, dtype=bool)[np.arange(600) % 2]

    def rows(n_right, order):
        decided = np.where(order[:, None] < n_right, Y, ~Y)
        return F1.kept(Y, decided.astype(float), decided, Task.MULTICLASS)

    other = np.random.default_rng(0).permutation(600)  # as many right, or about, on other rows
    said = [rows(540, np.arange(600)), rows(400, np.arange(600)), rows(538, other)]
    best, worse, like = (Candidate(k, {}, "whole", {0: FoldResult(0, each, {})}) for k, each in enumerate(said))
    assert should_prune(worse, best, F1)
    assert not should_prune(like, best, F1)


def test_the_best_is_first_and_the_unfinished_are_left_out():
    tried = [
        candidate(0, [0.8, 0.8]),
        candidate(1, [0.9, 0.7]),
        candidate(2, [0.99], "running"),
        candidate(3, [0.9, 0.9]),
    ]
    assert [c.number for c in ranked(tried, ACCURACY, Limits(), 2)] == [3, 0, 1]


def test_among_finalists_all_parts_they_share_count():
    tried = [
        candidate(0, [0.9]),
        candidate(1, [0.88, 0.90], finalist=True),
        candidate(2, [0.89, 0.80], finalist=True),
        candidate(3, [0.91, 0.10]),  # judged on both before parts became fewer
    ]
    assert [c.number for c in ranked(tried, ACCURACY, Limits(), 1)] == [1, 2, 3, 0]


def test_limits():
    cheap, large, slow = (
        candidate(k, [share], cost=Cost(*cost))
        for k, (share, *cost) in enumerate([(0.7, 1, 1), (0.8, 9, 1), (0.9, 1, 9)])
    )
    everyone = [cheap, large, slow]
    assert [c.number for c in ranked(everyone, ACCURACY, Limits(), 1)] == [2, 1, 0]
    assert [c.number for c in ranked(everyone, ACCURACY, Limits(size_mb=5), 1)] == [2, 0]
    assert [c.number for c in ranked(everyone, ACCURACY, Limits(latency_ms=5), 1)] == [1, 0]
    assert Limits(size_mb=5).excess(Cost(6, 1)) == pytest.approx(0.2)


def test_an_unknown_cost_exceeds_every_limit():
    unknown = [candidate(0, [0.9])]
    assert ranked(unknown, ACCURACY, Limits(memory_mb=1), 1) == unknown
    assert ranked(unknown, ACCURACY, Limits(size_mb=5), 1) == []


def test_rows_may_be_forgotten_and_the_score_stays():
    one = candidate(0, [0.8, 0.6])
    one.drop_rows(ACCURACY)
    assert one.score(ACCURACY) == pytest.approx(0.7)
    assert not len(one.results[0].rows)
