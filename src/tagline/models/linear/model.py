"""Linear classifiers: logits = X @ coef + intercept.

Every model has one output for two classes (the logit of the second class), else one output for each class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.models.base import Contributions, Model
from tagline.models.linear.logistic_regression import fit_logistic
from tagline.models.linear.problem import LinearSolver
from tagline.models.linear.svm import fit_linear_svm
from tagline.parallel import in_threads, thread_ranges
from tagline.shared_arrays import shared
from tagline.task import Floats, Ints

if COMPILED:
    from tagline.models.linear import _products

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits
    from tagline.models.onnx.classic import Weighting

_ENTRIES = 1 << 18  # of rows that are multiplied by the coefficients together
_ROWS = 1 << 14  # of coefficients that are rounded together
# Of half precision: bits of a number, and exponents of 2, as `frexp` has them, beyond which bits are lost.
_BITS, _SMALLEST_EXPONENT, _LARGEST_EXPONENT = 11, -14, 16
_LARGEST = 2.0**120  # coefficient that single precision and its sums hold
_LARGEST_STORED = 111  # power of two that a stored coefficient, below 2**16, can be multiplied by in single precision
_STORED_EXPONENT = 15  # that of the largest coefficient of an output that is scaled: no rounding overflows


@dataclass(frozen=True)
class LinearModel(Model):
    """``coef`` is (n_columns, n_outputs) float32, ``intercept`` (n_outputs,) float64.

    Coefficients are rounded to half precision once, after the fit, so that the stored model is the one that was
    evaluated. The coefficients of an output that half precision cannot hold are stored divided by a power of
    two, see `half_exponents`.
    """

    kind: ClassVar[str] = "linear"
    graph_doc: ClassVar[str] = "A linear model of n-grams."

    coef: NDArray[np.float32]
    intercept: Floats

    @staticmethod
    def of(coef: NDArray[np.floating], intercept: Floats) -> "LinearModel":
        """Return a model of double-precision coefficients, (n_columns, n_outputs)."""
        exponents = half_exponents(np.minimum(_largest(coef), _LARGEST))
        rounded = np.empty(coef.shape, dtype=np.float32)

        def round_rows(first: int) -> None:
            rows = slice(first, first + _ROWS)
            rounded[rows] = from_half(_half(np.clip(coef[rows], -_LARGEST, _LARGEST), exponents), exponents)

        in_threads(round_rows, range(0, len(coef), _ROWS))
        return LinearModel(rounded, np.asarray(intercept, dtype=np.float64))

    def logits(self, X: sp.csr_matrix) -> Floats:
        """Return the logits, (n_texts, n_outputs), bit for bit the same for a row alone and in a batch."""
        if COMPILED and X.indices.dtype == np.int32:
            return self._compiled_logits(X)
        coef = self.coef
        if X.nnz < coef.shape[0]:  # few texts: read their columns only
            used, places = np.unique(X.indices, return_inverse=True)
            X = sp.csr_matrix((X.data, places, X.indptr), shape=(X.shape[0], len(used)))
            coef = coef[used]
        products = [X @ coef[:, output].astype(np.float64) for output in range(coef.shape[1])]
        return np.column_stack(products) + self.intercept

    def _compiled_logits(self, X: sp.csr_matrix) -> Floats:
        logits = np.empty((X.shape[0], len(self.intercept)))
        ends, values = X.indptr.astype(np.int64), X.data.astype(np.float64, copy=False)
        coef = np.ascontiguousarray(self.coef)
        in_threads(
            lambda rows: _products.write_logits(ends, X.indices, values, coef, self.intercept, *rows, logits),
            thread_ranges(ends, _ENTRIES),
        )
        return logits

    def check(self, n_features: int, n_outputs: int) -> None:
        """Check the shapes of coefficients and intercepts."""
        if self.coef.shape != (n_features, n_outputs) or self.intercept.shape != (n_outputs,):
            raise ValueError(
                f"coefficients {self.coef.shape} and intercepts {self.intercept.shape} are not those of "
                f"{n_features:,} features and {n_outputs:,} outputs"
            )

    def contributions(self, X: sp.csr_matrix, output: int, factor: float) -> Contributions:
        """Return what each n-gram of a text, (1, n_columns), adds to ``factor`` times a logit."""
        values = X.data * self.coef[X.indices, output].astype(np.float64) * factor
        intercept = float(self.intercept[output]) * factor
        return Contributions(intercept, intercept + float(values.sum()), X.indices.astype(np.int64), values)

    def to_graph(self, graph: "Builder", features: "Weighting") -> "Logits":
        """Add the nodes from counts of n-grams to the logits."""
        from tagline.models.onnx.classic import add_linear

        return add_linear(graph, self.coef, self.intercept, features)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a bundle."""
        half, exponents = to_half(self.coef)
        if not exponents.any():
            return {"coef": half, "intercept": self.intercept}
        # Another name than `coef`, so that versions of tagline that know no exponents reject the bundle.
        return {"scaled_coef": half, "exponent": exponents.astype(np.int16), "intercept": self.intercept}

    @classmethod
    def restore(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], binaries: Mapping[str, bytes]
    ) -> "LinearModel":
        """Return the model with these arrays."""
        if "exponent" in arrays:
            half, exponents = arrays["scaled_coef"], arrays["exponent"]
            if exponents.dtype.kind != "i" or half.ndim != 2 or exponents.shape != half.shape[1:]:
                raise ValueError(
                    f"`exponent` has the shape {exponents.shape} and type {exponents.dtype}; one integer for each "
                    f"column of the coefficients, {half.shape}, is needed"
                )
            if (exponents.astype(np.int64) > _LARGEST_STORED).any() or (exponents.astype(np.int64) < -256).any():
                raise ValueError(f"`exponent` is not between -256 and {_LARGEST_STORED}, so coefficients overflow")
            coef = from_half(half, exponents)
        else:
            coef = arrays["coef"].astype(np.float32)
        return cls(shared(coef), arrays["intercept"].astype(np.float64))


