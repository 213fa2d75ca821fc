"""Compiled LSTM and GRU against the NumPy path; tanh against that of float64; arrays that do not fit."""

import subprocess
import sys
from itertools import product
from typing import Any

import numpy as np
import pytest

from tagline import parallel
from tagline.models.network import recurrent
from tagline.models.network._core import inputs, steps
from tagline.models.network.layers import Embedding, Lookup, Pass
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm

T, N, D, H, WORDS = 9, 70, 6, 5, 20  # three blocks of texts, the last one not full


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def lookup(*, masked: bool) -> Lookup:
    ids = np.random.default_rng(1).integers(0, WORDS, (T, N)).astype(np.int32)
    return Lookup(normal(WORDS, D), ids, (ids > 3).astype(np.float32) if masked else None)


def trained(layer: Any, x: Any, present: np.ndarray | None) -> list[np.ndarray]:
    """Return the outputs of training and of prediction and all gradients, that of words by word."""
    weights = [0.5 * normal(*shape, seed=2) for shape in layer.shapes().values()]
    y, cache = layer.forward(x, weights, Pass(np.random.default_rng(3), present))
    predicted, _ = layer.forward(x, weights, Pass(present=present, keep=False))
    dx, gradients = layer.backward(normal(*y.shape, seed=4), weights, cache)
    if isinstance(x, Lookup):
        (dx,) = Embedding(WORDS, D).backward(dx, [x.table], (x.ids, present))[1]
    return [y, predicted, dx, *gradients]


