"""LSTM and GRU: gradients in every variety, padding passed over, dropout the same at every step."""

import numpy as np
import pytest

from tagline.compiled import COMPILED
from tagline.models.network import recurrent
from tagline.models.network.layers import Layer, Pass
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm
from tests.models.network.gradients import check_gradients

T, N, D, H = 5, 3, 2, 3
# Steps of texts of 5, 3 and 0 tokens, filled up at the end and at the beginning; a hole in the last.
POST = np.array([[1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0]], np.float32)
HOLES = np.array([[0, 0, 1], [0, 1, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1]], np.float32)


@pytest.fixture(params=["compiled", "numpy"] if COMPILED else ["numpy"], autouse=True)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrent, "COMPILED", request.param == "compiled")


MASKS = {"none": None, "post": POST, "pre": np.ascontiguousarray(POST[::-1]), "holes": HOLES}


def weights_of(layer: Layer, seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape, scale=0.7).astype(np.float32) for shape in layer.shapes().values()]


def inputs(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(T, N, D)).astype(np.float32)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_gradients(kind: type, reverse: bool, every: bool, mask: str) -> None:
    layer = kind(D, H, every=every, reverse=reverse)
    check_gradients(layer, inputs(), weights_of(layer), present=MASKS[mask])


@pytest.mark.parametrize("mask", ["none", "post", "holes"])
@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.4)])
@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_gradients_under_dropout(kind: type, rates: tuple[float, float], mask: str) -> None:
    layer = kind(D, H, *rates, every=True, reverse=mask == "holes")
    check_gradients(layer, inputs(), weights_of(layer), present=MASKS[mask], noise=4)


@pytest.mark.parametrize("mask", ["none", "pre", "post"])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gradients_of_both_directions(cell: str, every: bool, mask: str) -> None:
    layer = Bidirectional(cell, D, 2, 0.2, 0.3, every)
    check_gradients(layer, inputs(), weights_of(layer), present=MASKS[mask], noise=4)


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_masked_steps_leave_the_state_unchanged(kind: type, every: bool) -> None:
    """Each text alone, its masked steps cut out, ends in the same state."""
    layer = kind(D, H, every=every)
    weights, x = weights_of(layer), inputs()
    y, _ = layer.forward(x, weights, Pass(present=HOLES))
    for text in range(N):
        tokens = HOLES[:, text] == 1
        alone, _ = layer.forward(np.ascontiguousarray(x[tokens, text : text + 1]), weights, Pass())
        together = y[tokens, text] if every else y[text]
        np.testing.assert_allclose(together, alone[:, 0] if every else alone[0], atol=1e-6)


@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_from_the_end_is_the_text_turned_round(kind: type) -> None:
    forward, backward = kind(D, H, every=True), kind(D, H, every=True, reverse=True)
    weights, x = weights_of(forward), inputs()
    turned, _ = forward.forward(np.ascontiguousarray(x[::-1]), weights, Pass())
    np.testing.assert_array_equal(backward.forward(x, weights, Pass())[0], turned[::-1])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_both_directions_are_two_layers_side_by_side(cell: str) -> None:
    kind = Lstm if cell == "lstm" else Gru
    both = Bidirectional(cell, D, H)
    weights, x = weights_of(both), inputs()
    y, _ = both.forward(x, weights, Pass(present=POST))
    one, _ = kind(D, H).forward(x, weights[:3], Pass(present=POST))
    other, _ = kind(D, H, reverse=True).forward(x, weights[3:], Pass(present=POST))
    np.testing.assert_array_equal(y, np.hstack([one, other]))
    assert both.output((T, D)) == (2 * H,)
    assert Bidirectional(cell, D, H, every=True).output((T, D)) == (T, 2 * H)


@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_recurrent_dropout_is_the_same_at_every_step(kind: type) -> None:
    """Units whose state is dropped for good take no part: their rows of the recurrent kernel get no gradient."""
    layer = kind(D, 8, recurrent_dropout=0.5, every=True)
    weights, x = weights_of(layer), inputs()[:, :1]
    gates = 4 if kind is Lstm else 3
    y, cache = layer.forward(x, weights, Pass(np.random.default_rng(2)))
    gradient = layer.backward(np.ones_like(y), weights, cache)[1][1].reshape(8, gates, 8)
    dropped = np.random.default_rng(2).random((gates, 1, 8), np.float32)[:, 0] < 0.5
    assert 0 < dropped.sum() < dropped.size
    assert len(np.unique(dropped, axis=0)) > 1  # a mask for each gate
    assert np.array_equal((gradient == 0).all(axis=2).T, dropped)


@pytest.mark.parametrize("again", [0.0, 0.3])
@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_input_dropout_is_the_same_at_every_step(kind: type, again: float) -> None:
    """And of all gates, unless recurrent dropout gives each gate masks of its own."""
    layer = kind(8, H, dropout=0.5, recurrent_dropout=again)
    weights = weights_of(layer)
    x = np.random.default_rng(0).normal(size=(T, 1, 8)).astype(np.float32)
    gates = 4 if kind is Lstm else 3
    y, cache = layer.forward(x, weights, Pass(np.random.default_rng(2)))
    gradient = layer.backward(np.ones_like(y), weights, cache)[1][0].reshape(8, gates, H)
    masks = np.random.default_rng(2).random((gates if again else 1, 1, 8), np.float32)
    dropped = np.broadcast_to(masks[:, 0] < 0.5, (gates, 8))
    assert np.array_equal((gradient == 0).all(axis=2).T, dropped)


@pytest.mark.parametrize("layer", [Lstm(D, H), Gru(D, H), Bidirectional("lstm", D, H), Bidirectional("gru", D, H)])
def test_without_a_way_back_nothing_is_kept(layer: Layer) -> None:
    y, cache = layer.forward(inputs(), weights_of(layer), Pass(keep=False))
    assert cache is None or cache == (None, None)
    np.testing.assert_array_equal(y, layer.forward(inputs(), weights_of(layer), Pass())[0])


@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_no_text_at_all(kind: type) -> None:
    layer = kind(D, H)
    assert layer.forward(inputs()[:, :0], weights_of(layer), Pass())[0].shape == (0, H)


def test_what_weights_start_from() -> None:
    kernel, recurrent, bias = Lstm(6, 4).init(np.random.default_rng(0))
    assert bias.tolist() == [0] * 4 + [1] * 4 + [0] * 8  # the forget gate's is 1
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=1e-6)
    assert np.abs(kernel).max() <= np.sqrt(6 / (6 + 16))
    kernel, recurrent, bias = Gru(6, 4).init(np.random.default_rng(0))
    assert bias.shape == (2, 12)
    assert not bias.any()
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=1e-6)
    for layer in (Lstm(6, 4), Gru(6, 4), Bidirectional("lstm", 6, 4), Bidirectional("gru", 6, 4)):
        drawn = layer.init(np.random.default_rng(0))
        assert [w.shape for w in drawn] == list(layer.shapes().values())
        assert all(w.dtype == np.float32 for w in drawn)
    assert not np.array_equal(drawn[0], drawn[3])  # each direction has its own


@pytest.mark.parametrize("kind", [Lstm, Gru])
def test_long_texts_do_not_overflow(kind: type) -> None:
    layer = kind(D, H)
    x = np.full((300, 2, D), 50, np.float32)
    weights = [50 * w for w in weights_of(layer)]
    y, cache = layer.forward(x, weights, Pass())
    assert np.isfinite(y).all()
    assert all(np.isfinite(g).all() for g in layer.backward(np.ones_like(y), weights, cache)[1])
