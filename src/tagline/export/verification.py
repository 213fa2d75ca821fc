"""Verification: an export must give the predictions of its model before anything is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.classifier import TextClassifier
from tagline.decisions.rule import DecisionRule
from tagline.errors import InputError
from tagline.task import Floats, Task

BOUND = 1e-4


class VerificationError(InputError):
    """The predictions of an export differ from those of its model."""


@dataclass(frozen=True)
class Predictions:
    """Predictions for some texts: ``proba`` (n_texts, n_classes); ``labels`` (n_texts,), a name or a list of names."""

    proba: Floats
    labels: Sequence[Any] | NDArray[Any]


@dataclass(frozen=True)
class Verification:
    """How close the predictions of an export are to those of its model, on ``rows`` texts.

    ``largest`` and ``mean`` are of the differences of probabilities, for each text that of the class with the largest
    difference; none is above ``bound``. ``ties``: labels that differ because of a tie.
    """

    rows: int
    largest: float
    mean: float
    ties: int
    bound: float


def verify(clf: TextClassifier, predict: Callable[[Sequence[Any]], Predictions], texts: Sequence[Any]) -> Verification:
    """Compare what an export predicts for ``texts`` with what its model ``clf`` predicts.

    Raises:
        VerificationError: a probability or a label differs by more than `compare` allows.

    """
    proba = clf.predict_proba(texts)
    return compare(
        Predictions(proba, clf.decide(proba)),
        predict(texts),
        classes=clf.classes_.tolist(),
        task=clf.task_,
        rule=clf.rule_,
    )


def compare(
    expected: Predictions,
    found: Predictions,
    *,
    classes: Sequence[Any],
    task: Task,
    rule: DecisionRule,
    bound: float = BOUND,
) -> Verification:
    """Compare the predictions of a model and of its export for the same texts.

    Args:
        expected: the predictions of the model.
        found: the predictions of the export.
        classes: the names of the columns of probabilities.
        task: the task of the model.
        rule: the decision rule of the model. A label may differ if a probability is within ``bound`` of its threshold,
            or if two classes, or their expected costs, are as close to each other.
        bound: the largest difference of two probabilities that is allowed.

    Raises:
        VerificationError: a probability differs by more, or a label without such a tie.

    """
    if found.proba.shape != expected.proba.shape or len(found.labels) != len(expected.labels):
        raise VerificationError(
            f"The export predicts {found.proba.shape[0]:,} × {found.proba.shape[1]:,} probabilities and the model "
            f"{expected.proba.shape[0]:,} × {expected.proba.shape[1]:,}: this is a bug of tagline."
        )
    differences = np.abs(found.proba - expected.proba)
    wrong = ~(differences <= bound)  # NaN is wrong too
    if wrong.any():
        row, k = np.argwhere(wrong)[0]
        raise VerificationError(
            f"The export differs from the model in {int(wrong.any(axis=1).sum()):,} of {len(wrong):,} texts: in text "
            f"{row + 1:,} of the replay a probability is `{found.proba[row, k]:.6f}` instead of "
            f"`{expected.proba[row, k]:.6f}`, and {bound:g} is allowed; this is a bug of tagline."
        )
    column = {str(name): k for k, name in enumerate(classes)}

    def tied(row: int) -> bool:
        """Return whether differences within ``bound`` explain the two labels."""
        proba, before, after = expected.proba[row], expected.labels[row], found.labels[row]
        if isinstance(after, list | tuple | set):
            near = np.abs(proba - rule.value) <= bound
            changed = set(map(str, before)) ^ set(map(str, after))
            return all(name in column and near[column[name]] for name in changed)
        if str(after) not in column:
            return False
        j, k = column[str(before)], column[str(after)]
        if task is Task.MULTICLASS and rule.costs is not None:
            more = rule.costs.matrix()[:, k] - rule.costs.matrix()[:, j]
            return bool(proba @ more <= bound * np.abs(more).sum())
        if task is Task.BINARY or rule.positive in (j, k):
            return bool(abs(proba[1 if rule.positive is None else rule.positive] - rule.value) <= bound)
        return bool(proba[j] - proba[k] <= 2 * bound)  # one may lose what another gains

    other = np.array([_name(a) != _name(b) for a, b in zip(expected.labels, found.labels, strict=True)], dtype=bool)
    untied = [row for row in np.flatnonzero(other).tolist() if not tied(row)]
    if untied:
        row = untied[0]
        raise VerificationError(
            f"For text {row + 1:,} of the replay the export predicts `{_name(found.labels[row])}` and the model "
            f"`{_name(expected.labels[row])}`, and its probabilities are no tie; this is a bug of tagline."
        )
    greatest = differences.max(axis=1, initial=0.0)
    return Verification(
        rows=len(expected.proba),
        largest=float(greatest.max(initial=0.0)),
        mean=float(greatest.mean()) if len(greatest) else 0.0,
        ties=int(other.sum()),
        bound=bound,
    )


def _name(label: Any) -> str:
    return ", ".join(sorted(map(str, label))) if isinstance(label, list | tuple | set) else str(label)
