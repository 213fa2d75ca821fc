"""The arguments of `TextClassifier.partial_fit`, checked, and what they make of a fitted classifier."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.decisions.operating_point import PRECISION, RECALL
from tagline.decisions.rule import DecisionRule
from tagline.decisions.targets import Targets, levels_of
from tagline.errors import InputError
from tagline.features.sequences import Sequences
from tagline.features.vectorizer import Vectorizer
from tagline.inputs.labels import check_lengths, encode_labels, joined_labels, list_labels
from tagline.inputs.texts import as_inputs, group_column, joined_texts
from tagline.learners.base import Fitted, HeldOut, TrainingData
from tagline.learners.holdout import row_units
from tagline.learners.sample_weight import checked_weights, row_weights
from tagline.learners.update import Learned, learn_more
from tagline.many_classes import as_array
from tagline.models import LabelTree, LinearModel, OnnxModel
from tagline.recipes import NgramModel
from tagline.task import Ints, Task

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

_KIND = "linear-svm"


@dataclass(frozen=True, eq=False)
class Continued:
    """What a classifier becomes with more texts."""

    classes: NDArray[Any]
    task: Task
    fitted: Fitted


def check_continued(clf: "TextClassifier") -> tuple[Vectorizer, LinearModel]:
    """Return the features and the model of a fitted classifier that can learn from more texts.

    Raises:
        InputError: it cannot.

    """
    settings, vectorizer, model = clf.recipe_.model, clf.vectorizer_, clf.model_
    if isinstance(model, OnnxModel):
        raise InputError("A graph in ONNX cannot be continued: take the model that it was exported from.")
    if isinstance(model, LabelTree):
        raise InputError(f"A label tree, of {model.n_classes:,} classes, cannot be continued: fit it again.")
    if not isinstance(settings, NgramModel) or settings.kind != _KIND or not isinstance(model, LinearModel):
        raise InputError(
            f"Only a linear SVM of n-grams, such as `fast`, can be continued, and this is `{clf.recipe_.recipe.name}`."
        )
    if not isinstance(vectorizer, Vectorizer) or vectorizer.spreads is None or "learnt_from" not in clf.chosen_:
        raise InputError("An earlier version of tagline fitted this model and kept too little: fit it again.")
    return vectorizer, model


def check_classes(clf: "TextClassifier", classes: Collection[Any]) -> None:
    """Raise `InputError` if there are more ``classes`` than the model has, and it takes no new ones."""
    if len(classes) > len(clf.classes_) and (clf.costs_ is not None or "targets" in clf.chosen_):
        raise InputError(
            "The model has costs, or a precision or recall to reach, and takes no new classes: fit it again."
        )


def continued(
    clf: "TextClassifier",
    texts: Iterable[Any],
    labels: Iterable[Any],
    sample_weight: ArrayLike | None,
    groups: Iterable[Any] | None,
    validation: tuple[Iterable[Any], Iterable[Any]] | None,
) -> Continued:
    """Return what a fitted classifier becomes with more texts; see `TextClassifier.partial_fit`."""
    vectorizer, model = check_continued(clf)
    classes, data, kept, rows = _arguments(clf, texts, labels, sample_weight, groups, validation)
    check_classes(clf, classes)
    before = Learned(vectorizer, model, clf.calibrator_, clf.rule_, int(clf.chosen_["learnt_from"]), clf.novelty_)
    levels = levels_of(clf.chosen_.get("targets"))
    names = [str(name) for name in clf.classes_]
    targets = Targets.of(clf.costs_, levels.get(PRECISION), levels.get(RECALL), names, clf.task_)
    after = learn_more(
        before,
        clf.recipe_,
        data,
        kept,
        C=float(clf.chosen_["C"]),
        min_df=int(clf.chosen_["min_df"]),
        seed=clf.seed_,
        hold_out_all=bool(targets.points),
    )
    held_out = after.held_out and replace(
        after.held_out, rows=rows[after.held_out.rows], unit=row_units(data, after.held_out.rows)
    )
    rule, promised = _decided(targets, after.rule, names, data.task, held_out)
    replaced = {*clf.calibrator_.chosen(), "targets"} | ({"tried"} if held_out is not None else set())
    chosen = {name: value for name, value in clf.chosen_.items() if name not in replaced}
    chosen |= after.calibrator.chosen() | ({"targets": targets.to_json()} if promised else {})
    chosen |= {"threshold": rule.to_json(), "learnt_from": after.n_texts}
    if held_out is not None:
        chosen["held_out"] = {"rows": len(held_out.rows), "how": f"of the last {len(data):,} texts, {held_out.how}"}
    fitted = Fitted(
        after.vectorizer,
        after.model,
        after.calibrator,
        rule,
        chosen,
        held_out,
        after.seconds,
        novelty=after.novelty,
        calibrated_on=held_out,
    )
    return Continued(classes, data.task, fitted)


def _arguments(
    clf: "TextClassifier",
    texts: Iterable[Any],
    labels: Iterable[Any],
    sample_weight: ArrayLike | None,
    groups: Iterable[Any] | None,
    validation: tuple[Iterable[Any], Iterable[Any]] | None,
) -> tuple[NDArray[Any], TrainingData, Ints, Ints]:
    """Return the classes of the model and of the labels, the texts of a weight above 0, and two numberings.

    They are the column of each class of the model, (n_classes_before,), and the number of each row of the texts among
    those given, (n_rows,).
    """
    known = None if clf.indicator_ is None else clf.classes_
    column, given = as_inputs(texts), list_labels(labels, known)
    check_lengths(column, given)
    n_train, n_given = len(column), 0
    if validation is not None:
        more, more_labels = as_inputs(validation[0]), list_labels(validation[1], known)
        check_lengths(more, more_labels)
        n_given = len(more)
        column, given = joined_texts(column, more), joined_labels(given, more_labels)
    if isinstance(column, Sequences):
        raise InputError("This model was trained on texts and takes no word ids: pass texts.")
    rows = np.arange(len(column))
    of_group = None if groups is None else group_column(groups, n_train, n_given)
    if sample_weight is not None:
        sample_weight = checked_weights(sample_weight, n_train, n_given)
        rows = np.flatnonzero(sample_weight)
        column, given, sample_weight = column[rows], given[rows], sample_weight[rows]
        of_group = None if of_group is None else of_group[rows]
    n_learned = int(np.searchsorted(rows, n_train))
    classes, Y, kept = _encoded(clf, given)
    task = clf.task_.with_classes(len(classes))
    sample, loss = row_weights(classes, Y, clf.class_weight, sample_weight, n_learned)
    data = TrainingData(column, Y, task, sample, loss, of_group, n_validation=len(column) - n_learned)
    if loss is not None and not loss.all():
        weighted = np.flatnonzero(loss)
        data, rows = data.take(weighted), rows[weighted]
    return classes, data, kept, rows


def _decided(
    targets: Targets, rule: DecisionRule, names: Sequence[str], task: Task, held_out: HeldOut | None
) -> tuple[DecisionRule, bool]:
    """Return the decision rule, and whether it reaches the targets.

    A threshold for a precision or recall is chosen again on the held-out rows. Where they are too few to show that the
    level is reached, the threshold stays, and promises nothing.
    """
    if not targets.points:
        return rule, bool(targets)
    seen = None if held_out is None else (held_out.Y, held_out.proba, held_out.unit)
    try:
        return targets.rule(rule, names, task, seen), True
    except InputError:
        return rule, False


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
    return classes, as_array(Y), np.searchsorted(classes, clf.classes_)
