"""Why did a model say so: what each word and n-gram added to the score, exactly.

A linear model's score of a class is its calibrated logit, the intercept plus what each n-gram adds; a tree's or
forest's is the probability, the share at the roots plus what each question on the way down adds.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.classifier import TextClassifier
from tagline.errors import InputError, nearest
from tagline.features.tokens import token_spans
from tagline.models import LinearModel, TreeModel


@dataclass(frozen=True)
class Contribution:
    """What one n-gram adds to the score; ``spans`` are the (start, end) characters at which it stands in the text.

    A tree may ask for a word that is not there: its contribution has no span.
    """

    name: str
    value: float
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Explanation:
    """``score`` of ``class_name`` is ``intercept`` plus the ``value`` of every contribution, strongest first.

    ``scale`` says what the score is: ``"log-odds"``, of two classes or a label; ``"score"``, which softmax weighs
    against those of the other classes; or ``"probability"``. ``prediction`` and ``proba`` (of ``class_name``) are
    what the classifier says of the text.
    """

    text: str
    class_name: str
    prediction: str
    proba: float
    scale: Literal["log-odds", "score", "probability"]
    intercept: float
    score: float
    contributions: tuple[Contribution, ...]
    shares: tuple[tuple[int, int, float], ...]

    def words(self) -> list[tuple[int, int, float]]:
        """Return (start, end, value) for each token of the text, in order.

        An n-gram's contribution is shared out equally among the tokens it covers, wherever it stands, so that the
        values add up to those of all contributions that stand in the text.
        """
        return list(self.shares)

    @cached_property
    def absent(self) -> float:
        """What n-grams that are not in the text added (trees only)."""
        return float(sum(c.value for c in self.contributions if not c.spans))


def explain_text(classifier: TextClassifier, text: str, class_name: str | None = None) -> Explanation:
    """Explain what ``classifier`` says of one text.

    Args:
        classifier: a fitted or loaded classifier.
        text: the text.
        class_name: the class whose score to explain; by default the one predicted.

    Raises:
        InputError: there is no such class.

    """
    proba = classifier.predict_proba([text])
    names = [str(name) for name in classifier.classes_]
    decided = classifier.decide(proba)[0]
    if class_name is None:
        index = names.index(str(decided)) if classifier.task_ != "multilabel" else int(proba[0].argmax())
    elif class_name in names:
        index = names.index(class_name)
    else:
        raise InputError(f"The model has no class `{class_name}`.{nearest(class_name, names)}")
    row = classifier.vectorizer_.transform(pl.Series([text], dtype=pl.String))
    columns, values, intercept = _additions(classifier, row, index)
    positions, first, last = classifier.vectorizer_.locate(text)
    spans = token_spans(text)
    order = np.argsort(-np.abs(values), kind="stable")
    at = np.argsort(positions, kind="stable")
    sorted_positions = positions[at]
    low = np.searchsorted(sorted_positions, columns, side="left")
    high = np.searchsorted(sorted_positions, columns, side="right")
    contributions = []
    shares = np.zeros(len(spans))
    ngrams = classifier.vectorizer_.names(columns[order])
    for name, i in zip(ngrams, order, strict=True):
        places = at[low[i] : high[i]]
        covered = int((last[places] - first[places] + 1).sum())
        for place in places:
            shares[first[place] : last[place] + 1] += values[i] / covered
        where = {(spans[first[place]][0], spans[last[place]][1]) for place in places}
        contributions.append(Contribution(name, float(values[i]), tuple(sorted(where))))
    return Explanation(
        text=text,
        class_name=names[index],
        prediction=", ".join(map(str, decided)) if isinstance(decided, list) else str(decided),
        proba=float(proba[0, index]),
        scale=_scale(classifier),
        intercept=intercept,
        score=intercept + float(values.sum()),
        contributions=tuple(contributions),
        shares=tuple((start, end, float(share)) for (start, end), share in zip(spans, shares, strict=True)),
    )


def _scale(classifier: TextClassifier) -> Literal["log-odds", "score", "probability"]:
    if not isinstance(classifier.model_, LinearModel):
        return "probability"
    return "score" if classifier.task_ == "multiclass" else "log-odds"


def _additions(
    classifier: TextClassifier, row: sp.csr_matrix, index: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Return the columns that add to the score of class ``index``, what they add, and the intercept."""
    model = classifier.model_
    one_output = len(classifier.classes_) == 2 and classifier.task_ != "multilabel"
    output = 0 if one_output else index
    sign = -1.0 if one_output and index == 0 else 1.0
    if isinstance(model, LinearModel):
        factor = sign / classifier.temperature_
        values = row.data * model.coef[row.indices, output].astype(np.float64) * factor
        return row.indices.astype(np.int64), values, float(model.intercept[output]) * factor
    return _path(model, row, output, sign)


def _path(
    model: TreeModel, row: sp.csr_matrix, output: int, sign: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    root, added = model.path_contributions(row)
    columns = np.array(sorted(added), dtype=np.int64)
    values = np.array([sign * added[column][output] for column in columns.tolist()], dtype=np.float64)
    share = float(root[output])
    return columns, values, share if sign > 0 else 1.0 - share
