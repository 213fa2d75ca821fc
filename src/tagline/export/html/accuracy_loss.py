"""The loss of a pruned and quantized page against its model: probabilities, labels, accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.classifier import TextClassifier
from tagline.run_folder import RunFolder
from tagline.task import Floats

#: The largest allowed difference of the probability of a held-out row.
BOUND = 0.05
#: The largest allowed loss of accuracy; without true labels, of the share of changed labels of real texts.
MOST_LOST = 0.002


@dataclass(frozen=True)
class Losses:
    """``largest`` and ``usual``, the 99 % quantile, are differences of probabilities, of all ``rows``.

    ``different`` labels differ, ``lost`` is their share among real texts: generated ones often lie near the threshold.
    ``accuracy`` and ``page_accuracy`` are those of the model and of the page, None without true labels.
    ``unsure`` real texts at most are answered by one of them and not by the other, at a level that the page offers;
    None if it offers none, or no text is real.
    """

    rows: int
    largest: float
    usual: float
    different: int
    lost: float
    accuracy: float | None
    page_accuracy: float | None
    unsure: int | None

    @property
    def acceptable(self) -> bool:
        """Whether the page is within both bounds."""
        if self.accuracy is not None and self.page_accuracy is not None:
            lost = self.accuracy - self.page_accuracy
        else:
            lost = self.lost
        return self.largest <= BOUND and lost <= MOST_LOST


def measure(
    clf: TextClassifier,
    page: TextClassifier,
    texts: Sequence[str],
    truth: Sequence[Any] | None,
    n_real: int,
    answered_from: Sequence[float] = (),
) -> Losses:
    """Compare the predictions of ``clf`` and of ``page`` for some texts.

    ``truth`` holds the true labels of the first of them; the first ``n_real`` are real, the others generated.
    ``answered_from`` are the least probabilities of an answer at the levels that the page offers.
    """
    proba, page_proba = clf.predict_proba(texts), page.predict_proba(texts)  # (n_texts, n_classes)
    labels, page_labels = _names(clf.decide(proba)), _names(page.decide(page_proba))
    differences = np.abs(proba - page_proba).max(axis=1)
    other = [a != b for a, b in zip(labels, page_labels, strict=True)]
    known = None if truth is None else len(truth)
    unsure = None
    if answered_from and n_real:
        ours, theirs = _confidence(clf, proba[:n_real], labels), _confidence(clf, page_proba[:n_real], page_labels)
        unsure = max(int(((ours < least) != (theirs < least)).sum()) for least in answered_from)
    return Losses(
        rows=len(texts),
        largest=float(differences.max()),
        usual=float(np.quantile(differences, 0.99)),
        different=sum(other),
        lost=sum(other[:n_real]) / max(1, n_real),
        accuracy=None if truth is None else _share_equal(labels[:known], truth),
        page_accuracy=None if truth is None else _share_equal(page_labels[:known], truth),
        unsure=unsure,
    )


def _confidence(clf: TextClassifier, proba: Floats, labels: Sequence[Any]) -> Floats:
    """Return the probability of the class predicted for each text, (n_texts,)."""
    index = {str(name): k for k, name in enumerate(clf.classes_)}
    return np.array([row[index[label]] for row, label in zip(proba, labels, strict=False)])


def known_truth(model_path: Path, clf: TextClassifier, proba: NDArray[np.float64]) -> list[Any] | None:
    """Return the true labels of the first rows, if these are the test rows of the model's run.

    They are if the run's predictions have the same probabilities as ``proba`` (n_texts, n_classes), row by row.
    """
    frame = RunFolder(model_path.parent).predictions
    if frame is None:
        return None
    columns = [f"proba:{name}" for name in clf.classes_]
    if "label" not in frame.columns or not set(columns) <= set(frame.columns) or not 0 < frame.height <= len(proba):
        return None
    if not np.allclose(frame.select(columns).to_numpy(), proba[: frame.height], rtol=0.0, atol=1e-6):
        return None
    return _names(frame["label"].to_list())


def _names(labels: Sequence[Any] | NDArray[Any]) -> list[Any]:
    return [sorted(map(str, label)) if isinstance(label, list) else str(label) for label in labels]


def _share_equal(labels: Sequence[Any], truth: Sequence[Any]) -> float:
    return sum(bool(a == b) for a, b in zip(labels, truth, strict=True)) / len(truth)
