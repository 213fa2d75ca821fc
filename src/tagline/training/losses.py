"""Losses and metrics: functions of logits and targets that return a value for each text.

``targets`` are booleans or probabilities, (n_texts, n_classes), or integer labels, (n_texts,). A network has one output
for two classes and for one label, otherwise one per class. Formulas as in Keras, but computed from logits, without
clipping probabilities at 1e-7.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from tagline.errors import RecipeError, nearest
from tagline.recipes.training import LOSSES as LOSS_NAMES
from tagline.task import Task

if TYPE_CHECKING:
    from tagline.recipes import Training

Tensor = torch.Tensor
Loss = Callable[[Tensor, Tensor], Tensor]


def binary_crossentropy(logits: Tensor, targets: Tensor) -> Tensor:
    """``-t log p - (1 - t) log(1 - p)``, the mean over outputs, (n_texts,)."""
    return functional.binary_cross_entropy_with_logits(logits, aligned(logits, targets), reduction="none").mean(dim=1)


def categorical_crossentropy(logits: Tensor, targets: Tensor) -> Tensor:
    """``-sum_c t_c log p_c``, p by softmax, (n_texts,)."""
    return functional.cross_entropy(logits, aligned(logits, targets), reduction="none")


def mean_squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``(t - p)²``, the mean over outputs, (n_texts,); p by sigmoid of one output, softmax of several."""
    return (aligned(logits, targets) - proba(logits)).square().mean(dim=1)


def mean_absolute_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``|t - p|``, the mean over outputs, (n_texts,)."""
    return (aligned(logits, targets) - proba(logits)).abs().mean(dim=1)


def accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """1 where the most probable class, or p > 0.5 of one output, is the target, otherwise 0, (n_texts,)."""
    target = aligned(logits, targets)
    if logits.shape[1] == 1:
        return ((logits > 0) == (target > 0.5)).float()[:, 0]
    return (logits.argmax(dim=1) == target.argmax(dim=1)).float()


def label_accuracy(logits: Tensor, targets: Tensor) -> Tensor:
    """The share of a text's labels that p > 0.5 predicts, (n_texts,): Keras's binary accuracy."""
    return ((logits > 0) == (aligned(logits, targets) > 0.5)).float().mean(dim=1)


def label_squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``(t - p)²``, the mean over labels, (n_texts,); p by sigmoid of each."""
    return (aligned(logits, targets) - logits.sigmoid()).square().mean(dim=1)


