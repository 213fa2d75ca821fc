"""What solvers of linear models take and return."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.task import Bools, Floats


@dataclass(frozen=True, eq=False)
class Prior:
    """What earlier rows say of the coefficients: they are penalised by their distance from those learned before.

    ``coef``, (n_columns, n_outputs), and ``intercept``, (n_outputs,), are those of before. ``precision``, (n_columns,),
    multiplies the penalty of each column, ``intercept_precision`` that of the intercepts.
    """

    coef: NDArray[np.float32]
    intercept: Floats
    precision: Floats
    intercept_precision: float


@dataclass(frozen=True, eq=False)
class LinearProblem:
    """Rows ``X``, (n_texts, n_columns), in CSR, and the outputs to learn from them.

    ``Y``, (n_texts, n_outputs), has both values in each column: one column for two classes, else one for each class or
    label. ``weights``, (n_texts,), are above 0 and multiply the loss of each row; ``C`` multiplies the loss of all.
    ``exclusive``: the outputs are classes, of which each row has one. ``seed`` is for the order of the rows. A linear
    SVM may have a ``prior``; then a column of ``Y`` may have one value only.
    """

    X: sp.csr_matrix
    Y: Bools
    weights: Floats
    C: float
    seed: int
    exclusive: bool
    prior: Prior | None = None


@dataclass(frozen=True, eq=False)
class LinearSolution:
    """``coef`` is (n_columns, n_outputs), ``intercept`` (n_outputs,)."""

    coef: NDArray[np.floating]
    intercept: Floats


#: A solver calls the function with the number of outputs whenever it has learned some.
LinearSolver = Callable[[LinearProblem, Callable[[int], None]], LinearSolution]
