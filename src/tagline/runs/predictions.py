"""Predictions for labelled rows, as arrays over the classes of the data, and the most confident mistakes among them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.decisions.costs import CostMatrix
from tagline.many_classes import (
    ClassMatrix,
    OneHot,
    Probabilities,
    TopProbabilities,
    joined,
    probability_array,
)
from tagline.metrics import measure
from tagline.metrics.units import Units
from tagline.task import Bools, Floats, Ints, Task

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier
    from tagline.data import Split
    from tagline.data.origin import Origin

Ys = NDArray[Any]  # (n,) int64 indices of classes, or (n, n_classes) bool

N_MISTAKES = 20


@dataclass(frozen=True)
class Predicted:
    """Truth and predictions of the same rows: indices ``(n,)``, multi-label booleans ``(n, n_classes)``.

    ``proba`` is (n, n_classes), in the order of the classes of the data; a class that the classifier was not
    trained on has the probability 0. ``unit`` is the unit of each row, (n,): copies of a text share one, and, if
    ``grouped``, rows of a group; None if it is not known. ``origin`` says where the rows were read.
    """

    y_true: Ys
    y_pred: Ys
    proba: Probabilities
    unit: Ints | None = None
    grouped: bool = False
    origin: "Origin | None" = None

    def measured(
        self,
        classes: Sequence[str],
        *,
        task: Task,
        positive: str | None,
        seed: int = 0,
        costs: CostMatrix | None = None,
    ) -> dict[str, Any]:
        """Return the block of ``metrics.json`` for these rows; ``costs`` are those of the classes, in any order."""
        block = measure(
            self.y_true,
            self.y_pred,
            self.proba,
            classes,
            task=task,
            positive=positive,
            seed=seed,
            units=self.unit,
            costs=None if costs is None else costs.of_classes(classes).matrix(),
        )
        return block | ({"unit": "group" if self.grouped else "text"} if "n_units" in block else {})

    def frame(self, classes: Sequence[str]) -> pl.DataFrame:
        """Return the rows as ``predictions.parquet`` holds them; with ``unit`` where a unit has several rows."""
        origin = self.origin
        source = {"file": origin.file.cast(pl.String), "line": origin.line, "row_hash": origin.hashes} if origin else {}
        return pl.DataFrame(
            {
                "row": np.arange(len(self.proba)),
                **({} if Units.repeated(self.unit) is None else {"unit": self.unit}),
                **source,
                "label": label_series(self.y_true, classes),
                "prediction": label_series(self.y_pred, classes),
                **_probability_columns(self.proba, classes),
            }
        )


def predict_split(
    clf: "TextClassifier",
    split: "Split",
    classes: Sequence[str],
    *,
    threshold: float | None = None,
    positive: str | None = None,
    costs: CostMatrix | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predicted:
    """Predict the rows of a split over ``classes``, which may include some that the classifier was not trained on.

    ``progress`` is called with the number of rows done, and of all.
    """
    from tagline.classifier.scoring import BATCH

    parts = []
    for start in range(0, len(split), BATCH):  # as `predict_proba` does, so that its results are the same
        parts.append(clf.probabilities(split.texts.slice(start, BATCH)))
        progress(min(start + BATCH, len(split)), len(split))
    proba = joined(parts)
    decided = clf.decide(proba, threshold=threshold, positive=positive, costs=costs)
    known = [str(name) for name in clf.classes_]
    return Predicted(
        y_true=series_indices(split.labels, classes),
        y_pred=_decided_indices(decided, classes, clf.task_),
        proba=spread(proba, known, classes),
        unit=split.unit,
        grouped=split.groups is not None,
        origin=split.origin,
    )


def predict_held_out(clf: "TextClassifier", split: "Split", classes: Sequence[str]) -> Predicted | None:
    """Return the predictions for the rows that fitting on ``split`` held out; None if there were none."""
    held_out = clf.validation_
    if held_out is None or not len(held_out.proba):
        return None
    known = [str(name) for name in clf.classes_]
    return Predicted(
        y_true=_truth(held_out.Y, known, classes, clf.task_),
        y_pred=_decided_indices(clf.decide(held_out.proba), classes, clf.task_),
        proba=spread(held_out.proba, known, classes),
        unit=split.unit[held_out.rows],
        grouped=split.groups is not None,
    )


def series_indices(labels: pl.Series, classes: Sequence[str]) -> Ys:
    """Return labels as indices into ``classes``, (n,), or for lists of labels as booleans, (n, n_classes)."""
    names = list(classes)
    if not isinstance(labels.dtype, pl.List):
        codes = labels.replace_strict(names, range(len(names)), return_dtype=pl.Int64)
        return codes.to_numpy()
    index = {name: k for k, name in enumerate(names)}
    Y = np.zeros((len(labels), len(names)), dtype=bool)
    for row, given in enumerate(labels.to_list()):
        Y[row, [index[name] for name in given]] = True
    return Y


def label_series(y: Ys, classes: Sequence[str]) -> pl.Series:
    """Return indices (n,), or booleans (n, n_classes), as names: String, or List(String)."""
    names = list(classes)
    if y.ndim == 1:
        return pl.Series(names).gather(y)
    sets = [[names[k] for k in np.flatnonzero(row)] for row in y]
    return pl.Series(sets, dtype=pl.List(pl.String))


def _probability_columns(proba: Probabilities, classes: Sequence[str]) -> dict[str, Any]:
    """Return a column for each class; of a label tree, the most probable classes and their probabilities."""
    if not isinstance(proba, TopProbabilities):
        return {f"proba:{name}": proba[:, k] for k, name in enumerate(classes)}
    names = pl.Series(classes, dtype=pl.String)
    columns: dict[str, Any] = {}
    for place in range(proba.k):
        columns[f"top_{place + 1}"] = names.gather(proba.classes[:, place])
        columns[f"top_{place + 1}_probability"] = proba.values[:, place]
    return columns


def _truth(Y: ClassMatrix, known: Sequence[str], classes: Sequence[str], task: Task) -> Ys:
    if isinstance(Y, OneHot):
        return np.asarray(_places(known, classes)[Y.classes])
    return task.truth(_spread_array(Y, known, classes).astype(bool))


def _places(known: Sequence[str], classes: Sequence[str]) -> Ints:
    index = {name: k for k, name in enumerate(classes)}
    return np.array([index[name] for name in known])


def spread(proba: Probabilities, known: Sequence[str], classes: Sequence[str]) -> Probabilities:
    """Put the columns ``known``, (n, n_known), in the places of ``classes``, (n, n_classes); others are 0.

    The other classes of a label tree share what its most probable ones lack to 1.
    """
    if isinstance(proba, TopProbabilities):
        return proba.renumbered(_places(known, classes), len(classes))
    return _spread_array(proba, known, classes)


def _spread_array(values: NDArray[Any], known: Sequence[str], classes: Sequence[str]) -> Floats:
    if list(known) == list(classes):
        return np.asarray(values, dtype=np.float64)
    wide = np.zeros((len(values), len(classes)))
    wide[:, _places(known, classes)] = values
    return wide


def _decided_indices(decided: NDArray[Any], classes: Sequence[str], task: Task) -> Ys:
    if task is Task.MULTILABEL:
        labels = pl.Series([[str(name) for name in given] for given in decided], dtype=pl.List(pl.String))
    else:
        labels = pl.Series(decided.astype(str), dtype=pl.String)
    return series_indices(labels, classes)


def find_mistakes(
    clf: "TextClassifier",
    split: "Split",
    predicted: Predicted,
    classes: Sequence[str],
    most: int = N_MISTAKES,
    numbers: Ints | None = None,
) -> list[dict[str, Any]]:
    """Return the ``most`` most confident mistakes, the most confident first, for ``mistakes.json``.

    ``numbers`` are the rows of ``predictions.parquet`` that those of the split become, (n,); by default the same.
    """
    from tagline.explain import word_contributions
    from tagline.models import OnnxModel

    # A model of another program gives no contributions; nor does one for a class that it does not know.
    explained = set() if isinstance(clf.model_, OnnxModel) else set(clf.classes_.tolist())
    multilabel = predicted.y_pred.ndim == 2
    wrong, about, confidence = most_confident_wrong(predicted)
    rows = np.flatnonzero(wrong)
    rows = rows[np.argsort(-confidence[rows], kind="stable")][:most]
    labels = label_series(predicted.y_true[rows], classes).to_list()
    predictions = label_series(predicted.y_pred[rows], classes).to_list()
    found = []
    for row, label, prediction in zip(rows.tolist(), labels, predictions, strict=True):
        name = classes[int(about[row])]
        # A label that was not predicted: evidence against it is evidence for the prediction.
        sign = -1.0 if multilabel and not predicted.y_pred[row, about[row]] else 1.0
        spans = []
        if name in explained:
            words = word_contributions(clf, split.texts[row], name)
            spans = [[start, end, round(sign * value, 6)] for start, end, value in words]
        found.append(
            {
                "row": row if numbers is None else int(numbers[row]),
                **({} if split.origin is None else split.origin.place(row)),
                "text": split.texts[row],
                "label": label,
                "prediction": prediction,
                "probability": float(confidence[row]),
                **({"about": name} if multilabel else {}),
                "spans": spans,
            }
        )
    return found


def most_confident_wrong(predicted: Predicted) -> tuple[Bools, Ints, Floats]:
    """Return which rows are wrong, the class that is most confidently wrong in each, and the confidence, (n,) each.

    The confidence is the probability of the prediction; multi-label: of the wrong decision about one label.
    """
    n = len(predicted.proba)
    if predicted.y_pred.ndim == 1:
        return predicted.y_pred != predicted.y_true, predicted.y_pred, predicted.proba[np.arange(n), predicted.y_pred]
    proba = probability_array(predicted.proba)
    sure = np.where(predicted.y_pred, proba, 1 - proba)  # (n, n_classes)
    sure[predicted.y_pred == predicted.y_true] = -1.0
    about = sure.argmax(axis=1)
    confidence = sure[np.arange(n), about]
    return confidence >= 0, about, confidence
