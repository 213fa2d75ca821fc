"""Models as ONNX graphs, from features to ``logits`` and ``probabilities``, for any runtime of any language.

Every graph includes the calibration and has these outputs, a row for each text:

* ``logits``, (n_texts, n_outputs): one output for two classes, else one for each class, calibrated.
* ``probabilities``, (n_texts, n_classes).

and these inputs:

* for n-grams: the entries of the sparse count matrix, each position once: ``rows`` and ``columns``, int64, and
  ``counts``, float32, (n_entries,) each; and the number of texts, ``n_texts``, an int64 scalar;
* for a network that reads the set of words of a text: the same without ``counts``;
* for any other network: ``ids``, int64, (n_texts, n_steps).
"""

from typing import TYPE_CHECKING, Any

from tagline.models.onnx.builder import Builder, Logits, add_outputs
from tagline.task import Task

if TYPE_CHECKING:
    from tagline.calibration import Calibrator
    from tagline.models.base import Model

__all__ = ["Builder", "Logits", "model_graph"]


def model_graph(model: "Model", features: Any, calibrator: "Calibrator", task: Task) -> bytes:
    """Return a model as an ONNX graph.

    Args:
        model: the model.
        features: how counts of n-grams are weighted (`classic.Weighting`); networks ignore it.
        calibrator: calibrates the logits.
        task: decides how probabilities follow from them.

    Raises:
        InputError: the model has no ONNX form, or is too large for one file.
        MissingExtraError: onnx is not installed.

    """
    graph = Builder()
    logits = model.to_graph(graph, features)
    add_outputs(graph, logits, calibrator, task)
    return graph.serialize(model.graph_doc)
