"""Weights of n-grams, compared with scikit-learn and the formula of Wang and Manning."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from tagline.features.weighting import arrays, document_frequency, native, rows, scale, scale_columns, weigh
from tagline.features.weighting.rows import weigh_blocks
from tagline.features.weighting.scale import discrimination, idf


@pytest.fixture
def counts() -> sp.csr_matrix:
    dense = np.random.default_rng(0).poisson(0.4, (40, 12)).astype(np.float32)
    dense[5] = 0  # a text without known n-grams
    dense[:, 3] = 0
    return sp.csr_matrix(dense)


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (rows, scale):
        monkeypatch.setattr(module, "COMPILED", request.param == "compiled")


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
    np.testing.assert_allclose(weighed.toarray(), expected.toarray(), rtol=2e-7)  # scales are in single precision


@pytest.mark.parametrize("unit", [False, True])
def test_binary_frequency_and_unit_rows(counts: sp.csr_matrix, unit: bool) -> None:
    scales = np.linspace(0, 2, 12, dtype=np.float32).astype(np.float64)
    expected = (counts.toarray() > 0) * scales
    weighed = weigh(counts, scales, "binary", unit=unit)
    np.testing.assert_allclose(weighed.toarray(), normalize(expected) if unit else expected, rtol=1e-12)


def wang_manning(present: np.ndarray, y: np.ndarray, alpha: float) -> np.ndarray:
    p = alpha + present[y].sum(axis=0)
    q = alpha + present[~y].sum(axis=0)
    return np.log((p / np.abs(p).sum()) / (q / np.abs(q).sum()))


@pytest.mark.parametrize("alpha", [1.0, 0.1])
def test_log_count_ratios_are_the_papers(counts: sp.csr_matrix, Y: np.ndarray, alpha: float) -> None:
    present = (counts.toarray() > 0).astype(float)
    df = document_frequency(counts)
    ratios = arrays.log_count_ratios(counts, Y, df, alpha, known=np.ones(12, dtype=bool), weights=None)
    for c in range(3):
        np.testing.assert_allclose(ratios[c], wang_manning(present, Y[:, c], alpha), rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3, 130])
def test_discriminative_scale_between_its_limits(counts: sp.csr_matrix, n_classes: int) -> None:
    """`floor` 0 is the mean ratio, a large one plain idf; 130 classes take three blocks."""
    Y = np.eye(n_classes, dtype=bool)[np.arange(40) % n_classes]
    present = (counts.toarray() > 0).astype(float)
    squares = np.mean([wang_manning(present, Y[:, c], 1.0) ** 2 for c in range(n_classes)], axis=0)
    if n_classes == 2:
        squares = wang_manning(present, Y[:, 1], 1.0) ** 2
    df = document_frequency(counts)
    weights = idf(df, 40)
    known = np.ones(12, dtype=bool)
    np.testing.assert_allclose(discrimination(counts, Y, df, 0.0, known), np.sqrt(squares), rtol=1e-9)
    np.testing.assert_allclose(discrimination(counts, Y, df, 0.7, known), np.sqrt(0.49 + squares), rtol=1e-9)
    values = scale_columns(counts, document_frequency(counts), Y, "discriminative", 1e4, 1)
    np.testing.assert_allclose(values / 1e4, np.where(df > 0, weights, 0), rtol=1e-3)


@pytest.mark.parametrize("kind", ["discriminative", "idf", "none"])
def test_a_rare_column_has_scale_zero_and_all_are_half_precision(
    counts: sp.csr_matrix, Y: np.ndarray, kind: str
) -> None:
    df = document_frequency(counts)
    min_df = int(np.sort(df)[4])
    values = scale_columns(counts, df, Y, kind, 0.7, min_df)
    assert ((values > 0) == (df >= min_df)).all()
    assert 0 < (values == 0).sum() < 12
    assert np.array_equal(values, values.astype(np.float16).astype(np.float32))


def random_counts(n_rows: int, n_columns: int, seed: int) -> sp.csr_matrix:
    counts = sp.random(n_rows, n_columns, 0.05, format="csr", rng=seed, dtype=np.float32)
    counts.data = np.random.default_rng(seed).geometric(0.6, len(counts.data)).astype(np.float32)
    counts.sort_indices()
    return counts


@pytest.mark.parametrize("cores", [1, 2, 5])
@pytest.mark.parametrize("n_classes", [1, 2, 3, 70])
def test_the_compiled_core_is_the_reference(n_classes: int, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit, for some rows and for all, however the work is divided."""
    monkeypatch.setattr("tagline.parallel._available", lambda: cores)
    monkeypatch.setattr(native, "_ENTRIES", 500)
    monkeypatch.setattr(native, "_COLUMNS", 50)
    rng = np.random.default_rng(n_classes)
    blocks = [random_counts(300, 220, 1), random_counts(300, 90, 2)]
    some = np.sort(rng.choice(300, 170, replace=False))
    Y = rng.random((300, n_classes)) < (0.3 if n_classes > 2 else 0.5)  # rows of several classes or of none
    scales = [rng.random(block.shape[1]).astype(np.float16).astype(np.float32) for block in blocks]
    frequencies = 1.0 + np.log(np.arange(40.0) + 1e-300)
    for chosen in (None, some, some[::-1].copy(), some[:0], np.array([7, 7])):
        members = Y if chosen is None else Y[chosen]
        for block in blocks:
            df = arrays.document_frequency(block, chosen)
            assert native.document_frequency(block, chosen).tolist() == df.tolist()
            known = df >= 2
            if known.any():
                expected = arrays.squared_ratios(block, chosen, members, df, known)
                assert np.array_equal(native.squared_ratios(block, chosen, members, df, known), expected)
        for unit in (False, True):
            for dtype in (np.float32, np.float64):
                options = {"unit": unit, "dtype": dtype}
                parts = [
                    arrays.weigh(b, chosen, s, frequencies, **options) for b, s in zip(blocks, scales, strict=True)
                ]
                for n_blocks in (1, 2):
                    found = native.weigh(blocks[:n_blocks], chosen, scales[:n_blocks], frequencies, **options)
                    expected = sp.hstack(parts[:n_blocks], format="csr")
                    assert found.dtype == dtype
                    assert found.shape == expected.shape
                    assert np.array_equal(found.indptr, expected.indptr)
                    assert np.array_equal(found.indices, expected.indices)
                    assert np.array_equal(found.data, expected.data)