def label_absolute_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``|t - p|``, the mean over labels, (n_texts,); p by sigmoid of each."""
    return (aligned(logits, targets) - logits.sigmoid()).abs().mean(dim=1)


#: The losses of recipes: the functions above, by name.
LOSSES: dict[str, Loss] = {name: globals()[name] for name in LOSS_NAMES}
_KNOWN = {"accuracy": accuracy, **LOSSES}
_OF_LABELS = {  # the same for multi-label targets
    "accuracy": label_accuracy,
    "mean_squared_error": label_squared_error,
    "mean_absolute_error": label_absolute_error,
}
_OF_TORCH: dict[type[Any], str] = {
    torch.nn.BCELoss: "binary_crossentropy",
    torch.nn.BCEWithLogitsLoss: "binary_crossentropy",
    torch.nn.CrossEntropyLoss: "categorical_crossentropy",
    torch.nn.L1Loss: "mean_absolute_error",
    torch.nn.MSELoss: "mean_squared_error",
    torch.nn.NLLLoss: "categorical_crossentropy",
}
_OF_LOGITS = {torch.nn.BCEWithLogitsLoss, torch.nn.CrossEntropyLoss}
_COLUMNS = ("epoch", "loss", "seconds")  # of a history, besides metrics


def aligned(logits: Tensor, targets: Tensor) -> Tensor:
    """Return targets in the shape of the logits: integer labels become one-hot rows."""
    if targets.ndim == 1 and logits.shape[1] > 1:
        return functional.one_hot(targets.long(), logits.shape[1]).to(logits.dtype)
    return targets.reshape(logits.shape).to(logits.dtype)


def proba(logits: Tensor) -> Tensor:
    """Return probabilities: sigmoid of one output, softmax of several."""
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)


def make_loss(training: "Training", task: Task, n_outputs: int) -> Loss:
    """Return the loss that a recipe names.

    Raises:
        RecipeError: it does not fit the labels, or is a function that was defined in another process.

    """
    chosen = training.loss
    if chosen == "crossentropy":
        return LOSSES[_crossentropy_of(task)]
    return _function(chosen, "training.loss", task, n_outputs)


def make_metrics(training: "Training", task: Task, n_outputs: int) -> dict[str, Loss]:
    """Return the metrics that a recipe names, by name; accuracy always.

    Raises:
        RecipeError: as above, or a metric has the name of another column of the history.

    """
    chosen: dict[str, Loss] = {}
    others = [metric for metric in training.metrics if _built_in(metric) != "accuracy"]
    for metric in ("accuracy", *others):
        name = _built_in(metric) or name_of(metric)
        if name in chosen or name in _COLUMNS or name.startswith("val_"):
            raise RecipeError(
                f"`training.metrics` has a metric `{name}`, but the history has a column of this name already: "
                "give the function another name."
            )
        chosen[name] = _function(metric, "training.metrics", task, n_outputs)
    return chosen


def per_row(function: Loss, logits: Tensor, targets: Tensor) -> Tensor:
    """Return a loss or metric for each row, (n_texts,); one that is a mean already is repeated.

    Raises:
        RecipeError: the function returns something else.

    """
    figure = function(logits, targets)
    if not isinstance(figure, Tensor) or figure.shape not in ((), (len(logits),)):
        what = f"a tensor of shape {tuple(figure.shape)}" if isinstance(figure, Tensor) else type(figure).__name__
        raise RecipeError(
            f"The loss or metric `{name_of(function)}` returned {what} for {len(logits):,} texts: it must return a "
            "tensor with a value for each text, (n_texts,), or their mean, ()."
        )
    return figure.expand(len(logits))


def name_of(function: str | Loss) -> str:
    """Return the name of a function, or that of its type if it has none."""
    return function if isinstance(function, str) else getattr(function, "__name__", type(function).__name__)


def _crossentropy_of(task: Task) -> str:
    return "categorical_crossentropy" if task is Task.MULTICLASS else "binary_crossentropy"


def _function(chosen: str | Loss, key: str, task: Task, n_outputs: int) -> Loss:
    """Return a function that fits the labels; a loss of PyTorch is checked like the built-in one of its formula."""
    name = _built_in(chosen)
    what = {
        Task.BINARY: "two classes",
        Task.MULTICLASS: f"{n_outputs:,} classes",
        Task.MULTILABEL: "several labels per text",
    }[task]
    fits = _crossentropy_of(task)
    if name in ("binary_crossentropy", "categorical_crossentropy") and name != fits:
        raise RecipeError(f"`{key}` is `{name_of(chosen)}`, but {what} need `{fits}`.")
    if type(chosen).__module__ == torch.nn.modules.loss.__name__ and type(chosen) not in _OF_LOGITS:
        instead = f'use `"{name}"`' if name else "use a function of logits and targets"
        raise RecipeError(f"`{key}` is PyTorch's `{name_of(chosen)}`, which does not take logits: {instead}.")
    if name in _KNOWN and type(chosen) not in _OF_LOGITS:
        return _OF_LABELS.get(name, _KNOWN[name]) if task is Task.MULTILABEL else _KNOWN[name]
    if isinstance(chosen, str):
        raise RecipeError(
            f"`{key}` is `{chosen}`, which is not built in; if it is a function, pass it again."
            f"{nearest(chosen, _KNOWN)}"
        )
    return chosen


def _built_in(chosen: str | Loss) -> str | None:
    """Return the recipe's name of a built-in function, or of the one with the formula of a loss of PyTorch."""
    if isinstance(chosen, str):
        return chosen if chosen in _KNOWN else None
    ours = next((name for name, function in _KNOWN.items() if function is chosen), None)
    return ours or _OF_TORCH.get(type(chosen))
