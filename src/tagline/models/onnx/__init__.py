"""Models as ONNX graphs, from features to ``logits`` and ``probabilities``, for any runtime of any language.

Every graph has a ``temperature`` inside and these outputs, a row for each text:

* ``logits``, (n_texts, n_outputs): one output for two classes, else one a class, calibrated.
* ``probabilities``, (n_texts, n_classes).

and these inputs:

* of n-grams: the entries of the sparse count matrix, each place once: ``rows`` and ``columns``, int64, and ``counts``,
  float32, (n_entries,) all; and how many texts there are, ``n_texts``, an int64 scalar;
* of a network that reads which words a text holds: the same without ``counts``;
* of any other network: ``ids``, int64, (n_texts, n_steps).
"""

from tagline.models.onnx.classic import Weighing, linear_graph, tree_graph
from tagline.models.onnx.networks import network_graph

__all__ = ["Weighing", "linear_graph", "network_graph", "tree_graph"]
