"""The most confident mistakes of a classifier, each with the words that led it astray."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tagline.run.predicted import Predicted, label_series

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

    Confident is the probability of the prediction; multi-label: of the label that is wrong, given or withheld.
    """
    from tagline.explain import explain_text

    multilabel = predicted.y_pred.ndim == 2
    n = len(predicted.proba)
    if multilabel:
        sure = np.where(predicted.y_pred, predicted.proba, 1 - predicted.proba)  # (n, n_classes)
        sure[predicted.y_pred == predicted.y_true] = -1.0
        about = sure.argmax(axis=1)  # (n,), the label that is most confidently wrong
        confidence = sure[np.arange(n), about]
        wrong = confidence >= 0
    else:
        about = predicted.y_pred
        confidence = predicted.proba[np.arange(n), about]
        wrong = predicted.y_pred != predicted.y_true
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
