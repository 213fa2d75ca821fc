"""Graphs in ONNX Runtime: the models they were made of decide."""

import pickle
from typing import NamedTuple

import numpy as np
import onnx
import pytest
import scipy.sparse as sp

from tagline.calibration import Calibrator, PlattScaling, SigmoidScaling, TemperatureScaling
from tagline.errors import InputError
from tagline.features.weighting import weigh
from tagline.models import HyperParameters, LinearModel, Model, Network, TreeModel
from tagline.models.network.layers import Conv1D, Dense, Dropout, Embedding, MaxPool
from tagline.models.network.recurrent import Gru, Lstm
from tagline.models.onnx import model_graph
from tagline.models.onnx.runtime import OnnxModel
from tagline.models.trees import fit_forest, fit_tree
from tagline.task import Task
from tests.models.network.test_network import SMALL, STEPS, network, texts


class Weighting(NamedTuple):
    scales: tuple[np.ndarray, ...]
    tf: str
    unit: bool


def graph_of(
    model: Model, features: Weighting | None = None, *, temperature: float = 1.0, multilabel: bool = False
) -> bytes:
    if isinstance(model, Network):
        n_outputs = model.n_outputs
    else:
        n_outputs = (model.coef if isinstance(model, LinearModel) else model.value).shape[1]
    task = Task.MULTILABEL if multilabel else Task.BINARY if n_outputs == 1 else Task.MULTICLASS
    return model_graph(model, features, TemperatureScaling(temperature), task)


def checked(graph: bytes) -> OnnxModel:
    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    return OnnxModel(graph)


def probabilities(logits: np.ndarray, *, multilabel: bool) -> np.ndarray:
    if multilabel or logits.shape[1] == 1:
        p = 1 / (1 + np.exp(-logits))
        return p if multilabel else np.hstack([1 - p, p])
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def assert_same(
    model: OnnxModel, X: object, logits: np.ndarray, *, multilabel: bool = False, atol: float = 2e-5
) -> None:
    np.testing.assert_allclose(model.logits(X), logits, atol=atol, rtol=1e-5)
    expected = probabilities(logits, multilabel=multilabel)
    np.testing.assert_allclose(model.probabilities(X), expected, atol=1e-5)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_a_network(name: str, masked: bool, padding: str) -> None:
    net, X = network(name, masked=masked), texts(padding)
    X = np.vstack([X, np.zeros((1, STEPS), np.int32)])
    model = checked(graph_of(net, temperature=0.5, multilabel=False))
    assert_same(model, X, net.logits(X) / 0.5)
    alone = np.vstack([model.logits(X[row : row + 1]) for row in range(len(X))])
    np.testing.assert_allclose(alone, net.logits(X) / 0.5, atol=2e-5, rtol=1e-5)
    assert model.logits(X[:0]).shape == (0, alone.shape[1])


@pytest.mark.parametrize("name", [name for name in SMALL if "cnn" not in name])
def test_padding_inside_a_text_is_passed_over(name: str) -> None:
    """Ids that a user hands over may hold a 0 anywhere."""
    X = np.random.default_rng(0).integers(0, 3, (20, STEPS)).astype(np.int32)
    net = network(name, masked=True)
    assert_same(checked(graph_of(net, temperature=1.0, multilabel=False)), X, net.logits(X))


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cell", [Lstm, Gru])
def test_layers_one_on_the_other(cell: type, masked: bool, padding: str) -> None:
    layers = [
        Embedding(20, 4), Dropout(0.5), cell(4, 3, 0.2, 0.2, every=True), cell(3, 5, every=True, reverse=True),
        MaxPool(), Dense(5, 4, "tanh"), Dropout(0.1), Dense(4, 3),
    ]  # fmt: skip
    net = Network.draw(layers, np.random.default_rng(3), masked=masked)
    X = texts(padding)
    model = checked(graph_of(net, temperature=2.0, multilabel=True))
    assert_same(model, X, net.logits(X) / 2, multilabel=True)


@pytest.mark.parametrize(("n_outputs", "multilabel"), [(1, False), (1, True), (4, False), (4, True)])
def test_rows_of_words(n_outputs: int, multilabel: bool) -> None:
    rng = np.random.default_rng(0)
    net = Network.draw([Dense(30, 8, "relu"), Dropout(0.5), Dense(8, n_outputs)], rng)
    held = (rng.random((700, 30)) < 0.3).astype(np.float32)
    held[5] = 0
    X = sp.csr_matrix(held)
    model = checked(graph_of(net, temperature=0.7, multilabel=multilabel))
    assert_same(model, X, net.logits(X) / 0.7, multilabel=multilabel)
    assert_same(model, X[5], net.logits(X[5]) / 0.7, multilabel=multilabel)


def test_a_masked_network_without_onnx_form_is_refused() -> None:
    layers = [Embedding(20, 4), Conv1D(4, 5, 3), Lstm(5, 3), Dense(3, 1)]
    net = Network.draw(layers, np.random.default_rng(0), masked=True)
    with pytest.raises(InputError, match="no ONNX form"):
        graph_of(net, temperature=1.0, multilabel=False)


def counts(n: int = 600, sizes: tuple[int, ...] = (40, 25)) -> list[sp.csr_matrix]:
    rng = np.random.default_rng(1)
    blocks = [rng.poisson(0.3, (n, size)).astype(np.float32) for size in sizes]
    for block in blocks:
        block[[0, 7]] = 0
    return [sp.csr_matrix(block) for block in blocks]


