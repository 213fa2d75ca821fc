"""Options of predictions and the fields of each row, for the command line, files and HTTP alike.

A new option is a field of `PredictionOptions`, from which HTTP takes it, and an option of ``tagline predict``.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress, repeat
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tagline.decisions.costs import CostMatrix
from tagline.decisions.novelty import UNLIKE
from tagline.errors import InputError, nearest
from tagline.many_classes import Probabilities, TopProbabilities, check_few, probability_array, top_classes
from tagline.task import Bools, Floats, Ints, Task

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

_LEAST_SHARE = 1e-9  # of false alarms, whose number of rows is named: that of the smallest number is infinite
# Why a text has no prediction, next to `UNLIKE`.
EMPTY = "the text is empty"  # a model would predict from its intercept alone
UNSURE = "unsure"
# That of Unicode; `str.strip` alone also takes four control characters for white space.
_WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


class OptionError(InputError):
    """A model does not support an option; ``option`` is the name of the field."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class PredictionOptions(BaseModel):
    """Options of predictions: fields to return and the decision rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top_k: int = Field(default=0, ge=0, le=10_000, description="Add so many of the most probable classes.")
    probabilities: bool = Field(
        default=False,
        description="Add the probability of each class; of more than 3,000 classes, of the 10 most probable ones.",
    )
    threshold: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Predict the positive class (or each label) only above this probability.",
    )
    novelty: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="Predict nothing for texts unlike the training texts; of texts like these at most this share is "
        "lost.",
    )

    unsure_below: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Predict nothing where the probability of the prediction is below this one.",
    )
    abstain: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None,
        description="Predict nothing where the answers would not reach this accuracy on unseen texts, as held-out rows "
        "show.",
    )
    sets: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None,
        description="Add the prediction set of each text: classes that contain the true one with this probability.",
    )
    by_class: bool = Field(
        default=False, description="Guarantee `abstain` for the predictions, and `sets` for the texts, of each class."
    )

    def check(self, clf: "TextClassifier") -> None:
        """Raise `OptionError` if the model does not support an option."""
        if self.threshold is not None and not clf.rule_.has_threshold(Task(clf.task_)):
            raise OptionError(
                "threshold", f"A threshold needs two classes or a set of labels; this model has {_classes(clf)}."
            )
        if self.novelty is not None:
            _check_novelty(clf, self.novelty)
        if self.by_class and self.abstain is None and self.sets is None:
            raise OptionError("by_class", "`by_class` is for `abstain` or `sets`: give one of them.")
        if self.unsure_below is not None:
            with _errors_of("unsure_below"):
                clf.least_confidence(unsure_below=self.unsure_below)
        if self.abstain is not None:
            self._check_own_decisions("abstain")
            with _errors_of("abstain"):
                clf.abstention_threshold(self.abstain, by_class=self.by_class)
        if self.sets is not None:
            self._check_own_decisions("sets")
            with _errors_of("sets"):
                clf.set_threshold(self.sets, by_class=self.by_class)

    def _check_own_decisions(self, option: str) -> None:
        if self.other_decisions:
            given = " and ".join(self.other_decisions)
            raise OptionError(
                option, f"`{option}` is measured for the decisions of the model itself: leave out {given}."
            )

    @property
    def other_decisions(self) -> list[str]:
        """What is given that decides otherwise than the model itself."""
        return [] if self.threshold is None else ["the threshold"]

    @property
    def abstains(self) -> bool:
        """Whether texts may have no prediction because the model is unsure."""
        return self.unsure_below is not None or self.abstain is not None

    def unsure(self, clf: "TextClassifier", proba: Probabilities, predicted: Ints) -> Bools | None:
        """Return where the model is unsure of the classes predicted, (n_texts,); None if it never abstains."""
        if not self.abstains:
            return None
        return clf.unsure(
            proba, predicted, unsure_below=self.unsure_below, accuracy=self.abstain, by_class=self.by_class
        )

    def in_sets(self, clf: "TextClassifier", proba: Probabilities, predicted: Ints) -> Bools | None:
        """Return which classes are in the prediction sets, (n_texts, n_classes); None if none are asked for."""
        return None if self.sets is None else clf.sets(proba, predicted, self.sets, by_class=self.by_class)

    def unlike(self, clf: "TextClassifier", texts: Sequence[str], proba: Probabilities) -> Bools | None:
        """Return which texts are too unlike the training texts for a prediction, (n_texts,); None if any may be."""
        return None if self.novelty is None else np.asarray(clf.novelty_p_values(texts, proba) <= self.novelty)

    def proba_and_unlike(self, clf: "TextClassifier", texts: pl.Series) -> tuple[Probabilities, Bools | None]:
        """Return the probabilities of texts, (n_texts, n_classes), and what `unlike` returns, in less time."""
        if self.novelty is None:
            return clf.probabilities(texts), None
        proba, p_values = clf.predict_proba_and_novelty(texts)
        return proba, np.asarray(p_values <= self.novelty)

    def decided(self, clf: "TextClassifier", proba: Probabilities) -> NDArray[Any]:
        """Return what `TextClassifier.decided` does for probabilities of the model, (n_texts, n_classes).

        It checks neither these nor the threshold, which `check` has accepted.
        """
        return clf.rule_for(threshold=self.threshold).decide(proba, clf.task_)


class CommandOptions(PredictionOptions):
    """The options of ``tagline predict``, which can also choose the positive class."""

    top_k: int = Field(default=0, ge=0)
    threshold: float | None = None  # `TextClassifier.decide` checks it
    novelty: float | None = None
    unsure_below: float | None = None
    abstain: float | None = None
    sets: float | None = None
    positive: str | None = None
    costs: CostMatrix | None = None

    @property
    def other_decisions(self) -> list[str]:
        """What is given that decides otherwise than the model itself."""
        given = {"the positive class": self.positive, "the costs": self.costs}
        return super().other_decisions + [name for name, value in given.items() if value is not None]

    def check(self, clf: "TextClassifier") -> None:
        """Raise `OptionError` if the model does not support an option."""
        super().check(clf)
        if self.costs is not None:
            if self.threshold is not None or self.positive is not None:
                raise OptionError("costs", "`--cost` decides by itself: leave out `--threshold` and `--positive`.")
            if clf.task_ == Task.MULTILABEL:
                raise OptionError("costs", f"`--cost` is for one class a text; this model has {_classes(clf)}.")
            self.costs.in_order([str(name) for name in clf.classes_], "`--cost`")
        if self.positive is None:
            return
        classes = [str(name) for name in clf.classes_]
        if not clf.task_.has_positive:
            raise OptionError("positive", f"A positive class needs two classes; this model has {_classes(clf)}.")
        if self.positive not in classes:
            known = ", ".join(f"`{name}`" for name in classes)
            hint = nearest(self.positive, classes)
            raise OptionError(
                "positive", f"`{self.positive}` is not a class of this model; its classes are {known}.{hint}"
            )

    def decided(self, clf: "TextClassifier", proba: Probabilities) -> NDArray[Any]:
        """Return what `TextClassifier.decided` does for probabilities, (n_texts, n_classes)."""
        return clf.decided(proba, threshold=self.threshold, positive=self.positive, costs=self.costs)


class ClassProbability(BaseModel):
    """One class and its probability."""

    class_name: str = Field(alias="class")
    probability: float


class PredictionFields(BaseModel):
    """The JSON object of `PredictionRows.to_json`, for descriptions."""

    prediction: str | list[str] | None = Field(
        description="The class; of a multi-label model the list of labels; null if there is a `reason`."
    )
    probability: float | None = Field(description="Of the prediction; null for a multi-label model.")
    probabilities: dict[str, float] | None = Field(default=None, description="Of each class, if requested.")
    prediction_set: list[str] | None = Field(
        default=None, description="The classes of `sets`, if requested, the most probable one first."
    )
    top: list[ClassProbability] | None = Field(default=None, description="The most probable classes, if requested.")
    reason: str | None = Field(
        default=None,
        description="Why there is no prediction: the text is empty, with `novelty` unlike the training texts, or with "
        "`unsure_below` or `abstain` the model is unsure; `probability` then is that of the class it would predict.",
    )


@dataclass(frozen=True)
class PredictionRows:
    """The predictions for some texts, as columns of a table or as JSON objects.

    ``labels`` are names, or lists of names of a multi-label model. ``scores`` are further numbers of each text by name,
    (n_texts,), or None where the model has no such number. ``top`` are the most probable classes, ``proba`` all
    probabilities, (n_texts, n_classes). ``sets`` are the prediction sets; None if not asked for. ``reasons`` say why
    texts have no prediction, (n_texts,), None where they have one; None if all have. Where the model is unsure, only
    the label is missing, and with another reason everything is.
    """

    classes: Sequence[str]
    labels: list[str | None] | list[list[str]]
    scores: dict[str, Floats | None]
    top: TopProbabilities | None
    proba: Probabilities
    all_probabilities: bool
    sets: list[list[str]] | None = None
    reasons: Sequence[str | None] | None = None

    def to_frame(self) -> pl.DataFrame:
        """Return flat columns: ``prediction``, ``probability``, ``top_1``, ``top_1_probability``, …, ``proba:<class>``.

        A column without values, such as the probability of a multi-label prediction, is left out.
        """
        several = pl.List(pl.String) if self.scores["probability"] is None else pl.String
        columns = {"prediction": pl.Series(self.labels, dtype=several)}
        columns |= {name: pl.Series(values) for name, values in self.scores.items() if values is not None}
        if self.sets is not None:
            columns["prediction_set"] = pl.Series(self.sets, dtype=pl.List(pl.String))
        if self.top is not None:
            names = pl.Series(self.classes, dtype=pl.String)
            for place in range(1, self.top.k + 1):
                columns[f"top_{place}"] = names.gather(self.top.classes[:, place - 1])
                columns[f"top_{place}_probability"] = pl.Series(self.top.values[:, place - 1])
        if self.all_probabilities:
            if isinstance(self.proba, TopProbabilities):
                check_few(
                    self.proba.n_classes,
                    "Columns of the probability of each class",
                    "take `top_k`, which gives up to 10 classes and their probabilities",
                )
            proba = probability_array(self.proba)
            columns |= {f"proba:{name}": pl.Series(proba[:, k]) for k, name in enumerate(self.classes)}
        frame = pl.DataFrame(columns)
        if self.reasons is None:
            return frame
        reasons = pl.Series("reason", self.reasons, dtype=pl.String)
        if reasons.null_count() < len(reasons):
            frame = frame.select(pl.when(reasons.is_null() | (reasons == UNSURE)).then(pl.all()))
        return frame.with_columns(reasons)

    def to_json(self) -> list[dict[str, Any]]:
        """Return an object for each text: ``prediction``, ``probability``, ``probabilities`` and ``top``."""
        objects: list[dict[str, Any]] = [{"prediction": label} for label in self.labels]
        for name, values in self.scores.items():
            for found, value in zip(objects, repeat(None) if values is None else values.tolist(), strict=False):
                found[name] = value
        for found, inside in zip(objects, self.sets or (), strict=False):
            found["prediction_set"] = inside
        if self.all_probabilities:
            for found, named in zip(objects, named_probabilities(self.proba, self.classes), strict=True):
                found["probabilities"] = named
        if self.top is not None:
            for found, best, of_best in zip(objects, self.top.classes.tolist(), self.top.values.tolist(), strict=True):
                pairs = zip(best, of_best, strict=True)
                found["top"] = [{"class": self.classes[k], "probability": value} for k, value in pairs]
        for row, reason in enumerate(self.reasons or ()):
            if reason is not None:
                nothing = {} if reason == UNSURE else dict.fromkeys(objects[row])
                objects[row] |= nothing | {"reason": reason}
        return objects


def named_probabilities(proba: Probabilities, classes: Sequence[str]) -> list[dict[str, float]]:
    """Return the probabilities of each text by the names of the classes; of a label tree, of the most probable ones."""
    if isinstance(proba, TopProbabilities):
        rows = zip(proba.classes.tolist(), proba.values.tolist(), strict=True)
        return [{classes[k]: value for k, value in zip(best, values, strict=True)} for best, values in rows]
    return [dict(zip(classes, row, strict=True)) for row in proba.tolist()]


def is_empty(text: str) -> bool:
    """Return what `is_blank` says of a text, in less time for a single one."""
    return not text.lstrip(_WHITE_SPACE)


def withheld(
    empty: Sequence[bool], unlike: Bools | None, known: Sequence[str | None] | None = None
) -> list[str | None]:
    """Return why texts have no prediction whatever the model says, (n_texts,), None where they may have one.

    They are ``empty``, or ``unlike`` the training texts, (n_texts,) each; ``known`` are reasons that are known already.
    """
    reasons = [EMPTY if row else None for row in empty]
    if unlike is not None:
        reasons = [UNLIKE if row and reason is None else reason for row, reason in zip(unlike, reasons, strict=True)]
    return reasons if known is None else [first or second for first, second in zip(known, reasons, strict=True)]


def prediction_rows(
    clf: "TextClassifier",
    classes: Sequence[str],
    proba: Probabilities,
    options: PredictionOptions,
    reasons: Sequence[str | None] | None = None,
) -> PredictionRows:
    """Return the predictions for probabilities, (n_texts, n_classes).

    ``classes`` are the names of the classes, ``reasons`` those of `withheld`; None if no prediction is withheld.
    """
    decided = options.decided(clf, proba)
    labels: list[Any]
    scores: dict[str, Floats | None]
    sets = None
    if clf.task_ == Task.MULTILABEL:
        labels = [list(compress(classes, row)) for row in decided.tolist()]
        scores = {"probability": None}
    else:
        labels = [classes[k] for k in decided.tolist()]
        scores = {"probability": proba[np.arange(len(proba)), decided]}
        unsure = options.unsure(clf, proba, decided)
        if unsure is not None:
            labels = [None if row else label for row, label in zip(unsure, labels, strict=True)]
            reasons = [
                UNSURE if row and reason is None else reason
                for row, reason in zip(unsure, reasons or repeat(None), strict=False)
            ]
        inside = options.in_sets(clf, proba, decided)
        if inside is not None:
            order = np.argsort(-probability_array(proba), axis=1, kind="stable")
            sets = [[classes[k] for k in best if inside[row, k]] for row, best in enumerate(order.tolist())]
    k = min(options.top_k, len(classes))
    top = top_classes(proba, k) if k else None
    return PredictionRows(classes, labels, scores, top, proba, options.probabilities, sets, reasons)


@contextmanager
def _errors_of(option: str) -> Iterator[None]:
    """Raise an `InputError` as an `OptionError`."""
    try:
        yield
    except InputError as error:
        raise OptionError(option, str(error)) from None


def _check_novelty(clf: "TextClassifier", share: float) -> None:
    if not 0 < share <= 1:
        raise OptionError("novelty", f"The share of texts `{share:g}` is not above 0 and up to 1: 0.04 is 4 %.")
    with _errors_of("novelty"):
        novelty = clf.check_novelty()
    if share < novelty.least:
        needed = f"at least {math.ceil(1 / share - 1):,}" if share > _LEAST_SHARE else "too many"
        raise OptionError(
            "novelty", f"A share of {share:g} needs {needed} held-out rows; this model keeps {len(novelty):,}."
        )


def _classes(clf: "TextClassifier") -> str:
    return f"{len(clf.classes_):,} {'labels' if clf.task_ == Task.MULTILABEL else 'classes'}"
