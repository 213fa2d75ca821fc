"""The most confident mistakes of a classifier, each with the words that led it astray."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.runs.predictions import Predicted, label_series

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

N_MISTAKES = 20


def find_mistakes(
    clf: "TextClassifier",
    texts: pl.Series,
    predicted: Predicted,
    classes: Sequence[str],
    most: int = N_MISTAKES,
) -> list[dict[str, Any]]:
    """Return the ``most`` most confident mistakes, most confident first, as ``mistakes.json`` holds them.

    Confident is what `surest_wrong` says.
    """
    from tagline.explain import explain_text

    multilabel = predicted.y_pred.ndim == 2
    wrong, about, confidence = surest_wrong(predicted)
    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(-confidence[rows], kind="stable")][:most]
    labels = label_series(predicted.y_true[rows], classes).to_list()
    predictions = label_series(predicted.y_pred[rows], classes).to_list()
    found = []
    for row, label, prediction in zip(rows.tolist(), labels, predictions, strict=True):
        name = classes[int(about[row])]
        # A label that is wrongly withheld: what speaks against it speaks for the prediction.
        sign = -1.0 if multilabel and not predicted.y_pred[row, about[row]] else 1.0
        spans = []
        if name in clf.classes_.tolist():
            words = explain_text(clf, texts[row], name).words()
            spans = [[start, end, round(sign * value, 6)] for start, end, value in words]
        found.append(
            {
                "text": texts[row],
                "label": label,
                "prediction": prediction,
                "probability": float(confidence[row]),
                "spans": spans,
            }
        )
    return found


def surest_wrong(predicted: Predicted) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
    """Return which rows are wrong, of each the class that is most confidently so, and how confidently; (n,) all.

    Confident is the probability of the prediction; multi-label: of the label that is wrong, given or withheld.
    """
    n = len(predicted.proba)
    if predicted.y_pred.ndim == 1:
        return predicted.y_pred != predicted.y_true, predicted.y_pred, predicted.proba[np.arange(n), predicted.y_pred]
    sure = np.where(predicted.y_pred, predicted.proba, 1 - predicted.proba)  # (n, n_classes)
    sure[predicted.y_pred == predicted.y_true] = -1.0
    about = sure.argmax(axis=1)
    confidence = sure[np.arange(n), about]
    return confidence >= 0, about, confidence