def test_scales_with_weights_of_one_are_those_without(counts: sp.csr_matrix, Y: np.ndarray) -> None:
    df = document_frequency(counts)
    plain = scale_columns(counts, df, Y, "discriminative", 0.7, 1)
    assert np.array_equal(scale_columns(counts, df, Y, "discriminative", 0.7, 1, np.ones(40)), plain)


def test_weighing_no_texts(counts: sp.csr_matrix) -> None:
    assert weigh(counts[:0], np.ones(12), "log", unit=True).shape == (0, 12)
    none = np.array([], dtype=np.int64)
    assert weigh_blocks([counts], [np.ones(12, dtype=np.float32)], "log", unit=True, rows=none).shape == (0, 12)


def test_arrays_that_do_not_fit_are_refused(Y: np.ndarray, counts: sp.csr_matrix) -> None:
    df = native.document_frequency(counts, None)
    known, scales, frequencies = np.ones(12, dtype=bool), [np.ones(12, dtype=np.float32)], np.arange(10.0)
    options = {"unit": True, "dtype": np.float32}
    for row in (-1, 40):
        with pytest.raises(IndexError, match="rows 0 to 39"):
            native.document_frequency(counts, np.array([row]))
    for bad in (df + 1000, df * 0 - 1):
        with pytest.raises(IndexError, match="document frequencies"):
            native.squared_ratios(counts, None, Y, bad, known)
    with pytest.raises(ValueError, match="12 columns"):
        native.squared_ratios(counts, None, Y, df[:3], known)
    for value in (-5.0, 10.0, np.nan):
        forged = counts.copy()
        forged.data[0] = value
        with pytest.raises(IndexError, match="columns or counts"):
            native.weigh([forged], None, scales, frequencies, **options)
    for column in (-1, 12):
        forged = counts.copy()
        forged.indices[0] = column
        for call in (
            lambda forged: native.document_frequency(forged, None),
            lambda forged: native.squared_ratios(forged, None, Y, df, known),
            lambda forged: native.weigh([forged], None, scales, frequencies, **options),
        ):
            with pytest.raises(IndexError, match="columns"):
                call(forged)
    forged = counts.copy()
    forged.indptr[-1] += 1
    with pytest.raises(ValueError, match="do not divide"):
        native.document_frequency(forged, None)