LAYERS = [
    kind(D, H, *rates, every, reverse)
    for kind, rates, every, reverse in product(
        (Lstm, Gru), ((0, 0), (0.3, 0), (0, 0.3), (0.3, 0.3)), (False, True), (False, True)
    )
] + [Bidirectional(cell, D, H, 0.3, 0.3, every=True) for cell in ("lstm", "gru")]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_equals_numpy_within_rounding(layer: Any, words: bool, masked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x = lookup(masked=masked)
    compiled = trained(layer, x if words else x.vectors(), x.present)
    monkeypatch.setattr(recurrent, "COMPILED", False)
    for one, other in zip(compiled, trained(layer, x if words else x.vectors(), x.present), strict=True):
        assert one.dtype == other.dtype == np.float32
        np.testing.assert_allclose(one, other, atol=5e-6 * np.abs(other).max())


@pytest.mark.parametrize("layer", [Lstm(D, H, 0.3, 0.3), Gru(D, H, every=True)], ids=str)
def test_the_same_bytes_on_any_number_of_cores(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for cores in (1, 2, 3):
        monkeypatch.setattr(parallel, "_available", lambda cores=cores: cores)
        results.append([array.tobytes() for array in trained(layer, lookup(masked=True), None)])
    assert results[0] == results[1] == results[2]


def test_a_word_of_a_masked_step_is_not_read() -> None:
    x = lookup(masked=False)
    present = np.ones((T, N), np.float32)
    present[x.ids == 7] = 0
    (weights,) = [[normal(*shape) for shape in Lstm(D, H).shapes().values()]]
    y, _ = Lstm(D, H).forward(x, weights, Pass(present=present))
    x.table[7] = np.nan
    np.testing.assert_array_equal(Lstm(D, H).forward(x, weights, Pass(present=present))[0], y)


def test_tanh_is_within_4e_7() -> None:
    bits = np.arange(0x00800000, 0x41300000, 97, dtype=np.uint32)  # every 97th number from 1e-38 to 11
    x = bits.view(np.float32)
    expected = np.tanh(x.astype(np.float64))
    for sign in (1, -1):
        y = x * np.float32(sign)
        steps.tanh(y)
        assert np.abs(y).max() == 1
        assert (np.abs(sign * y.astype(np.float64) / expected - 1)).max() < 4e-7


def test_tanh_at_the_ends() -> None:
    x = np.array([0, -0.0, np.inf, -np.inf, 1e-40, np.nan], np.float32)
    steps.tanh(x)
    assert x[:5].tolist() == [0, 0, pytest.approx(1, abs=1e-7), pytest.approx(-1, abs=1e-7), np.float32(1e-40)]
    assert np.signbit(x[1])
    assert np.isnan(x[5])


def test_tanh_of_few_numbers_is_that_of_many() -> None:
    """A loop over vectors has a rest that is computed number by number."""
    many = normal(1_000)
    few = many.copy()
    steps.tanh(many)
    for start in range(0, 1_000, 3):
        steps.tanh(few[start : start + 3])
    assert np.array_equal(many, few)


def test_distinct_words_of_a_block_and_of_each_text() -> None:
    ids = np.array([[5, 2, 5], [2, 9, 2]], np.int32)
    words, rows, starts = np.empty(6, np.int32), np.empty((2, 3), np.int32), np.empty(3, np.int32)
    assert inputs.distinct(ids, None, 10, False, words, rows, starts) == 3
    assert words[:3].tolist() == [5, 2, 9]
    assert rows.tolist() == [[0, 1, 0], [1, 2, 1]]
    assert inputs.distinct(ids, None, 10, True, words, rows, starts) == 4
    assert words[:4].tolist() == [5, 2, 2, 9]
    assert rows.tolist() == [[0, 1, 0], [2, 3, 2]]
    assert starts.tolist() == [0, 2, 4]
    present = np.array([[1, 0, 1], [0, 1, 0]], np.float32)
    assert inputs.distinct(ids, present, 10, True, words, rows, starts) == 2
    assert rows.tolist() == [[0, -1, 0], [-1, 1, -1]]
    for outside in (10, -1):
        with pytest.raises(IndexError, match="between 0 and 9"):
            inputs.distinct(np.full((2, 3), outside, np.int32), None, 10, False, words, rows, starts)


def lstm_arrays() -> dict[str, Any]:
    return {
        "z": normal(4, 4 * H),
        "rows": np.array([[0, 1], [2, 3]], np.int32),
        "recurrent": normal(H, 4 * H),
        "again": normal(4, 2, H),
        "a": normal(2, 2, 4 * H),
        "h": normal(2, 3, H),
        "c": normal(2, 3, H),
        "tanh_c": normal(2, 2, H),
    }


def test_arrays_that_do_not_fit_are_refused() -> None:
    fits = lstm_arrays()
    steps.lstm_forward(*fits.values())
    for name, array in fits.items():
        if name == "rows":
            wrong = [array[:, :0][:1].copy(), array + 1]
        else:
            wrong = [np.ascontiguousarray(array[..., :-1]), array[:1].copy()]
        for other in wrong:
            with pytest.raises(ValueError, match="do not fit"):
                steps.lstm_forward(*{**fits, name: other}.values())
    with pytest.raises(ValueError, match="Buffer dtype mismatch"):
        steps.lstm_forward(*{**fits, "z": fits["z"].astype(np.float64)}.values())
    with pytest.raises(ValueError, match="not C-contiguous"):
        steps.lstm_forward(*{**fits, "z": np.asfortranarray(fits["z"])}.values())
    with pytest.raises(ValueError, match="do not fit"):
        inputs.project(normal(4, D), np.array([0, 5], np.int32), normal(D, H), normal(H), normal(1, 1, D), normal(4, H))


def test_sizes_beyond_32_bits_are_refused() -> None:
    """Without texts such arrays take no memory."""
    empty = {
        "z": normal(0, 4 * H),
        "rows": np.empty((0, 1), np.int32),
        "recurrent": normal(H, 4 * H),
        "again": None,
        "a": normal(0, 1, 4 * H),
        "h": normal(0, 2, H),
        "c": normal(0, 2, H),
        "tanh_c": normal(0, 1, H),
    }
    steps.lstm_forward(*empty.values())
    with pytest.raises(ValueError, match="do not fit"):
        steps.lstm_forward(*{**empty, "h": np.empty((0, 2**31, H), np.float32)}.values())
    with pytest.raises(ValueError, match="do not fit"):
        steps.recurrent_gradient(
            np.empty((0, 1, H), np.float32), None, np.empty((0, 0, 2**32 + 4 * H), np.float32), normal(H, 4 * H)
        )


UNKNOWN_SGEMM = """
import warnings
import numpy as np
from scipy.linalg import cython_blas
from tagline.models.network.layers import Pass
from tagline.models.network.recurrent import Lstm
cython_blas.__pyx_capi__["sgemm"] = cython_blas.__pyx_capi__["dgemm"]  # of another signature
layer = Lstm(2, 3)
weights = layer.init(np.random.default_rng(0))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(2):
        y, cache = layer.forward(np.ones((4, 5, 2), np.float32), weights, Pass())
        layer.backward(y, weights, cache)
(warning,) = caught
print(warning.message)
"""


def test_an_unknown_blas_is_left_alone_with_one_warning() -> None:
    done = subprocess.run([sys.executable, "-c", UNKNOWN_SGEMM], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(
        "LSTM and GRU are computed by NumPy, which is slower: This version of SciPy has another"
    )
