"""`MODELS`: the classes of fitted models, by the name in a bundle's header."""

from tagline.models.base import Model
from tagline.models.label_tree import LabelTree
from tagline.models.linear import LinearModel
from tagline.models.network.network import Network
from tagline.models.onnx.runtime import OnnxModel
from tagline.models.trees import TreeModel

MODELS: dict[str, type[Model]] = {
    model.kind: model for model in (LinearModel, LabelTree, TreeModel, Network, OnnxModel)
}
