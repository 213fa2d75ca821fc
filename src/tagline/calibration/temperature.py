"""Temperature scaling: logits divided by one number.

Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On Calibration of Modern Neural Networks (ICML 2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from tagline.calibration.margins import Margins, sum_blocks
from tagline.calibration.numbers import finite
from tagline.task import Bools, Floats, Ints, Task

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits

_MAX_STEPS = 60
_TEMPERATURES = (0.01, 100.0)
_Derivatives = Callable[[float], tuple[float, float]]  # of the log loss at 1 / temperature, the first and the second


@dataclass(frozen=True)
class TemperatureScaling:
    """Calibrated logits are ``logits / temperature``; a temperature of 1 leaves them as they are."""

    temperature: float = 1.0
    kind: ClassVar[str] = "temperature"
    fitted: ClassVar[str] = "temperature"
    tasks: ClassVar[frozenset[Task]] = frozenset(Task)

    @classmethod
    def fit(
        cls,
        logits: Floats,
        Y: Bools,
        task: Task,
        weights: Floats | None = None,
        absent: Bools | None = None,
        near: "TemperatureScaling | None" = None,
    ) -> "TemperatureScaling":
        """Return the temperature that minimises the log loss of held-out rows, see `fit_temperature`."""
        start = None if near is None else near.temperature
        return cls(fit_temperature(task.scores(logits), task.truth(Y), task, weights, absent, start))

    def apply(self, logits: Floats) -> Floats:
        """Return the logits divided by the temperature, (n_texts, n_outputs)."""
        return np.asarray(logits / self.temperature)

    def line(self, n_outputs: int) -> tuple[Floats, Floats]:
        """Return the slope, 1 / temperature, and the intercept, 0, (n_outputs,) each."""
        return np.full(n_outputs, 1.0 / self.temperature), np.zeros(n_outputs)

    def chosen(self) -> dict[str, Any]:
        """Return the temperature, rounded."""
        return {"temperature": round(self.temperature, 6)}

    def to_json(self) -> dict[str, Any]:
        """Return the temperature."""
        return {"kind": self.kind, "temperature": self.temperature}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "TemperatureScaling":
        """Return the calibrator that `to_json` came from.

        Raises:
            ValueError: the temperature is missing, or not a finite number above 0.

        """
        return cls(finite(table, "temperature", above_0=True))

    def to_graph(self, graph: "Builder", logits: "Logits") -> str:
        """Add the division to an ONNX graph."""
        return graph.add("Div", logits.name, graph.constant(np.array(self.temperature, logits.dtype), "temperature"))


def fit_temperature(
    logits: ArrayLike,
    y_true: ArrayLike,
    task: str,
    weights: ArrayLike | None = None,
    absent: Bools | None = None,
    start: float | None = None,
) -> float:
    """Return the temperature T, between 0.01 and 100, that minimises the log loss of ``softmax(logits / T)``.

    In β = 1/T the loss is convex, with derivative mean(E_p[z] - z_y) and second derivative mean(Var_p[z]);
    Newton's method finds its root, halving a bracket where a step would leave it. As Platt (1999) does, each
    row's class has a target of (n + 1)/(n + 2) instead of 1, the rest shared by the other classes: rows that are all
    classified correctly would otherwise make the temperature as low as possible.

    Args:
        logits: ``(n, n_classes)``; for two classes also margins ``(n,)`` for class 1; multi-label:
            independent margins ``(n, n_classes)``.
        y_true: Class indices ``(n,)``, or booleans ``(n, n_classes)`` for multi-label data.
        task: ``"binary"``, ``"multiclass"`` or ``"multilabel"``.
        weights: How many times each row counts, ``(n,)``; n is then their sum. By default once.
        absent: Classes that the model of a row was trained without, ``(n, n_classes)``. Their logits are arbitrary:
            they are ignored, and so are rows of such a class and rows with fewer than two other classes.
        start: The temperature to start from; it saves steps if it is near.

    """
    z, y = np.asarray(logits, float), np.asarray(y_true)
    w = np.ones(len(z)) if weights is None else np.asarray(weights, float)
    if z.ndim == 2 and task != Task.MULTILABEL:
        return 1 / _minimise(_of_softmax(z, y, w, absent), 1 / (start or 1.0))
    if z.ndim == 1:
        w = w if absent is None else w * ~absent.any(axis=1)
        z, y, absent = z[:, np.newaxis], y[:, np.newaxis], None
    margins = Margins.of(z, y, w, absent)
    some = margins.part() if start is None else None
    beta = 1 / (start or 1.0) if some is None else _minimise(_of_margins(some), 1.0)
    return 1 / _minimise(_of_margins(margins), beta)


def _minimise(derivatives: _Derivatives | None, beta: float) -> float:
    """Return the β with the lowest loss by Newton's method from ``beta`` on; 1 if nothing counts."""
    if derivatives is None:
        return 1.0
    low, high = 1 / _TEMPERATURES[1], 1 / _TEMPERATURES[0]
    for _ in range(_MAX_STEPS):
        slope, curvature = derivatives(beta)
        if slope > 0:
            high = beta
        else:
            low = beta
        newton = beta - slope / curvature if curvature > 0 else np.inf
        step = newton if low < newton < high else (low * high) ** 0.5
        moved, beta = abs(step - beta), step
        # A step of Newton's method squares the relative error; halving a bracket does not.
        if moved <= (1e-6 if step == newton else 1e-9) * beta:
            break
    return beta


def _of_margins(margins: Margins) -> _Derivatives | None:
    """Return the derivatives for margins; of two classes, the other one has the logit 0. None if no row counts."""
    n = float(margins.w.sum())
    if n == 0:
        return None
    targets = (n + 1) / (n + 2), 1 / (n + 2)

    def derivatives(beta: float) -> tuple[float, float]:
        loss = margins.log_loss(beta, 0.0, targets)
        return float(loss.gradient[0]) / n, float(loss.curvature[0]) / n

    return derivatives


def _of_softmax(z: Floats, y: Ints, w: Floats, absent: Bools | None) -> _Derivatives | None:
    """Return the derivatives for logits of several classes; None if no row counts."""
    if absent is not None:
        usable = ~absent[np.arange(len(z)), y] & ((~absent).sum(axis=1) > 1)
        z, y, w = np.where(absent, -np.inf, z)[usable], y[usable], w[usable]
    n = float(w.sum())
    if n == 0:
        return None
    shifted = z - z.max(axis=1, keepdims=True)  # (n, n_classes); the largest is 0, so that exp never overflows
    present = np.isfinite(shifted)
    z = np.where(present, shifted, 0.0)
    true = z[np.arange(len(z)), y]
    others = (z.sum(axis=1) - true) / (present.sum(axis=1) - 1)
    wanted = true + (others - true) / (n + 2)

    def derivatives(beta: float) -> tuple[float, float]:
        def sums(b: slice) -> tuple[float, float]:
            p = np.exp(beta * shifted[b])
            of_z = p / p.sum(axis=1, keepdims=True) * z[b]
            expected = of_z.sum(axis=1)
            squares = (of_z * z[b]).sum(axis=1)
            return float(w[b] @ (expected - wanted[b])), float(w[b] @ (squares - expected**2))

        slope, curvature = sum_blocks(sums, *z.shape) / n
        return float(slope), float(curvature)

    return derivatives