def _largest(coef: NDArray[np.floating]) -> Floats:
    """Return the largest coefficient of each output, whatever its sign, (n_outputs,)."""
    parts = [coef[first : first + _ROWS] for first in range(0, len(coef), _ROWS)]
    of_parts = in_threads(lambda part: np.maximum(part.max(axis=0), -part.min(axis=0)), parts)
    return np.asarray(np.max([np.zeros(coef.shape[1]), *of_parts], axis=0))


def half_exponents(largest: Floats) -> Ints:
    """Return the powers of two by which the coefficients of each output are divided to be stored, (n_outputs,).

    They are 0 as long as half precision holds the ``largest`` coefficient of an output with all its 11 bits, which lies
    between 2⁻¹⁴ and 65,504. Otherwise the largest becomes 2¹⁴ to 2¹⁵, so that smaller ones keep as many bits as they
    can. Rounded coefficients give the same exponents as those that they were rounded from.
    """
    mantissa, exponent = np.frexp(largest)
    largest, exponent = np.frexp(np.ldexp(np.rint(np.ldexp(mantissa, _BITS)), exponent - _BITS))
    fits = (largest == 0.0) | ((exponent > _SMALLEST_EXPONENT) & (exponent <= _LARGEST_EXPONENT))
    return np.where(fits, 0, exponent - _STORED_EXPONENT)


def to_half(coef: NDArray[np.floating]) -> tuple[NDArray[np.float16], Ints]:
    """Return coefficients in half precision, (n_columns, n_outputs), and their `half_exponents`."""
    exponents = half_exponents(_largest(coef))
    return _half(coef, exponents), exponents


def _half(coef: NDArray[np.floating], exponents: Ints) -> NDArray[np.float16]:
    return (np.ldexp(coef, -exponents) if exponents.any() else coef).astype(np.float16)


def from_half(half: NDArray[np.float16], exponents: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return the coefficients that `to_half` rounded, (n_columns, n_outputs)."""
    coef = half.astype(np.float32)
    return np.ldexp(coef, exponents.astype(np.int32)) if exponents.any() else coef


#: The linear models, by the ``model.kind`` of a recipe.
LINEAR_MODELS: dict[str, LinearSolver] = {"linear-svm": fit_linear_svm, "logistic-regression": fit_logistic}

#: Those whose outputs are the logits of one softmax; the others learn each class against the rest.
SOFTMAX_MODELS = ("logistic-regression",)
