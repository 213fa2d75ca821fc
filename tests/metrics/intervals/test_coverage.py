"""A short version of ``benchmarks/coverage.py``: with 60 samples, 95 % has a standard error of 2.8 points."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    yield
    for name in ("coverage_intervals", "coverage_pools", "coverage_search", "measure"):
        sys.modules.pop(name, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pool", "n", "n_samples"),
    [("2, one 15 %", 200, 100), ("5 imbalanced, overconfident", 1000, 50), ("6 labels", 200, 60)],
)
def test_intervals_contain_the_figures_of_the_pool(pool: str, n: int, n_samples: int) -> None:
    from coverage_intervals import simulate_intervals
    from coverage_pools import POOLS

    (drawn_from,) = (each for each in POOLS if each.name == pool)
    found = simulate_intervals(drawn_from, n, n_samples)
    assert found["no contradiction"].coverage == 1
    assert found["accuracy"].given == found["log_loss"].given == n_samples
    for name, hits in found.items():
        if hits.given >= n_samples / 2:
            assert hits.coverage >= 0.85, (name, str(hits))


@pytest.mark.slow
def test_the_corrected_interval_of_a_search_contains_the_accuracy_of_the_chosen() -> None:
    from coverage_search import simulate_search

    hits = simulate_search(10, 0.9, 0.03, 300, 60)
    assert hits.coverage >= 0.87
    assert hits.width / hits.given < 1.4 * 2 * 1.96 * (0.9 * 0.1 / 300) ** 0.5
