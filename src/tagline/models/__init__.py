"""Classifiers of numbers: a sparse matrix or rows of ids to logits. Nothing here knows about text."""

from tagline.models.base import Contributions, HyperParameters, Model
from tagline.models.fit import fit_model
from tagline.models.label_tree import LabelTree
from tagline.models.linear import LinearModel
from tagline.models.network.network import Network
from tagline.models.onnx.runtime import OnnxModel
from tagline.models.registry import MODELS
from tagline.models.trees import TreeModel

__all__ = [
    "MODELS",
    "Contributions",
    "HyperParameters",
    "LabelTree",
    "LinearModel",
    "Model",
    "Network",
    "OnnxModel",
    "TreeModel",
    "fit_model",
]
