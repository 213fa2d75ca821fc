"""Whether an export says what its model says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import InputError

Floats = NDArray[np.float64]
BOUND = 1e-4


class ParityError(InputError):
    """An export answers otherwise than its model."""


@dataclass(frozen=True)
class Parity:
    """How near two answers to the same ``rows`` texts are.

    ``largest`` and ``mean`` are of the differences of probabilities, of each text that of the class where it is
    greatest; none is above ``bound``. ``ties``: labels that differ because the probability lies on the border.
    """

    rows: int
    largest: float
    mean: float
    ties: int
    bound: float


def compare(
    expected_proba: Floats,
    expected_labels: Sequence[Any] | NDArray[Any],
    got_proba: Floats,
    got_labels: Sequence[Any] | NDArray[Any],
    bound: float = BOUND,
    *,
    classes: Sequence[Any],
    threshold: float | None = None,
) -> Parity:
    """Compare the answers of a model and of its export to the same texts.

    Args:
        expected_proba: what the model says, (n_texts, n_classes).
        expected_labels: what it decides, (n_texts,): a name each, or a list of names.
        got_proba: what the export says.
        got_labels: what it decides.
        bound: how far apart two probabilities may be.
        classes: the names of the columns of probabilities.
        threshold: the probability above which the model gives a label, None for the most probable class. A label may
            differ where a probability is within ``bound`` of it, or where two classes are as near to each other.

    Raises:
        ParityError: a probability differs by more, or a label without such a tie.

    """
    if got_proba.shape != expected_proba.shape or len(got_labels) != len(expected_labels):
        raise ParityError(
            f"The export gives {got_proba.shape[0]:,} × {got_proba.shape[1]:,} probabilities where the model gives "
            f"{expected_proba.shape[0]:,} × {expected_proba.shape[1]:,}: this is a fault of tagline."
        )
    differences = np.abs(got_proba - expected_proba)
    wrong = ~(differences <= bound)  # a difference that is no number is wrong too
    if wrong.any():
        row, k = np.argwhere(wrong)[0]
        raise ParityError(
            f"The export differs from the model in {int(wrong.any(axis=1).sum()):,} of {len(wrong):,} texts: in text "
            f"{row + 1:,} of the replay a probability is `{got_proba[row, k]:.6f}` and not "
            f"`{expected_proba[row, k]:.6f}`, and {bound:g} is allowed; this is a fault of tagline."
        )
    column = {str(name): k for k, name in enumerate(classes)}

    def tied(row: int) -> bool:
        """Say whether differences within ``bound`` may make just these two labels of the probabilities."""
        proba, expected, got = expected_proba[row], expected_labels[row], got_labels[row]
        if isinstance(got, list | tuple | set):
            assert threshold is not None
            changed = set(map(str, expected)) ^ set(map(str, got))
            return all(name in column and abs(proba[column[name]] - threshold) <= bound for name in changed)
        if threshold is not None:
            return bool((np.abs(proba - threshold) <= bound).any())
        if str(got) not in column:
            return False
        return bool(proba.max() - proba[column[str(got)]] <= 2 * bound)  # one may lose what the other gains

    other = np.array([_name(a) != _name(b) for a, b in zip(expected_labels, got_labels, strict=True)], dtype=bool)
    untied = [row for row in np.flatnonzero(other).tolist() if not tied(row)]
    if untied:
        row = untied[0]
        raise ParityError(
            f"The export gives text {row + 1:,} of the replay the label `{_name(got_labels[row])}` and the model "
            f"`{_name(expected_labels[row])}`, though its probabilities are no tie; this is a fault of tagline."
        )
    greatest = differences.max(axis=1, initial=0.0)
    return Parity(
        rows=len(expected_proba),
        largest=float(greatest.max(initial=0.0)),
        mean=float(greatest.mean()) if len(greatest) else 0.0,
        ties=int(other.sum()),
        bound=bound,
    )


def _name(label: Any) -> str:
    return ", ".join(sorted(map(str, label))) if isinstance(label, list | tuple | set) else str(label)
