"""RMSprop, Adam and gradient descent as Keras defines them, which is not quite as PyTorch does.

Keras's epsilon stands under the root in RMSprop and beside the uncorrected root in Adam. These keep to the interface of
``torch.optim.Optimizer``, any of which can take their place, but not to the class: making one imports PyTorch's
compiler, which takes longer than training a small network.
"""

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch

from tagline.errors import RecipeError
from tagline.recipes.training import OPTIMIZERS, SCHEDULES

if TYPE_CHECKING:
    from tagline.recipes import Training

Parameters = Iterable[torch.Tensor]


class Optimizer(Protocol):
    """What the loop asks of an optimizer; ``param_groups`` hold the learning rate, ``"lr"``, of their parameters."""

    param_groups: list[dict[str, Any]]

    def step(self) -> Any:
        """Move the parameters by their gradients."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where another left off."""


class _Optimizer:
    """What ours share: one group of parameters, tensors kept for each, and the number of steps taken.

    ``settings`` are the keys of ``[training]`` that a subclass takes besides the learning rate.
    """

    settings: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Parameters, lr: float, **start: Any) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": list(params), "lr": lr}]
        self.kept = {name: [torch.full_like(w, value) for w in self._weights] for name, value in start.items()}
        self.taken = 0

    @property
    def _weights(self) -> list[torch.Tensor]:
        weights: list[torch.Tensor] = self.param_groups[0]["params"]
        return weights

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters by their gradients."""
        self.taken += 1
        weights = self._weights
        self.move(weights, [w.grad for w in weights if w.grad is not None], self.param_groups[0]["lr"])

    def move(self, w: list[torch.Tensor], g: list[torch.Tensor], lr: float) -> None:
        """Move the parameters."""
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

    # PyTorch moves weights in one pass over the memory by Adagrad's rule, ``s += g²``, ``w -= lr g / sqrt(s)``. With
    # s = (v + epsilon) / (1 - rho), ours is that rule once s has become ``rho s + epsilon``.

    settings = ("rho", "epsilon", "momentum")

    def __init__(
        self, params: Parameters, lr: float = 1e-3, rho: float = 0.9, epsilon: float = 1e-7, momentum: float = 0.0
    ) -> None:
        super().__init__(params, lr, s=epsilon / (1 - rho), **({"m": 0.0} if momentum else {}))
        self.rho, self.epsilon, self.momentum = rho, epsilon, momentum

    def move(self, w: list[torch.Tensor], g: list[torch.Tensor], lr: float) -> None:
        """Move the parameters."""
        for s in self.kept["s"]:
            torch.add(torch.tensor(self.epsilon), s, alpha=self.rho, out=s)
        if not self.momentum:
            self._descend(w, g, lr)
            return
        change = [torch.zeros_like(each) for each in w]
        self._descend(change, g, lr)
        for each, m, by in zip(w, self.kept["m"], change, strict=True):
            each.add_(m.mul_(self.momentum).add_(by))

    def _descend(self, w: list[torch.Tensor], g: list[torch.Tensor], lr: float) -> None:
        rate = lr / math.sqrt(1 - self.rho)
        steps = [torch.zeros(()) for _ in w]  # of the decay of the learning rate, which there is none of
        torch._fused_adagrad_(w, g, self.kept["s"], steps, lr=rate, lr_decay=0, weight_decay=0, eps=0, maximize=False)


class Adam(_Optimizer):
    """Adam (Kingma and Ba 2015), in the form of its section 2 that Keras takes.

    ::

        m += (1 - beta_1) (g - m),  v += (1 - beta_2) (g² - v)
        w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    ``amsgrad`` (Reddi et al. 2018) takes the greatest v so far.
    """

    settings = ("beta_1", "beta_2", "epsilon", "amsgrad")

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, m=0.0, v=0.0, **({"greatest": 0.0} if amsgrad else {}))
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def move(self, w: list[torch.Tensor], g: list[torch.Tensor], lr: float) -> None:
        """Move the parameters."""
        torch._fused_adam_(
            w,
            g,
            self.kept["m"],
            self.kept["v"],
            self.kept.get("greatest", []),
            [torch.tensor(float(self.taken)) for _ in w],
            lr=lr,
            beta1=self.beta_1,
            beta2=self.beta_2,
            weight_decay=0,
            # PyTorch adds epsilon to the corrected root, sqrt(v / (1 - beta_2^t)).
            eps=self.epsilon / math.sqrt(1 - self.beta_2**self.taken),
            amsgrad=self.amsgrad,
            maximize=False,
        )


class SGD(_Optimizer):
    """``w -= lr g``; with momentum ``m = mu m - lr g``, ``w += m``."""

    settings = ("momentum",)

    def __init__(self, params: Parameters, lr: float = 1e-2, momentum: float = 0.0) -> None:
        super().__init__(params, lr, **({"m": 0.0} if momentum else {}))
        self.momentum = momentum

    def move(self, w: list[torch.Tensor], g: list[torch.Tensor], lr: float) -> None:
        """Move the parameters."""
        for i, (each, gradient) in enumerate(zip(w, g, strict=True)):
            if self.momentum:
                each.add_(self.kept["m"][i].mul_(self.momentum).sub_(gradient, alpha=lr))
            else:
                each.sub_(gradient, alpha=lr)


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
    if training.optimizer in OPTIMIZERS:
        optimizer: type[_Optimizer] = globals()[OPTIMIZERS[training.optimizer]]
        return optimizer(params, lr, **{name: getattr(training, name) for name in optimizer.settings})
    raise RecipeError(f"`training.optimizer` is `{training.optimizer}`: hand over the function again.")


def make_schedule(training: "Training", n_steps: int) -> Callable[[int], float]:
    """Return what the learning rate of step 0, 1, … of ``n_steps`` is multiplied by.

    ``1 / (1 + decay step)``, times that of the schedule.
    """
    shape = SCHEDULES[training.schedule]
    return lambda step: shape(step / n_steps) / (1.0 + training.decay * step)
