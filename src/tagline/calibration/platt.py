"""Platt scaling of each label: ``p_k = σ(a_k z_k + b_k)``.

Source: J. Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods
(1999). Labels with few rows stay near the slope and intercept that fit all labels together.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tagline.calibration.numbers import finite_list
from tagline.parallel import in_threads
from tagline.task import Bools, Floats, Task

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits

_PENALTY = 10.0  # of the squared distance from the values of all labels, the slope relative to it
_LEAST_SLOPE = 0.01  # relative to the slope of all labels: a label whose logits mislead keeps their order
_STEPS, _HALVINGS, _TOLERANCE = 50, 20, 1e-9


@dataclass(frozen=True)
class PlattScaling:
    """Calibrated logits are ``slopes z + intercepts``, with one of each for each label."""

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    kind: ClassVar[str] = "platt"
    fitted: ClassVar[str] = "slopes and intercepts"
    tasks: ClassVar[frozenset[Task]] = frozenset({Task.MULTILABEL})

    @classmethod
    def fit(
        cls, logits: Floats, Y: Bools, task: Task, weights: Floats | None = None, absent: Bools | None = None
    ) -> "PlattScaling":
        """Return the slopes and intercepts that minimise the penalised log loss of held-out rows, see `_fit`."""
        w = np.repeat((np.ones(len(logits)) if weights is None else weights)[:, None], logits.shape[1], axis=1)
        if absent is not None:
            w[absent] = 0.0
        spread = float(logits[w > 0].std()) if w.any() else 0.0
        if spread == 0:
            n_outputs = logits.shape[1]
            return cls((1.0,) * n_outputs, (0.0,) * n_outputs)
        first = np.array([[1 / spread], [0.0]])
        together = _fit(logits.reshape(-1, 1), Y.reshape(-1, 1), w.reshape(-1, 1), first, 0.0)
        slopes, intercepts = _fit(logits, Y, w, np.repeat(together, logits.shape[1], axis=1), _PENALTY)
        return cls(tuple(slopes.tolist()), tuple(intercepts.tolist()))

    def apply(self, logits: Floats) -> Floats:
        """Return the calibrated logits, (n_texts, n_outputs)."""
        return np.asarray(logits * np.array(self.slopes) + np.array(self.intercepts))

    def line(self, n_outputs: int) -> tuple[Floats, Floats]:
        """Return the slopes and intercepts, (n_outputs,) each."""
        return np.array(self.slopes), np.array(self.intercepts)

    def chosen(self) -> dict[str, Any]:
        """Return the kind of calibration; the numbers are one pair for each label."""
        return {"calibration": self.kind}

    def to_json(self) -> dict[str, Any]:
        """Return the slopes and intercepts."""
        return {"kind": self.kind, "slopes": list(self.slopes), "intercepts": list(self.intercepts)}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "PlattScaling":
        """Return the calibrator that `to_json` came from.

        Raises:
            ValueError: they are not lists of one length, of finite numbers, the slopes above 0.

        """
        slopes, intercepts = finite_list(table, "slopes", above_0=True), finite_list(table, "intercepts")
        if len(slopes) != len(intercepts):
            raise ValueError(f"there are {len(slopes):,} `slopes` and {len(intercepts):,} `intercepts`")
        return cls(slopes, intercepts)

    def to_graph(self, graph: "Builder", logits: "Logits") -> str:
        """Add the product and the sum to an ONNX graph."""
        slopes = graph.constant(np.array(self.slopes, logits.dtype), "slopes")
        intercepts = graph.constant(np.array(self.intercepts, logits.dtype), "intercepts")
        return graph.add("Add", graph.add("Mul", logits.name, slopes), intercepts)


def _fit(z: Floats, Y: Bools, w: Floats, first: Floats, penalty: float) -> Floats:
    """Return slope and intercept of each column of ``z``, (2, n_outputs), from ``first`` on; each by itself."""
    fitted = in_threads(
        lambda k: _fit_label(np.ascontiguousarray(z[:, k]), Y[:, k], w[:, k], first[:, k], penalty), range(z.shape[1])
    )
    return np.column_stack(fitted)


def _fit_label(z: Floats, y: Bools, w: Floats, first: Floats, penalty: float) -> Floats:
    """Return the slope and intercept of the logits ``z``, (2,), by Newton's method from ``first``.

    The log loss has Platt's targets: (n₊ + 1)/(n₊ + 2) for the n₊ rows with the label, 1/(n₋ + 2) for the others. It is
    convex, as is the penalty: the squared distance from ``first``.
    """
    positive, all_of_it = float((w * y).sum()), float(w.sum())
    target = np.where(y, (positive + 1) / (positive + 2), 1 / (all_of_it - positive + 2))
    scale = np.array([1 / first[0], 1.0])  # of the distances
    pull = penalty * scale**2

    def loss(at: Floats) -> tuple[float, Floats]:
        """Return the loss, and the probabilities, (n,)."""
        x = at[0] * z + at[1]
        log_p = np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))  # ln σ(x), and ln σ(-x) = ln σ(x) - x
        value = penalty / 2 * float((((at - first) * scale) ** 2).sum()) - float((w * (log_p - (1 - target) * x)).sum())
        return value, np.exp(log_p)

    at, (now, p) = first, loss(first)
    for _ in range(_STEPS):
        error, curve = w * (p - target), w * p * (1 - p)
        slope, intercept = np.array([(error * z).sum(), error.sum()]) + pull * (at - first)
        of_z = curve * z
        aa, ab = (of_z * z).sum() + pull[0] + _TOLERANCE, of_z.sum()
        bb = curve.sum() + pull[1] + _TOLERANCE
        determinant = max(aa * bb - ab * ab, _TOLERANCE * aa * bb)
        step = np.array([bb * slope - ab * intercept, aa * intercept - ab * slope]) / determinant
        for _ in range(_HALVINGS):
            tried = at - step
            tried[0] = max(tried[0], _LEAST_SLOPE * first[0])
            then, p_then = loss(tried)
            if then <= now:
                break
            step = step / 2
        if then > now:
            break
        gained, at, now, p = now - then, tried, then, p_then
        if gained <= _TOLERANCE * max(1.0, now):
            break
    return at
