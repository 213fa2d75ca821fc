"""Platt scaling of each label: ``p_k = σ(a_k z_k + b_k)``.

Source: J. Platt, Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods
(1999). Labels with few rows stay near the slope and intercept that fit all labels together.
"""

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tagline.calibration.margins import LogLoss, Margins
from tagline.calibration.newton import minimise
from tagline.calibration.numbers import finite_list
from tagline.parallel import in_threads
from tagline.task import Bools, Floats, Task

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits

_PENALTY = 10.0  # of the squared distance from the values of all labels, the slope relative to it
_LEAST_SLOPE = 0.01  # relative to the slope of all labels: a label whose logits mislead keeps their order


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
        cls,
        logits: Floats,
        Y: Bools,
        task: Task,
        weights: Floats | None = None,
        absent: Bools | None = None,
        near: "PlattScaling | None" = None,
    ) -> "PlattScaling":
        """Return the slopes and intercepts that minimise the penalised log loss of held-out rows, see `_minimise`."""
        n_outputs = logits.shape[1]
        labels = Margins.of(logits, Y, np.ones(len(logits)) if weights is None else weights, absent)
        counted = labels.z[labels.w > 0]
        spread = float(counted.std()) if len(counted) else 0.0
        if spread == 0:
            return cls((1.0,) * n_outputs, (0.0,) * n_outputs)
        center = np.array([1 / spread, 0.0])
        some = labels.part()
        start = center if some is None else _minimise(some, center, 0.0, center)
        together = _minimise(labels, center, 0.0, start)
        starts = [together] * n_outputs if near is None else np.column_stack([near.slopes, near.intercepts])
        fitted = in_threads(lambda k: _minimise(labels.output(k), together, _PENALTY, starts[k]), range(n_outputs))
        slopes, intercepts = np.array(fitted).T
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


def _minimise(labels: Margins, center: Floats, penalty: float, start: Floats) -> Floats:
    """Return the slope and the intercept, (2,), with the lowest loss by Newton's method from ``start`` on.

    The log loss has Platt's targets: (n₊ + 1)/(n₊ + 2) for the n₊ rows with the label, 1/(n₋ + 2) for the others. It is
    convex, as is the penalty: the squared distance from ``center``.
    """
    positive, all_of_it = float(labels.w[labels.y].sum()), float(labels.w.sum())
    targets = (positive + 1) / (positive + 2), 1 / (all_of_it - positive + 2)
    unit = np.array([center[0], 1.0])  # the slope relative to that of the center
    units = np.array([unit[0] ** 2, unit[0], 1.0])

    def loss(at: Floats) -> LogLoss:
        slope, intercept = (at * unit).tolist()
        of_labels, distance = labels.log_loss(slope, intercept, targets), at - center / unit
        return LogLoss(
            of_labels.value + penalty * float(distance @ distance) / 2,
            of_labels.gradient * unit + penalty * distance,
            of_labels.curvature * units + penalty * np.array([1.0, 0.0, 1.0]),
        )

    found, _ = minimise(loss, start / unit, ((_LEAST_SLOPE, inf), (-inf, inf)))
    return np.asarray(found * unit)
