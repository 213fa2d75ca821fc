"""The training of networks, on PyTorch (extra ``neural``); nothing else imports it before something is trained."""

from importlib.util import find_spec

# What is trained is saved with its ONNX graph: better to miss `onnx` now than after an hour.
if find_spec("torch") is None or find_spec("onnx") is None:
    from tagline.errors import MissingExtraError

    raise MissingExtraError("Training a network", "neural")

from tagline.training.callbacks import Callback, EarlyStopping, KeepWeights, State, VectorsCallback
from tagline.training.checkpoint import Checkpoint
from tagline.training.history import History
from tagline.training.loop import Rows, TrainingOptions, generator, train
from tagline.training.losses import (
    accuracy,
    binary_crossentropy,
    categorical_crossentropy,
    mean_absolute_error,
    mean_squared_error,
)
from tagline.training.optimizers import SGD, Adam, RMSprop

__all__ = [
    "SGD",
    "Adam",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "KeepWeights",
    "RMSprop",
    "Rows",
    "State",
    "TrainingOptions",
    "VectorsCallback",
    "accuracy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "generator",
    "mean_absolute_error",
    "mean_squared_error",
    "train",
]
