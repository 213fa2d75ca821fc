"""RMSprop, Adam and SGD as Keras defines them; PyTorch's definitions differ.

Keras adds epsilon under the root in RMSprop and to the uncorrected root in Adam. The classes have the interface of
``torch.optim.Optimizer``, so that any of PyTorch's optimizers can replace them, but do not inherit from it: creating
such an optimizer imports PyTorch's compiler, which takes longer than training a small network.
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
    """The interface that the training loop uses; ``param_groups`` hold ``"lr"``, the learning rate."""

    param_groups: list[dict[str, Any]]

    def step(self) -> Any:
        """Update the parameters from their gradients."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint stores."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""


class _Optimizer:
    """Base class: one group of parameters, state tensors of the shape of each, and the number of steps taken.

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
        """Update the parameters from their gradients."""
        self.taken += 1
        weights = self._weights
        self.move(weights, [w.grad for w in weights if w.grad is not None], self.param_groups[0]["lr"])

    def move(self, w: list[torch.Tensor], g: list[torch.Tensor], lr: float) -> None:
        """Update the parameters ``w`` with the gradients ``g``."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a checkpoint stores."""
        return {"kept": self.kept, "taken": self.taken}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state that `state_dict` returned."""
        self.kept, self.taken = state_dict["kept"], state_dict["taken"]


class RMSprop(_Optimizer):
    """``v = rho v + (1 - rho) g²``, ``w -= lr g / sqrt(v + epsilon)``; with momentum ``m = mu m + step``, ``w -= m``.

    Tieleman and Hinton 2012.
    """

    # PyTorch has a fused kernel for Adagrad, ``s += g²``, ``w -= lr g / sqrt(s)``. With s = (v + epsilon) / (1 - rho),
    # RMSprop is the same update after ``s = rho s + epsilon``.

    settings = ("rho", "epsilon", "momentum")

    def __init__(
        self, params: Parameters, lr: float = 1e-3, rho: float = 0.9, epsilon: float = 1e-7, momentum: float = 0.0
    ) -> None:
        super().__init__(params, lr, s=epsilon / (1 - rho), **({"m": 0.0} if momentum else {}))
        self.rho, self.epsilon, self.momentum = rho, epsilon, momentum

    def move(self, w: list[torch.Tensor], g: list[torch.Tensor], lr: float) -> None:
        """Update the parameters ``w`` with the gradients ``g``."""
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
        steps = [torch.zeros(()) for _ in w]  # step counts, used only for a decay of the learning rate, which is 0
        torch._fused_adagrad_(w, g, self.kept["s"], steps, lr=rate, lr_decay=0, weight_decay=0, eps=0, maximize=False)


class Adam(_Optimizer):
    """Adam (Kingma and Ba 2015), in the form at the end of its section 2, as in Keras.

    ::

        m += (1 - beta_1) (g - m),  v += (1 - beta_2) (g² - v)
        w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)

    ``amsgrad`` (Reddi et al. 2018) uses the maximum of v so far.
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
        """Update the parameters ``w`` with the gradients ``g``."""
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
            # PyTorch adds epsilon to the bias-corrected root, sqrt(v / (1 - beta_2^t)).
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
        """Update the parameters ``w`` with the gradients ``g``."""
        for i, (each, gradient) in enumerate(zip(w, g, strict=True)):
            if self.momentum:
                each.add_(self.kept["m"][i].mul_(self.momentum).sub_(gradient, alpha=lr))
            else:
                each.sub_(gradient, alpha=lr)


def make_optimizer(training: "Training", params: Parameters) -> Optimizer:
    """Return the optimizer that a recipe names, or that its function returns for the parameters.

    Raises:
        RecipeError: the function returns something else, or was defined in another process.

    """
    lr = training.learning_rate
    if callable(training.optimizer):
        made: Optimizer = training.optimizer(params)
        if not isinstance(made, torch.optim.Optimizer | _Optimizer):
            raise RecipeError(
                f"`training.optimizer` returned {type(made).__name__}, not a `torch.optim.Optimizer`: pass a function "
                "of the parameters, for example `lambda w: torch.optim.AdamW(w, lr=0.01)`."
            )
        return made
    if training.optimizer in OPTIMIZERS:
        optimizer: type[_Optimizer] = globals()[OPTIMIZERS[training.optimizer]]
        return optimizer(params, lr, **{name: getattr(training, name) for name in optimizer.settings})
    raise RecipeError(f"`training.optimizer` is `{training.optimizer}`, a function that is not stored: pass it again.")


def make_schedule(training: "Training", n_steps: int) -> Callable[[int], float]:
    """Return the factor of the learning rate as a function of the step, 0 to ``n_steps``.

    It is ``1 / (1 + decay step)`` times the factor of the schedule.
    """
    shape = SCHEDULES[training.schedule]
    return lambda step: shape(step / n_steps) / (1.0 + training.decay * step)
