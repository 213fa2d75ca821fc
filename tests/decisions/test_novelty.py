"""Conformal p-values of novelty: computed by hand, and never too small for texts like the held-out rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.decisions.novelty import Novelty

TEXT = np.array([0.5])


def test_a_p_value_computed_by_hand() -> None:
    novelty = Novelty.of(np.array([0.9, 0.6, 0.8]), np.array([0.5, 0.7, 0.9]))
    # Ranks of the rows: confidence 3, 1, 2; coverage 1, 2, 3; products 3, 2, 6. Those of the texts: 1·1, 3·3, 4·4, 1·4.
    p = novelty.p_values(np.array([0.1, 0.8, 1.0, 0.1]), np.array([0.1, 0.8, 1.0, 1.0]))
    assert p.tolist() == [1 / 4, 1.0, 1.0, 3 / 4]
    assert novelty.least == 1 / 4


def test_both_scores_count_and_a_better_one_never_lowers_the_p_value() -> None:
    rng = np.random.default_rng(0)
    novelty = Novelty.of(rng.random(500), rng.random(500))
    grid = np.linspace(0, 1, 21)
    p = np.array([novelty.p_values(grid, np.full(21, one)) for one in grid])
    assert (np.diff(p, axis=0) >= 0).all()
    assert (np.diff(p, axis=1) >= 0).all()
    assert p[0, 0] == novelty.least
    assert p[-1, -1] == 1.0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=25))
def test_of_exchangeable_rows_at_most_a_share_alpha_has_a_p_value_of_alpha(rows: list[tuple[int, int]]) -> None:
    """Each row is the text once, and the others the held-out rows: exactly what exchangeability averages over."""
    confidence, coverage = np.array(rows).T / 4
    p = np.empty(len(rows))
    for i in range(len(rows)):
        others = np.arange(len(rows)) != i
        p[i] = Novelty.of(confidence[others], coverage[others]).p_values(confidence[[i]], coverage[[i]])[0]
    alphas = np.arange(1, len(rows) + 1) / len(rows)
    assert all((p <= alpha + 1e-12).mean() <= alpha + 1e-12 for alpha in alphas)


def test_many_rows_are_thinned_evenly() -> None:
    rows = np.arange(10_000) / 10_000
    novelty = Novelty.of(rows, rows)
    assert len(novelty) == 2_000
    assert np.diff(novelty.confidence) == pytest.approx(5 / 10_000, abs=1e-6)


def test_arrays_come_back() -> None:
    rng = np.random.default_rng(0)
    novelty = Novelty.of(rng.random(30), rng.random(30))
    restored = Novelty.restore(novelty.arrays())
    assert restored is not None
    assert restored.p_values(TEXT, TEXT) == novelty.p_values(TEXT, TEXT)
    assert Novelty.restore({"words.scale": TEXT}) is None


@pytest.mark.parametrize(
    ("confidence", "coverage"),
    [([0.5], [0.5, 0.6]), ([], []), ([1.5], [0.5]), ([0.5], [-0.1]), ([[0.5]], [[0.5]]), ([np.nan], [0.5])],
)
def test_invalid_arrays_are_rejected(confidence: list[float], coverage: list[float]) -> None:
    columns = (np.array(column, dtype=np.float32) for column in (confidence, coverage))
    with pytest.raises(ValueError, match="novelty"):
        Novelty.restore(dict(zip(("novelty.confidence", "novelty.coverage"), columns, strict=True)))
    with pytest.raises((ValueError, KeyError)):
        Novelty.restore({"novelty.confidence": TEXT.astype(np.float32)})
