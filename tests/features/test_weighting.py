"""Weights of n-grams, compared with scikit-learn and the formula of Wang and Manning."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from tagline.features.vectorizer import scale_columns
from tagline.features.weighting import (
    discriminative_scale,
    document_frequency,
    idf,
    log_count_ratios,
    weigh,
)


@pytest.fixture
def counts() -> sp.csr_matrix:
    dense = np.random.default_rng(0).poisson(0.4, (40, 12)).astype(np.float32)
    dense[5] = 0  # a text without known n-grams
    dense[:, 3] = 0
    return sp.csr_matrix(dense)


@pytest.fixture(name="Y")
def class_matrix() -> np.ndarray:
    y = np.random.default_rng(1).integers(0, 3, 40)
    return np.eye(3, dtype=bool)[y]


def test_idf_is_scikit_learns(counts: sp.csr_matrix) -> None:
    expected = TfidfTransformer(smooth_idf=True).fit(counts.astype(np.float64)).idf_
    np.testing.assert_allclose(idf(document_frequency(counts), 40), expected, rtol=1e-12)


@pytest.mark.parametrize(("tf", "sublinear"), [("count", False), ("log", True)])
def test_weighed_rows_are_scikit_learns_tfidf(counts: sp.csr_matrix, tf: str, sublinear: bool) -> None:
    expected = TfidfTransformer(sublinear_tf=sublinear).fit_transform(counts.astype(np.float64))
    weighed = weigh(counts, idf(document_frequency(counts), 40), tf, unit=True)
    np.testing.assert_allclose(weighed.toarray(), expected.toarray(), rtol=1e-12)


@pytest.mark.parametrize("unit", [False, True])
def test_binary_frequency_and_unit_rows(counts: sp.csr_matrix, unit: bool) -> None:
    scale = np.linspace(0, 2, 12)
    expected = (counts.toarray() > 0) * scale
    weighed = weigh(counts, scale, "binary", unit=unit)
    np.testing.assert_allclose(weighed.toarray(), normalize(expected) if unit else expected, rtol=1e-12)


def wang_manning(present: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
    p = alpha + present[y].sum(axis=0)
    q = alpha + present[~y].sum(axis=0)
    return np.log((p / np.abs(p).sum()) / (q / np.abs(q).sum()))


@pytest.mark.parametrize("alpha", [1.0, 0.1])
def test_log_count_ratios_are_the_papers(counts: sp.csr_matrix, Y: np.ndarray, alpha: float) -> None:
    present = (counts.toarray() > 0).astype(float)
    ratios = log_count_ratios(counts, Y, document_frequency(counts), alpha)
    for c in range(3):
        np.testing.assert_allclose(ratios[c], wang_manning(present, Y[:, c], alpha), rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3, 130])
def test_discriminative_scale_between_its_limits(counts: sp.csr_matrix, n_classes: int) -> None:
    """`floor` 0 is idf times the mean ratio, a large one plain idf; 130 classes take three blocks."""
    Y = np.eye(n_classes, dtype=bool)[np.arange(40) % n_classes]
    present = (counts.toarray() > 0).astype(float)
    squares = np.mean([wang_manning(present, Y[:, c], 1.0) ** 2 for c in range(n_classes)], axis=0)
    if n_classes == 2:
        squares = wang_manning(present, Y[:, 1], 1.0) ** 2
    df = document_frequency(counts)
    weights = idf(df, 40)
    np.testing.assert_allclose(discriminative_scale(counts, Y, df, 0.0), weights * np.sqrt(squares), rtol=1e-9)
    np.testing.assert_allclose(discriminative_scale(counts, Y, df, 0.7), weights * np.sqrt(0.49 + squares), rtol=1e-9)
    np.testing.assert_allclose(discriminative_scale(counts, Y, df, 1e6) / 1e6, weights, rtol=1e-6)


@pytest.mark.parametrize("scale", ["discriminative", "idf", "none"])
def test_a_rare_column_has_scale_zero_and_all_are_half_precision(
    counts: sp.csr_matrix, Y: np.ndarray, scale: str
) -> None:
    df = document_frequency(counts)
    min_df = int(np.sort(df)[4])
    values = scale_columns(counts, Y, scale, 0.7, min_df)
    assert ((values > 0) == (df >= min_df)).all()
    assert 0 < (values == 0).sum() < 12
    assert np.array_equal(values, values.astype(np.float16).astype(np.float32))
