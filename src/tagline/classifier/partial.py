"""The arguments of `TextClassifier.partial_fit`, checked, and what they make of a fitted classifier."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.decisions.held_out import HeldOutScores
from tagline.errors import InputError
from tagline.features.sequences import Sequences
from tagline.features.vectorizer import Vectorizer
from tagline.inputs.labels import check_lengths, encode_labels, list_labels
from tagline.inputs.texts import as_inputs
from tagline.learners.base import Fitted, TrainingData
from tagline.learners.holdout import row_units
from tagline.learners.sample_weight import row_weights
from tagline.learners.update import Learned, learn_more
from tagline.models import LinearModel
from tagline.recipes import NgramModel
from tagline.task import Ints, Task

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

_KIND = "linear-svm"


@dataclass(frozen=True, eq=False)
class Continued:
    """What a classifier becomes with more texts; ``scores`` are those of the held-out rows of before, if they hold."""

    classes: NDArray[Any]
    task: Task
    fitted: Fitted
    scores: HeldOutScores | None


def continued(
    clf: "TextClassifier", texts: Iterable[Any], labels: Iterable[Any], sample_weight: ArrayLike | None
) -> Continued:
    """Return what a fitted classifier becomes with more texts; see `TextClassifier.partial_fit`."""
    settings, vectorizer, model = clf.recipe_.model, clf.vectorizer_, clf.model_
    if not isinstance(settings, NgramModel) or settings.kind != _KIND or not isinstance(model, LinearModel):
        raise InputError(
            f"`partial_fit` continues a linear SVM of n-grams, such as `fast`, and this is `{clf.recipe_.recipe.name}`."
        )
    if not isinstance(vectorizer, Vectorizer) or vectorizer.spreads is None or "learnt_from" not in clf.chosen_:
        raise InputError("An earlier version of tagline fitted this model and kept too little: fit it again.")
    column, given = as_inputs(texts), list_labels(labels, None if clf.indicator_ is None else clf.classes_)
    check_lengths(column, given)
    if isinstance(column, Sequences):
        raise InputError("This model was trained on texts and takes no word ids: pass texts.")
    classes, Y, kept = _encoded(clf, given)
    task = clf.task_.with_classes(len(classes))
    if len(classes) > len(clf.classes_) and (clf.costs_ is not None or "targets" in clf.chosen_):
        raise InputError(
            "The model has costs, or a precision or recall to reach, and takes no new classes: fit it again."
        )
    sample, loss = row_weights(classes, Y, clf.class_weight, sample_weight, len(column))
    data = TrainingData(column, Y, task, sample_weights=sample, loss_weights=loss)
    if loss is not None and not loss.all():
        data = data.take(np.flatnonzero(loss))
    before = Learned(vectorizer, model, clf.calibrator_, clf.rule_, int(clf.chosen_["learnt_from"]))
    strength, min_df = float(clf.chosen_["C"]), int(clf.chosen_["min_df"])
    after = learn_more(before, clf.recipe_, data, kept, C=strength, min_df=min_df, seed=clf.seed_)
    held_out = after.held_out and replace(after.held_out, unit=row_units(data, after.held_out.rows))
    settings_before = {name: value for name, value in clf.chosen_.items() if name not in clf.calibrator_.chosen()}
    chosen = settings_before | after.calibrator.chosen()
    chosen |= {"threshold": after.rule.to_json(), "learnt_from": after.n_texts}
    if held_out is not None:
        chosen["held_out"] = {"rows": len(held_out.rows), "how": f"of the last {len(data):,} texts, {held_out.how}"}
    fitted = Fitted(
        after.vectorizer,
        after.model,
        after.calibrator,
        after.rule,
        chosen,
        held_out,
        {},
        novelty=clf.novelty_,
        calibrated_on=held_out,
    )
    same_classes = len(classes) == len(clf.classes_)
    return Continued(classes, task, fitted, clf.held_out_ if held_out is None and same_classes else None)


def known_labels(labels: Iterable[Any], classes: Iterable[Any]) -> NDArray[Any]:
    """Return labels as an array; raise `InputError` if one of them is not among ``classes``."""
    given, known = list_labels(labels), {*list_labels(classes).tolist()}
    if given.ndim == 1:
        found = {name for row in given for name in row} if given.dtype == object else {*given.tolist()}
        if unknown := sorted(map(str, found - known)):
            raise InputError(f"The label `{unknown[0]}` is not among `classes`.")
    return given


def _encoded(clf: "TextClassifier", given: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_], Ints]:
    """Return the classes of the model and of the labels, the class matrix, and the columns of those of the model."""
    multilabel = clf.task_ is Task.MULTILABEL
    if multilabel != (given.ndim == 2 or given.dtype == object):
        one, many = "one label for each text", "a list of labels for each text"
        raise InputError(f"The model learned from {many if multilabel else one}: pass {many if multilabel else one}.")
    if given.ndim == 2:
        return clf.classes_, given, np.arange(len(clf.classes_))
    labels = given if not multilabel else np.array([name for row in given for name in row])
    if len(labels) and labels.dtype.kind != clf.classes_.dtype.kind:
        one, known = labels.tolist()[0], clf.classes_.tolist()[0]
        raise InputError(f"The labels are of another type than the model's classes: `{one!r}`, and `{known!r}`.")
    classes, Y, _ = encode_labels(given, clf.classes_)
    return classes, Y, np.searchsorted(classes, clf.classes_)
