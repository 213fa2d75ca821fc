"""`Task`: binary, multi-class or multi-label classification, and what depends on which."""

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Task(StrEnum):
    """One of two classes, one of several, or any number of labels for each text.

    The members are strings, in comparisons, messages and JSON. ``Y`` is the class matrix, (n_texts, n_classes), with
    one True in each row, multi-label any number; ``logits`` are (n_texts, n_outputs).

    >>> Task.of(2), Task.of(3), Task.of(3, multilabel=True)
    ('binary', 'multiclass', 'multilabel')
    """

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"

    __repr__ = str.__repr__

    @classmethod
    def of(cls, n_classes: int, *, multilabel: bool = False) -> "Task":
        """Return the task for ``n_classes`` classes; ``multilabel``: each text has a set of them."""
        if multilabel:
            return cls.MULTILABEL
        return cls.BINARY if n_classes == 2 else cls.MULTICLASS

    def with_classes(self, n_classes: int) -> "Task":
        """Return the task of the same kind of labels with another number of classes."""
        return Task.of(n_classes, multilabel=self is Task.MULTILABEL)

    @property
    def has_positive(self) -> bool:
        """Whether one of the classes is the positive one: of two classes only."""
        return self is Task.BINARY

    @property
    def has_threshold(self) -> bool:
        """Whether a threshold decides the labels; multi-class, it may decide one class of several."""
        return self is not Task.MULTICLASS

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of logits of a text: one for two classes, that of the second; else one for each class."""
        return 1 if self is Task.BINARY else n_classes

    def scores(self, logits: Floats) -> Floats:
        """Return logits as scikit-learn returns scores: (n_texts,) for two classes, else (n_texts, n_classes)."""
        return logits[:, 0] if self is Task.BINARY else logits

    def targets(self, Y: Bools) -> Bools:
        """Return the target of each output, (n_texts, n_outputs)."""
        return Y[:, 1:] if self is Task.BINARY else Y

    def truth(self, Y: Bools) -> NDArray[Any]:
        """Return class indices, (n_texts,); multi-label: ``Y`` itself."""
        return Y if self is Task.MULTILABEL else Y.argmax(axis=1)

    def probabilities(self, logits: Floats) -> Floats:
        """Return the probability of each class, (n_texts, n_classes): sigmoid, or softmax of several outputs."""
        if self is Task.MULTICLASS:
            p: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            return p
        p = np.exp(-np.logaddexp(0.0, -logits))
        if self is Task.MULTILABEL:
            return p
        both = np.empty((len(p), 2))
        np.subtract(1.0, p, out=both[:, :1])
        both[:, 1:] = p
        return both

    def row_scores(self, logits: Floats, Y: Bools) -> Floats:
        """Return a score of each text, (n_texts,): 1 if it is classified correctly, else 0; multi-label: -log loss."""
        if self is Task.MULTILABEL:
            return -np.asarray(np.logaddexp(0.0, np.where(Y, -logits, logits)).mean(axis=1))
        predicted = (logits[:, 0] > 0).astype(np.int64) if self is Task.BINARY else logits.argmax(axis=1)
        return np.asarray(Y[np.arange(len(Y)), predicted], dtype=np.float64)
