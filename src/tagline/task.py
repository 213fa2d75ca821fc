"""What kind of answer a text has, and every decision that depends on it."""

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Task(StrEnum):
    """One of two classes, one of several, or any number of labels.

    The members are strings, so that they compare, print and turn into JSON as such. In what follows ``Y`` is the
    class matrix, (n_texts, n_classes), with one True a row unless a text may have several labels; ``logits`` are
    (n_texts, n_outputs).

    >>> Task.of(2), Task.of(3), Task.of(3, multilabel=True)
    ('binary', 'multiclass', 'multilabel')
    """

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"

    __repr__ = str.__repr__

    @classmethod
    def of(cls, n_classes: int, *, multilabel: bool = False) -> "Task":
        """Return the task of labels with ``n_classes`` classes; ``multilabel``: each text has a set of them."""
        if multilabel:
            return cls.MULTILABEL
        return cls.BINARY if n_classes == 2 else cls.MULTICLASS

    @property
    def has_threshold(self) -> bool:
        """Whether labels are decided by a threshold: not where the most probable of several classes is the answer."""
        return self is not Task.MULTICLASS

    def n_outputs(self, n_classes: int) -> int:
        """Return how many logits a model gives: one for two classes, that of the second; else one for each class."""
        return 1 if self is Task.BINARY else n_classes

    def targets(self, Y: Bools) -> Bools:
        """Return the target of each output, (n_texts, n_outputs)."""
        return Y[:, 1:] if self is Task.BINARY else Y

    def truth(self, Y: Bools) -> NDArray[Any]:
        """Return class indices, (n_texts,), or ``Y`` itself where a text may have several labels."""
        return Y if self is Task.MULTILABEL else Y.argmax(axis=1)

    def probabilities(self, logits: Floats) -> Floats:
        """Return the probability of each class, (n_texts, n_classes): sigmoid, or softmax of several outputs."""
        if self is Task.MULTICLASS:
            p: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            return p
        p = np.exp(-np.logaddexp(0.0, -logits))
        return p if self is Task.MULTILABEL else np.hstack([1.0 - p, p])

    def decide(self, proba: Floats, threshold: float = 0.5, positive: int = 1) -> NDArray[Any]:
        """Return the decision for each text: class indices (n_texts,), or booleans (n_texts, n_classes) for label sets.

        A label, or the class ``positive`` of two, is given where its probability is above the threshold; one equal to
        it is not. Of several classes the most probable one is given, whatever the threshold.
        """
        if self is Task.MULTILABEL:
            return np.asarray(proba > threshold)
        if self is Task.BINARY:
            return np.where(proba[:, positive] > threshold, positive, 1 - positive)
        return np.asarray(proba.argmax(axis=1))

    def row_scores(self, logits: Floats, Y: Bools) -> Floats:
        """Return how well each text is classified, (n_texts,): 1 or 0; of label sets minus the mean log loss."""
        if self is Task.MULTILABEL:
            return -np.asarray(np.logaddexp(0.0, np.where(Y, -logits, logits)).mean(axis=1))
        predicted = (logits[:, 0] > 0).astype(np.int64) if self is Task.BINARY else logits.argmax(axis=1)
        return np.asarray(Y[np.arange(len(Y)), predicted], dtype=np.float64)
