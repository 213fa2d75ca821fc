"""Losses and metrics: logits and targets in, a figure for each text out.

``targets`` are booleans or probabilities, (n_texts, n_classes), or integer labels, (n_texts,). A network has one output
for two classes and for one label, else one output a class. Formulas as in Keras, from logits, which is exact
where Keras clips probabilities at 1e-7.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from tagline.errors import RecipeError, nearest

if TYPE_CHECKING:
    from tagline.recipes import Training

Tensor = torch.Tensor
Loss = Callable[[Tensor, Tensor], Tensor]


def binary_crossentropy(logits: Tensor, targets: Tensor) -> Tensor:
    """``-t log p - (1 - t) log(1 - p)``, the mean over a text's outputs, (n_texts,)."""
    return functional.binary_cross_entropy_with_logits(logits, aligned(logits, targets), reduction="none").mean(dim=1)


def categorical_crossentropy(logits: Tensor, targets: Tensor) -> Tensor:
    """``-sum_c t_c log p_c``, p by softmax, (n_texts,)."""
    return -(aligned(logits, targets) * functional.log_softmax(logits, dim=1)).sum(dim=1)


def mean_squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``(t - p)²``, the mean over a text's outputs, (n_texts,); p by sigmoid of one output, softmax of several."""
    return (aligned(logits, targets) - proba(logits)).square().mean(dim=1)


def mean_absolute_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``|t - p|``, the mean over a text's outputs, (n_texts,)."""
    return (aligned(logits, targets) - proba(logits)).abs().mean(dim=1)


def accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """1 where the most probable class is right, of one output where p > 0.5 tells it, (n_texts,)."""
    target = aligned(logits, targets)
    if logits.shape[1] == 1:
        return ((logits > 0) == (target > 0.5)).float()[:, 0]
    return (logits.argmax(dim=1) == target.argmax(dim=1)).float()


def label_accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """The share of a text's labels that p > 0.5 tells, (n_texts,): Keras's binary accuracy."""
    return ((logits > 0) == (aligned(logits, targets) > 0.5)).float().mean(dim=1)


def label_absolute_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``|t - p|``, the mean over a text's labels, (n_texts,); p by sigmoid of each."""
    return (aligned(logits, targets) - logits.sigmoid()).abs().mean(dim=1)


LOSSES: dict[str, Loss] = {
    "binary_crossentropy": binary_crossentropy,
    "categorical_crossentropy": categorical_crossentropy,
    "mean_squared_error": mean_squared_error,
}
METRICS: dict[str, Loss] = {"accuracy": accuracy, "mean_absolute_error": mean_absolute_error}
LABEL_METRICS: dict[str, Loss] = {"accuracy": label_accuracy, "mean_absolute_error": label_absolute_error}


def aligned(logits: Tensor, targets: Tensor) -> Tensor:
    """Return targets in the shape of the logits: integer labels become one-hot rows."""
    if targets.ndim == 1 and logits.shape[1] > 1:
        return functional.one_hot(targets.long(), logits.shape[1]).to(logits.dtype)
    return targets.reshape(logits.shape).to(logits.dtype)


def proba(logits: Tensor) -> Tensor:
    """Return probabilities: sigmoid of one output, softmax of several."""
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)


def make_loss(training: "Training", *, multilabel: bool, n_outputs: int) -> Loss:
    """Return the loss that a recipe names.

    Raises:
        RecipeError: it does not fit the labels, or was a function of Python in another process.

    """
    name = training.loss
    one_each = multilabel or n_outputs == 1
    if name == "crossentropy":
        return binary_crossentropy if one_each else categorical_crossentropy
    if name == "categorical_crossentropy" and one_each:
        what = "several labels a text" if multilabel else "two classes"
        raise RecipeError(f"`training.loss` is `categorical_crossentropy`, but {what} take `binary_crossentropy`.")
    if name == "binary_crossentropy" and not one_each:
        raise RecipeError(
            f"`training.loss` is `binary_crossentropy`, but {n_outputs} classes take `categorical_crossentropy`."
        )
    if name == "mean_squared_error" and multilabel:
        raise RecipeError(
            "`training.loss` is `mean_squared_error`, but several labels a text take `binary_crossentropy`."
        )
    return _function(name, LOSSES, "training.loss")


def make_metrics(training: "Training", *, multilabel: bool) -> dict[str, Loss]:
    """Return the metrics that a recipe names, by name; accuracy always."""
    known = LABEL_METRICS if multilabel else METRICS
    chosen: dict[str, Loss] = {"accuracy": known["accuracy"]}
    for metric in training.metrics:
        if metric != "accuracy":
            name = metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
            chosen[name] = _function(metric, known, "training.metrics")
    return chosen


def _function(name: str | Loss, known: dict[str, Loss], key: str) -> Loss:
    if callable(name):
        return name
    if name not in known:
        raise RecipeError(f"`{key}` is `{name}`: hand over the function again.{nearest(name, known)}")
    return known[name]
