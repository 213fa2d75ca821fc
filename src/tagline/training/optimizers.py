"""RMSprop, Adam and gradient descent as Keras defines them, which is not quite as PyTorch does.

Keras's epsilon stands under the root in RMSprop and beside the uncorrected root in Adam. These keep to the interface of
``torch.optim.Optimizer``, any of which can take their place, but not to the class: making one imports PyTorch's
compiler, which takes longer than training a small network.
"""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import torch

from tagline.errors import RecipeError

if TYPE_CHECKING:
    from tagline.recipes import Training

Parameters = Iterable[torch.Tensor]


class Optimizer(Protocol):
    """What the loop asks of an optimizer; ``param_groups`` hold the learning rate, ``"lr"``, of their parameters."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> Any:
        """Move the parameters by their gradients."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where another left off."""


class _Optimizer:
    """What ours share: one group of parameters, tensors kept for each, and the number of steps taken."""

    def __init__(self, params: Parameters, lr: float, *names: str) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": list(params), "lr": lr}]
        self.kept = [{name: torch.zeros_like(w) for name in names} for w in self.param_groups[0]["params"]]
        self.taken = 0

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for w in self.param_groups[0]["params"]:
            w.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters by their gradients."""
        self.taken += 1
        group = self.param_groups[0]
        for w, kept in zip(group["params"], self.kept, strict=True):
            self.move(w, w.grad, group["lr"], **kept)

    def move(self, w: torch.Tensor, g: torch.Tensor, lr: float, **kept: torch.Tensor) -> None:
        """Move one parameter."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"kept": self.kept, "taken": self.taken}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where another left off."""
        self.kept, self.taken = state_dict["kept"], state_dict["taken"]


class RMSprop(_Optimizer):
    """``v = rho v + (1 - rho) g²``, ``w -= lr g / sqrt(v + epsilon)``; with momentum ``m = mu m + that``, ``w -= m``.

    Tieleman and Hinton 2012.
    """

    def __init__(
        self, params: Parameters, lr: float = 1e-3, rho: float = 0.9, epsilon: float = 1e-7, momentum: float = 0.0
    ) -> None:
        super().__init__(params, lr, "v", *(["m"] if momentum else []))
        self.rho, self.epsilon, self.momentum = rho, epsilon, momentum

    def move(self, w: torch.Tensor, g: torch.Tensor, lr: float, **kept: torch.Tensor) -> None:
        """Move one parameter."""
        v = kept["v"].mul_(self.rho).addcmul_(g, g, value=1 - self.rho)
        change = torch.add(v, self.epsilon).rsqrt_().mul_(g)
        if self.momentum:
            w.sub_(kept["m"].mul_(self.momentum).add_(change, alpha=lr))
        else:
            w.sub_(change, alpha=lr)


class Adam(_Optimizer):
    """Adam (Kingma and Ba 2015), in the form of its section 2 that Keras takes.

    ::

        m += (1 - beta_1) (g - m),  v += (1 - beta_2) (g² - v)
        w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    ``amsgrad`` (Reddi et al. 2018) takes the greatest v so far.
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, "m", "v", *(["greatest"] if amsgrad else []))
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def move(self, w: torch.Tensor, g: torch.Tensor, lr: float, **kept: torch.Tensor) -> None:
        """Move one parameter."""
        m = kept["m"].lerp_(g, 1 - self.beta_1)
        v = kept["v"].mul_(self.beta_2).addcmul_(g, g, value=1 - self.beta_2)
        if self.amsgrad:
            v = torch.maximum(kept["greatest"], v, out=kept["greatest"])
        rate = lr * math.sqrt(1 - self.beta_2**self.taken) / (1 - self.beta_1**self.taken)
        w.addcdiv_(m, v.sqrt().add_(self.epsilon), value=-rate)


class SGD(_Optimizer):
    """``w -= lr g``; with momentum ``m = mu m - lr g``, ``w += m``."""

    def __init__(self, params: Parameters, lr: float = 1e-2, momentum: float = 0.0) -> None:
        super().__init__(params, lr, *(["m"] if momentum else []))
        self.momentum = momentum

    def move(self, w: torch.Tensor, g: torch.Tensor, lr: float, **kept: torch.Tensor) -> None:
        """Move one parameter."""
        if self.momentum:
            w.add_(kept["m"].mul_(self.momentum).sub_(g, alpha=lr))
        else:
            w.sub_(g, alpha=lr)


def make_optimizer(training: "Training", params: Parameters) -> Optimizer:
    """Return the optimizer that a recipe names, or that its function makes of the parameters."""
    lr = training.learning_rate
    if callable(training.optimizer):
        made: Optimizer = training.optimizer(params)
        if not isinstance(made, torch.optim.Optimizer | _Optimizer):
            raise RecipeError(
                f"`training.optimizer` made {type(made).__name__}: a function of parameters that returns a "
                "`torch.optim.Optimizer` is needed, for example `lambda w: torch.optim.AdamW(w, lr=0.01)`."
            )
        return made
    if training.optimizer == "adam":
        return Adam(params, lr, training.beta_1, training.beta_2, training.epsilon, training.amsgrad)
    if training.optimizer == "rmsprop":
        return RMSprop(params, lr, training.rho, training.epsilon, training.momentum)
    if training.optimizer == "sgd":
        return SGD(params, lr, training.momentum)
    raise RecipeError(f"`training.optimizer` is `{training.optimizer}`: hand over the function again.")


def make_schedule(training: "Training", n_steps: int) -> Callable[[int], float]:
    """Return what the learning rate of step 0, 1, … of ``n_steps`` is multiplied by.

    ``1 / (1 + decay step)``, times 1 (``"constant"``), what is left of the steps (``"linear"``) or
    ``(1 + cos(pi step / n_steps)) / 2`` (``"cosine"``; Loshchilov and Hutter 2017).
    """
    shapes: dict[str, Callable[[float], float]] = {
        "constant": lambda done: 1.0,
        "linear": lambda done: 1.0 - done,
        "cosine": lambda done: (1.0 + math.cos(math.pi * done)) / 2,
    }
    shape = shapes[training.schedule]
    return lambda step: shape(step / n_steps) / (1.0 + training.decay * step)
