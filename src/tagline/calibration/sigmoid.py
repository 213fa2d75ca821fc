"""Sigmoid scaling of the logits of several classes: ``p_k`` is proportional to ``σ(a z_k + b)``.

A linear model learns each of several classes against the rest, so that the sigmoid is the link of its logits: softmax,
which temperature scaling uses, assumes logits that were learned together. Both numbers are shared by all classes.
Sources: J. Platt, Probabilistic outputs for support vector machines (1999), for one class; B. Zadrozny, C. Elkan,
Transforming classifier scores into accurate multiclass probability estimates (KDD 2002), for their normalisation.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tagline.calibration.margins import LogLoss, sum_blocks
from tagline.calibration.newton import minimise
from tagline.calibration.numbers import finite
from tagline.task import Bools, Floats, Task

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits

_BOUNDS = (-5.0, 6.0), (-30.0, 15.0)  # of the logarithm of the slope and of the intercept, for standardized logits
_MOST_LOGITS = 1_000_000  # of many classes fewer rows suffice for two numbers
#: The loss is not convex. A low intercept is temperature scaling: ``log σ(x)`` is nearly ``x`` far below 0.
_STARTS = ((0.5, -4.0), (0.5, 0.0))
_NORMAL, _OUTLIERS = (
    0.67,
    0.05,
)  # median distance of standardized logits: of normal ones, and where outliers spread them


@dataclass(frozen=True)
class SigmoidScaling:
    """Calibrated logits are ``log σ(slope z + intercept)``; their softmax normalises the sigmoids."""

    slope: float = 1.0
    intercept: float = 0.0
    kind: ClassVar[str] = "sigmoid"
    fitted: ClassVar[str] = "slope and intercept"
    tasks: ClassVar[frozenset[Task]] = frozenset({Task.MULTICLASS})

    @classmethod
    def fit(
        cls,
        logits: Floats,
        Y: Bools,
        task: Task,
        weights: Floats | None = None,
        absent: Bools | None = None,
        near: "SigmoidScaling | None" = None,
    ) -> "SigmoidScaling":
        """Return the two numbers that minimise the log loss of held-out rows, with Platt's targets.

        A target is (n + 1)/(n + 2) for the class of a row, the rest is shared by the other classes.
        """
        w = np.ones(len(logits)) if weights is None else weights
        present = np.ones(logits.shape, dtype=bool) if absent is None else ~absent
        used = np.flatnonzero((present & Y).any(axis=1) & (present.sum(axis=1) > 1) & (w > 0))
        used = used[:: 1 + len(used) * logits.shape[1] // _MOST_LOGITS]
        z, Y, w, present = np.where(present, logits, 0.0)[used], Y[used], w[used], present[used]
        spread = float(z[present].std()) if present.any() else 0.0
        if spread == 0:
            return cls()
        n = w.sum()
        others = 1 / (n + 2) / (present.sum(axis=1, keepdims=True) - 1)
        target = np.where(Y, (n + 1) / (n + 2), others * present)

        z /= spread

        def loss(at: Floats) -> LogLoss:
            slope, intercept = float(np.exp(at[0])), float(at[1])
            sums = sum_blocks(
                lambda b: _sums(slope, intercept, z[b], present[b], target[b], w[b, np.newaxis]), *z.shape
            )
            return LogLoss(float(sums[0]), sums[1:3], sums[3:])

        starts = _starts(z[present]) if near is None else ((np.log(near.slope * spread), near.intercept),)
        found = [minimise(loss, np.array(at), _BOUNDS) for at in starts]
        (log_slope, intercept), _ = min(found, key=lambda one: one[1])
        return cls(float(np.exp(log_slope) / spread), float(intercept))

    def apply(self, logits: Floats) -> Floats:
        """Return the logarithms of the sigmoids, (n_texts, n_outputs)."""
        # As `scipy.special.log_expit`, bit for bit, which takes a twentieth of `tagline predict` to import.
        return np.asarray(-np.logaddexp(0.0, -(self.slope * logits + self.intercept)))

    def line(self, n_outputs: int) -> tuple[Floats, Floats]:
        """Return slope and intercept of the argument of the sigmoid, (n_outputs,) each."""
        return np.full(n_outputs, self.slope), np.full(n_outputs, self.intercept)

    def chosen(self) -> dict[str, Any]:
        """Return the kind and both numbers, rounded."""
        return {"calibration": self.kind, "slope": round(self.slope, 6), "intercept": round(self.intercept, 6)}

    def to_json(self) -> dict[str, Any]:
        """Return both numbers."""
        return {"kind": self.kind, "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> "SigmoidScaling":
        """Return the calibrator that `to_json` came from.

        Raises:
            ValueError: the slope is not a finite number above 0, or the intercept not a finite number.

        """
        return cls(finite(table, "slope", above_0=True), finite(table, "intercept"))

    def to_graph(self, graph: "Builder", logits: "Logits") -> str:
        """Add ``-softplus(-(slope z + intercept))`` to an ONNX graph."""
        slope = graph.constant(np.array(-self.slope, logits.dtype), "slope")
        intercept = graph.constant(np.array(-self.intercept, logits.dtype), "intercept")
        negated = graph.add("Add", graph.add("Mul", logits.name, slope), intercept)
        return graph.add("Neg", graph.add("Softplus", negated))


def _starts(z: Floats) -> tuple[tuple[float, float], ...]:
    """Return where to start from, also at the slope of most logits, (n,), if outliers hide them: there it is flat."""
    distance = float(np.median(np.abs(z - np.median(z))))
    if not 0 < distance < _OUTLIERS:
        return _STARTS
    steeper = float(np.log(_NORMAL / distance))
    return *_STARTS, *((log_slope + steeper, intercept) for log_slope, intercept in _STARTS)


def _sums(
    slope: float, intercept: float, z: Floats, present: Bools, target: Floats, w: Floats
) -> tuple[float, float, float, float, float, float]:
    """Return the sums over some rows that are a `LogLoss`, by the logarithm of the slope and by the intercept."""
    of_slope = slope * z  # the derivative of x by the logarithm of the slope, the first and the second
    x = of_slope + intercept
    e = np.exp(-np.abs(x))
    score = np.where(present, np.minimum(x, 0.0) - np.log1p(e), -np.inf)  # ln σ(x)
    score -= score.max(axis=1, keepdims=True)
    p = np.exp(score)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    log_p = np.where(present, score - np.log(total), 0.0)
    others = np.where(x < 0, 1.0, e) / (1.0 + e)  # 1 - σ(x), the derivative of ln σ(x)
    error = w * (p - target) * others * present  # the derivative of the loss by x
    curve = w * p * others * others - error * (1.0 - others)
    a, b = (p * others * of_slope).sum(axis=1, keepdims=True), (p * others).sum(axis=1, keepdims=True)
    error_a, curve_a = error * of_slope, curve * of_slope
    return (
        -float((w * target * log_p).sum()),
        float(error_a.sum()),
        float(error.sum()),
        float((curve_a * of_slope).sum() + error_a.sum() - (w * a * a).sum()),
        float(curve_a.sum() - (w * a * b).sum()),
        float(curve.sum() - (w * b * b).sum()),
    )
