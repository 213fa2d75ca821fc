"""Class matrices and probabilities of very many classes, which take no entry for each class.

`OneHot` and `TopProbabilities` answer what arrays of the shape (n_texts, n_classes) are asked, by NumPy's names: their
shape, some rows, single entries, the largest entry of each row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.task import Bools, Floats, Ints, Task

#: Of more classes, class matrices and the probabilities of a label tree are not arrays.
MOST_DENSE_CLASSES = 3_000

_MOST_BYTES = 4_000_000_000  # of an array that has an entry for each class

_Rows: TypeAlias = slice | NDArray[Any]


@dataclass(frozen=True, eq=False)
class OneHot:
    """A class matrix, (n_texts, n_classes), with one True in each row: ``classes``, (n_texts,), are their columns.

    >>> matrix = OneHot(np.array([2, 0]), 3)
    >>> matrix.shape, matrix[1:].dense().tolist()
    ((2, 3), [[True, False, False]])
    """

    classes: Ints
    n_classes: int

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def shape(self) -> tuple[int, int]:
        """Return (n_texts, n_classes)."""
        return len(self.classes), self.n_classes

    def __getitem__(self, rows: _Rows) -> "OneHot":
        return OneHot(self.classes[rows], self.n_classes)

    def argmax(self, axis: int) -> Ints:
        """Return the class of each text, (n_texts,); ``axis`` is 1."""
        return self.classes

    def dense(self) -> Bools:
        """Return the matrix as an array."""
        Y = np.zeros(self.shape, dtype=bool)
        Y[np.arange(len(self)), self.classes] = True
        return Y


@dataclass(frozen=True, eq=False)
class TopProbabilities:
    """The probabilities of the most probable classes of each text, most probable first.

    ``classes`` and ``values`` are (n_texts, k), k at most ``n_classes``. What the values of a row lack to 1 is spread
    evenly over the other classes: rows of the matrix, (n_texts, n_classes), add up to 1.

    >>> proba = TopProbabilities(np.array([[2, 0]]), np.array([[0.6, 0.3]]), 4)
    >>> proba.dense().round(2).tolist()
    [[0.3, 0.05, 0.6, 0.05]]
    """

    classes: Ints
    values: Floats
    n_classes: int

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def shape(self) -> tuple[int, int]:
        """Return (n_texts, n_classes)."""
        return len(self.classes), self.n_classes

    @property
    def k(self) -> int:
        """Return how many classes of each text have a probability of their own."""
        return int(self.classes.shape[1])

    @property
    def nbytes(self) -> int:
        """Return the memory of the arrays."""
        return int(self.classes.nbytes + self.values.nbytes)

    @property
    def rest(self) -> Floats:
        """Return the probability of each other class, (n_texts,)."""
        others = self.n_classes - self.k
        return np.asarray(np.maximum(0.0, 1.0 - self.values.sum(axis=1)) / max(1, others))

    def __getitem__(self, key: Any) -> Any:
        """Return some rows as `TopProbabilities`; with a pair, of rows and classes, (n,) each, entries as an array."""
        if not isinstance(key, tuple):
            return TopProbabilities(self.classes[key], self.values[key], self.n_classes)
        rows, classes = key
        of_rows = self[rows]
        is_class = of_rows.classes == np.asarray(classes)[:, np.newaxis]  # (n, k)
        return np.where(is_class.any(axis=1), (of_rows.values * is_class).sum(axis=1), of_rows.rest)

    def argmax(self, axis: int) -> Ints:
        """Return the most probable class of each text, (n_texts,); ``axis`` is 1."""
        return self.classes[:, 0]

    def max(self, axis: int) -> Floats:
        """Return the largest probability of each text, (n_texts,); ``axis`` is 1."""
        return self.values[:, 0]

    def sums_of_squares(self) -> Floats:
        """Return the sum of the squared probabilities of each text, (n_texts,)."""
        others = self.n_classes - self.k
        return np.asarray(np.square(self.values).sum(axis=1) + others * np.square(self.rest))

    def dense(self) -> Floats:
        """Return the matrix as an array."""
        proba = np.repeat(self.rest[:, np.newaxis], self.n_classes, axis=1)
        np.put_along_axis(proba, self.classes, self.values, axis=1)
        return proba

    def renumbered(self, places: Ints, n_classes: int) -> "TopProbabilities":
        """Return the probabilities where class k has become class ``places[k]`` of ``n_classes``."""
        return TopProbabilities(places[self.classes], self.values, n_classes)


ClassMatrix: TypeAlias = Bools | OneHot
Probabilities: TypeAlias = Floats | TopProbabilities


def true_classes(Y: ClassMatrix, task: Task) -> NDArray[Any]:
    """Return class indices, (n_texts,); multi-label: ``Y`` itself."""
    return Y.classes if isinstance(Y, OneHot) else task.truth(Y)


def as_array(matrix: ClassMatrix) -> Bools:
    """Return a class matrix as an array.

    Raises:
        InputError: it would take too much memory.

    """
    if not isinstance(matrix, OneHot):
        return matrix
    check_array(*matrix.shape, 1, "what takes fewer, such as the recipe `fast`")
    return matrix.dense()


def check_array(n_texts: int, n_classes: int, size: int, instead: str) -> None:
    """Raise `InputError` if an array of ``size`` bytes for each text and class takes too much memory."""
    if (n_bytes := n_texts * n_classes * size) > _MOST_BYTES:
        raise InputError(
            f"{n_classes:,} classes of each of {n_texts:,} texts would take {n_bytes / 1e9:,.0f} GB of memory: take "
            f"{instead}."
        )


def probability_array(proba: Probabilities) -> Floats:
    """Return probabilities as an array, (n_texts, n_classes).

    Raises:
        InputError: it would take too much memory.

    """
    if not isinstance(proba, TopProbabilities):
        return proba
    check_array(*proba.shape, 8, "`predict_top`, which returns the most probable classes")
    return proba.dense()


def top_classes(proba: Probabilities, k: int) -> TopProbabilities:
    """Return the ``k`` most probable classes of each text, or as many as have a probability of their own."""
    if isinstance(proba, TopProbabilities):
        return TopProbabilities(proba.classes[:, :k], proba.values[:, :k], proba.n_classes)
    best = np.argsort(-proba, axis=1, kind="stable")[:, :k]
    return TopProbabilities(best, np.take_along_axis(proba, best, axis=1), proba.shape[1])


def check_few(n_classes: int, what: str, instead: str = "") -> None:
    """Raise `InputError` if there are too many classes for ``what``, which takes memory for each class or their pairs.

    ``instead`` says what serves so many classes.
    """
    if n_classes > MOST_DENSE_CLASSES:
        advice = f": {instead}" if instead else ""
        raise InputError(f"{what} are for up to {MOST_DENSE_CLASSES:,} classes, and there are {n_classes:,}{advice}.")


def joined(parts: Sequence[Probabilities]) -> Probabilities:
    """Return the probabilities of all parts, one after the other; they are all of one type."""
    tops = [part for part in parts if isinstance(part, TopProbabilities)]
    if not tops:
        return np.vstack([part for part in parts if not isinstance(part, TopProbabilities)])
    classes, values = (np.vstack([getattr(part, name) for part in tops]) for name in ("classes", "values"))
    return TopProbabilities(classes, values, tops[0].n_classes)
