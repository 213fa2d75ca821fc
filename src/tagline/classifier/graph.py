"""The ONNX graph of a network, which its classifier keeps, and the classifier that answers by it."""

import copy
from typing import TYPE_CHECKING

from tagline.calibration import uncalibrated
from tagline.models import OnnxModel
from tagline.models.onnx import model_graph

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier


def keep_graph(clf: "TextClassifier", graph: bytes | None) -> None:
    """Keep the graph of the model and the calibrator that a classifier has now."""
    clf.graph_ = graph
    clf.graph_of_ = (clf.model_, clf.calibrator_)


def graph_of(clf: "TextClassifier") -> bytes:
    """Return the ONNX graph of the model.

    Raises:
        InputError: the model has none, or is too large for one file.
        MissingExtraError: onnx is not installed.

    """
    graph = _kept_graph(clf)
    if graph is None:
        graph = model_graph(clf.model_, clf.vectorizer_, clf.calibrator_, clf.task_)
        keep_graph(clf, graph)
    return graph


def classifier_on_graph(clf: "TextClassifier") -> "TextClassifier":
    """Return a classifier that answers by the graph that this one keeps; without one, return this one."""
    graph = _kept_graph(clf)
    if graph is None:
        return clf
    other = copy.copy(clf)
    other.model_, other.calibrator_ = OnnxModel(graph), uncalibrated()  # the graph calibrates
    keep_graph(other, None)
    return other


def _kept_graph(clf: "TextClassifier") -> bytes | None:
    """Return the graph, unless model or calibrator were replaced since it was made."""
    model, calibrator = clf.graph_of_
    return clf.graph_ if clf.model_ is model and clf.calibrator_ == calibrator else None