def scales(sizes: tuple[int, ...] = (40, 25)) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(2)
    drawn = [rng.uniform(0, 3, size).astype(np.float16).astype(np.float32) for size in sizes]
    drawn[0][3] = 0
    return tuple(drawn)


WEIGHINGS = [(tf, unit, n) for tf in ("binary", "log", "count") for unit in (False, True) for n in (1, 2)]


@pytest.mark.parametrize(("tf", "unit", "n_blocks"), WEIGHINGS)
@pytest.mark.parametrize(("n_outputs", "multilabel"), [(1, False), (1, True), (3, False), (3, True)])
def test_a_linear_model(tf: str, unit: bool, n_blocks: int, n_outputs: int, multilabel: bool) -> None:
    blocks, of = counts()[:n_blocks], scales()[:n_blocks]
    rng = np.random.default_rng(4)
    given = sp.hstack(blocks, format="csr")
    model = LinearModel.of(rng.normal(0, 2, (given.shape[1], n_outputs)), rng.normal(size=n_outputs))
    weighed = sp.hstack([weigh(c, s, tf, unit=unit) for c, s in zip(blocks, of, strict=True)], format="csr")
    run = checked(graph_of(model, Weighting(of, tf, unit), temperature=0.2, multilabel=multilabel))
    assert_same(run, given, model.logits(weighed) / 0.2, multilabel=multilabel, atol=1e-9)
    assert_same(run, given[0], model.logits(weighed[0]) / 0.2, multilabel=multilabel, atol=1e-9)  # no entry at all
    assert run.logits(given[:0]).shape == (0, n_outputs)


@pytest.mark.parametrize(
    "calibrator",
    [SigmoidScaling(3.0, -1.5), SigmoidScaling(40.0, 2.0), PlattScaling((0.5, 2.0, 7.0), (1.0, 0.0, -2.0))],
)
def test_every_calibration_is_in_the_graph(calibrator: Calibrator) -> None:
    blocks, of = counts(), scales()
    rng = np.random.default_rng(4)
    given = sp.hstack(blocks, format="csr")
    model = LinearModel.of(rng.normal(0, 2, (given.shape[1], 3)), rng.normal(size=3))
    weighed = sp.hstack([weigh(c, s, "log", unit=True) for c, s in zip(blocks, of, strict=True)], format="csr")
    (task,) = calibrator.tasks
    run = checked(model_graph(model, Weighting(of, "log", True), calibrator, task))
    logits = calibrator.apply(model.logits(weighed))
    assert_same(run, given, logits, multilabel=task is Task.MULTILABEL, atol=1e-7)


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_a_linear_model_with_scaled_coefficients(factor: float) -> None:
    blocks, of = counts(), scales()
    given = sp.hstack(blocks, format="csr")
    coef = np.random.default_rng(4).normal(0, 2, (given.shape[1], 3)) * [factor, 1.0, 0.0]
    model = LinearModel.of(coef, np.zeros(3))
    weighted = sp.hstack([weigh(c, s, "log", unit=True) for c, s in zip(blocks, of, strict=True)], format="csr")
    run = checked(graph_of(model, Weighting(of, "log", True)))
    assert np.abs(model.logits(weighted)).max(axis=0).tolist() == pytest.approx([9 * factor, 9, 0], rel=0.2)
    np.testing.assert_allclose(run.logits(given), model.logits(weighted), rtol=1e-9, atol=1e-9 * factor)


@pytest.mark.parametrize("kind", ["tree", "forest", "leaf"])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("unit", [False, True])
def test_trees(kind: str, n_classes: int, unit: bool) -> None:
    blocks, of = counts(), scales()
    given = sp.hstack(blocks, format="csr")
    weighed = sp.hstack([weigh(c, s, "log", unit=unit) for c, s in zip(blocks, of, strict=True)], format="csr")
    rng = np.random.default_rng(5)
    y = (weighed @ rng.normal(size=(65, n_classes))).argmax(axis=1)
    Y, weights = np.eye(n_classes, dtype=bool)[y], np.ones(len(y))
    model: TreeModel
    if kind == "forest":
        model = fit_forest(weighed, Y, weights, HyperParameters(max_depth=7, n_trees=9), 0)
    else:
        model = fit_tree(
            weighed if kind == "tree" else sp.csr_matrix(weighed.shape), Y, weights, HyperParameters(max_depth=8), 0
        )
    run = checked(graph_of(model, Weighting(of, "log", unit), temperature=1.5, multilabel=False))
    assert_same(run, given, model.logits(weighed) / 1.5, atol=1e-4)
    if kind != "leaf":
        assert len(np.unique(model.logits(weighed)[:, 0].round(4))) > 4


def test_the_same_model_gives_the_same_bytes_and_the_same_bits() -> None:
    blocks, of = counts(4000), scales()
    given = sp.hstack(blocks, format="csr")
    model = LinearModel.of(np.random.default_rng(4).normal(0, 2, (65, 3)), np.zeros(3))
    graph = graph_of(model, Weighting(of, "log", True), temperature=0.2, multilabel=False)
    assert graph == graph_of(model, Weighting(of, "log", True), temperature=0.2, multilabel=False)
    run = OnnxModel(graph)
    first = run.logits(given)
    for _ in range(5):
        assert (run.logits(given) == first).all()
    assert (np.vstack([run.logits(given[row]) for row in range(20)]) == first[:20]).all()
    again = pickle.loads(pickle.dumps(run))
    assert (again.logits(given) == first).all()


def test_an_invalid_graph_is_refused() -> None:
    with pytest.raises(InputError, match="cannot read the graph"):
        OnnxModel(b"not a graph").logits(np.ones((1, 3), np.int32))
