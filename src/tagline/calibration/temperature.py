"""Temperature scaling: logits divided by one number.

Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On Calibration of Modern Neural Networks (ICML 2017).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from tagline.calibration.numbers import finite
from tagline.task import Bools, Floats, Task

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits

_MAX_STEPS = 60
_TEMPERATURES = (0.01, 100.0)


@dataclass(frozen=True)
class TemperatureScaling:
    """Calibrated logits are ``logits / temperature``; a temperature of 1 leaves them as they are."""

    temperature: float = 1.0
    kind: ClassVar[str] = "temperature"
    fitted: ClassVar[str] = "temperature"
    tasks: ClassVar[frozenset[Task]] = frozenset(Task)

    @classmethod
    def fit(
        cls, logits: Floats, Y: Bools, task: Task, weights: Floats | None = None, absent: Bools | None = None
    ) -> "TemperatureScaling":
        """Return the temperature that minimises the log loss of held-out rows, see `fit_temperature`."""
        return cls(fit_temperature(task.scores(logits), task.truth(Y), task, weights, absent))

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

    """
    z, y = np.asarray(logits, float), np.asarray(y_true)
    w = np.ones(len(z)) if weights is None else np.asarray(weights, float)
    usable: Bools | None = None
    if task == Task.MULTILABEL or z.ndim == 1:
        if absent is not None:
            usable = np.asarray(~absent.any(axis=1) if z.ndim == 1 else ~absent.ravel())
        w = np.repeat(w, z.size // max(1, len(z)))
        margin = z.ravel()
        z, y = np.stack([np.zeros_like(margin), margin], 1), y.ravel().astype(np.int64)
    elif absent is not None:
        z = np.where(absent, -np.inf, z)
        usable = ~absent[np.arange(len(z)), y] & ((~absent).sum(axis=1) > 1)
    if usable is not None:
        z, y, w = z[usable], y[usable], w[usable]
    if len(z) == 0 or not w.any():
        return 1.0
    shifted = z - z.max(1, keepdims=True)  # (n, n_classes); the largest is 0, so that exp never overflows
    present = np.isfinite(shifted)
    z = np.where(present, shifted, 0.0)
    z_true = z[np.arange(len(z)), y]
    others = (z.sum(1) - z_true) / (present.sum(1) - 1)
    z_true = z_true + (others - z_true) / (w.sum() + 2)
    low, high = 1 / _TEMPERATURES[1], 1 / _TEMPERATURES[0]
    beta = 1.0
    for _ in range(_MAX_STEPS):
        p = np.exp(beta * shifted)
        p /= p.sum(1, keepdims=True)
        expected = (p * z).sum(1)
        slope = float(np.average(expected - z_true, weights=w))
        curvature = float(np.average((p * z * z).sum(1) - expected**2, weights=w))
        if slope > 0:
            high = beta
        else:
            low = beta
        newton = beta - slope / curvature if curvature > 0 else np.inf
        step = newton if low < newton < high else (low * high) ** 0.5
        if abs(step - beta) <= 1e-9 * beta:
            break
        beta = step
    return float(1 / beta)
