"""``[training]`` of a recipe, and the registries of what it may name.

Reading a recipe must not import PyTorch, so the registries hold names of classes and functions in `tagline.training`.
"""

import math
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, field_serializer, field_validator

from tagline.recipes.tables import Count, Function, NotNegative, Positive, Share, Table, one_of

#: The class of each optimizer in `tagline.training.optimizers`.
OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}
#: Functions of `tagline.training.losses`; ``"crossentropy"`` is the binary or the categorical one.
LOSSES = ("binary_crossentropy", "categorical_crossentropy", "mean_squared_error", "mean_absolute_error")
#: The factor of the learning rate, given the share of the steps done. Cosine: Loshchilov and Hutter 2017.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: (1.0 + math.cos(math.pi * done)) / 2,
}

OptimizerName = Annotated[str, one_of(OPTIMIZERS)]
LossName = Annotated[str, one_of(["crossentropy", *LOSSES])]
MetricName = Annotated[str, one_of(["accuracy", *LOSSES])]
ScheduleName = Annotated[str, one_of(SCHEDULES)]


class Training(Table):
    """``[training]``: how a network is trained.

    ``optimizer``: one of `OPTIMIZERS`, as Keras defines them; from Python also a function from parameters to a
    ``torch.optim.Optimizer``. The learning rate is ``learning_rate`` / (1 + ``decay`` · step), times ``schedule``.
    ``loss``: one of `LOSSES`, or ``"crossentropy"``, the binary one for two classes or for labels and the categorical
    one otherwise; from Python also a function of logits and targets. ``metrics``: names or functions. Keras's short
    names, such as ``"bce"``, are accepted.
    ``early_stopping``: patience, the number of epochs without a lower validation loss after which training stops and
    the best weights are restored; 0 to disable.
    """

    optimizer: OptimizerName | Function = "adam"
    learning_rate: Positive = 1e-3
    decay: NotNegative = 0.0
    schedule: ScheduleName = "constant"
    beta_1: Share = 0.9
    beta_2: Share = 0.999
    epsilon: Positive = 1e-7
    amsgrad: bool = False
    rho: Share = 0.9
    momentum: Share = 0.0
    loss: LossName | Function = "crossentropy"
    metrics: tuple[MetricName | Function, ...] = ("accuracy",)
    batch_size: Count = 512
    epochs: Count = 10
    early_stopping: int = Field(default=0, ge=0)

    @field_validator("loss", mode="before")
    @classmethod
    def _other_names(cls, loss: Any) -> Any:
        return _in_full(loss)

    @field_validator("metrics", mode="before")
    @classmethod
    def _one_or_several(cls, metrics: Any) -> Any:
        if isinstance(metrics, str) or callable(metrics):
            return (_in_full(metrics),)
        return tuple(_in_full(metric) for metric in metrics) if isinstance(metrics, list | tuple) else metrics

    @field_serializer("optimizer", "loss", "metrics", when_used="json")
    def _name_functions(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return [self._name_functions(each) for each in value]
        if not callable(value):
            return value
        named = (
            value if hasattr(value, "__qualname__") else type(value)
        )  # an object such as a partial is named by its class
        return f"python:{named.__module__}.{named.__qualname__}"


# Keras's other names. Labels may be integers or one-hot rows with every loss.
_OTHER_NAMES = {
    "acc": "accuracy",
    "bce": "binary_crossentropy",
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "sparse_categorical_crossentropy": "categorical_crossentropy",
}


def _in_full(name: Any) -> Any:
    return _OTHER_NAMES.get(name.lower(), name) if isinstance(name, str) else name
