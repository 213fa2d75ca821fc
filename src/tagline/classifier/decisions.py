"""Decisions of a classifier: labels, none where it is unsure or a text is unlike the training texts, or several."""

from collections.abc import Iterable
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.classifier.estimator import Estimator
from tagline.decisions.abstention import abstention_threshold, class_abstention_thresholds
from tagline.decisions.cost_table import as_costs
from tagline.decisions.costs import CostMatrix
from tagline.decisions.held_out import HeldOutScores, no_held_out_rows
from tagline.decisions.rule import DecisionRule
from tagline.decisions.sets import class_set_thresholds, prediction_sets, set_threshold
from tagline.errors import InputError
from tagline.inputs.labels import label_text
from tagline.many_classes import Probabilities, TopProbabilities, check_few, probability_array
from tagline.metrics.block import positive_class
from tagline.models import LabelTree, Model
from tagline.task import Bools, Floats, Ints, Task

if TYPE_CHECKING:
    from tagline.learners import HeldOut


class DecisionMethods(Estimator):
    """The methods of `TextClassifier` from probabilities to labels."""

    classes_: NDArray[Any]
    task_: Task
    model_: Model
    calibrated_on_: "HeldOut | None"
    stored_scores_: HeldOutScores | None
    stored_rule_: DecisionRule

    threshold_: float | Floats
    positive_: str | None
    costs_: CostMatrix | None

    if TYPE_CHECKING:

        def probabilities(self, texts: Iterable[Any]) -> Probabilities:
            """See `TextClassifier`, as for the attributes above."""

    def decide(
        self, proba: Probabilities, *, threshold: float | None = None, positive: str | None = None, costs: Any = None
    ) -> NDArray[Any]:
        """Return the labels that probabilities, (n_texts, n_classes), give.

        Two classes: ``positive`` where its probability is above ``threshold``; one equal to it gives the other class.
        Several labels: lists of those above it, whatever ``predict`` returns; a given ``threshold`` replaces those of
        all labels. Otherwise the class of the smallest expected cost, if the model has ``costs_``; ``positive_`` above
        its threshold, if it has one; or the most probable class, and then a threshold is an error.

        With ``costs`` the class of the smallest expected cost: a mapping from each true class to ``{predicted class:
        cost}``, or a matrix, (n_classes, n_classes), true classes in rows. They exclude a threshold and several labels.
        """
        decided = self.decided(proba, threshold=threshold, positive=positive, costs=costs)
        if self.task_ is Task.MULTILABEL:
            labels = np.empty(len(decided), dtype=object)
            for row, given in enumerate(decided):
                labels[row] = self.classes_[given].tolist()
            return labels
        return np.asarray(self.classes_[decided])

    def decided(
        self, proba: Probabilities, *, threshold: float | None = None, positive: str | None = None, costs: Any = None
    ) -> NDArray[Any]:
        """Return what ``decide`` does as class indices, (n_texts,); multi-label: booleans, (n_texts, n_classes)."""
        self._check_fitted()
        proba = self._checked_proba(proba)
        if threshold is not None and not (isinstance(threshold, Real) and 0.0 <= threshold <= 1.0):
            raise InputError(f"The threshold `{threshold}` is not between 0 and 1.")
        if costs is not None:
            if threshold is not None or positive is not None:
                raise InputError("Costs decide by themselves: leave out the threshold and the positive class.")
            if self.task_ is Task.MULTILABEL:
                raise InputError("Costs are for one class a text; this model gives several labels: take a threshold.")
        if threshold is not None and not self.rule_.has_threshold(self.task_):
            raise InputError(f"A threshold decides between two classes; this model has {len(self.classes_):,}.")
        return self.rule_for(threshold=threshold, positive=positive, costs=costs).decide(proba, self.task_)

    def _checked_proba(self, proba: Any) -> Probabilities:
        if isinstance(proba, TopProbabilities) and proba.n_classes == len(self.classes_):
            return proba
        try:
            values = np.asarray(proba)
        except ValueError:  # of rows of different lengths
            raise InputError("`proba` has rows of different lengths: it needs a probability of each class.") from None
        if values.ndim != 2 or values.shape[1] != len(self.classes_):
            raise InputError(f"`proba` has the shape {values.shape}, not (n_texts, {len(self.classes_):,}).")
        if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
            raise InputError("`proba` holds values that are not finite numbers: pass what `predict_proba` returns.")
        return values

    def rule_for(
        self, *, threshold: float | None = None, positive: str | None = None, costs: Any = None
    ) -> DecisionRule:
        """Return the decision rule for arguments of ``decide``; of two classes, costs may go with a positive one.

        Another positive class alone changes no decision: the threshold becomes that of the other class.
        """
        rule = self.rule_
        if positive is None and costs is None:
            return rule if threshold is None else replace(rule, threshold=threshold)
        names = [str(name) for name in self.classes_]
        if positive is not None and self.task_.has_positive:
            k = names.index(positive_class(names, label_text(positive)))
            if k != rule.positive:
                rule = replace(rule, positive=k, threshold=1 - float(self.threshold_))
        if costs is not None:
            given = as_costs(costs, names)
            of_two = rule.positive if self.task_.has_positive else None
            by_costs = rule.threshold if of_two is None else given.threshold(of_two)
            rule = DecisionRule(by_costs, of_two, given)
        return rule if threshold is None else replace(rule, threshold=threshold)

    def _decided(self, proba: Probabilities) -> NDArray[Any]:
        """Return the indices of the classes predicted, (n_texts,); multi-label: booleans, (n_texts, n_classes)."""
        return self.rule_.decide(proba, self.task_)

    @property
    def rule_(self) -> DecisionRule:
        """The decision rule: ``threshold_``, the index of ``positive_``, and ``costs_``."""
        self._check_fitted()
        positive = None
        if self.positive_ is not None:
            positive = list(map(str, self.classes_.tolist())).index(self.positive_)
        return DecisionRule.of(self.threshold_, positive, self.costs_)

    @property
    def held_out_(self) -> HeldOutScores | None:
        """What the model said of held-out rows, one of each unit; None for label sets, or if none were held out.

        Also None for a loaded model of several classes whose decision rule was changed: it keeps too few probabilities.
        """
        self._check_fitted()
        found = self.calibrated_on_
        if found is None or self.task_ is Task.MULTILABEL:
            stored = self.stored_scores_
            if stored is None or self.rule_ == self.stored_rule_:
                return stored
            return stored.decided_again(self._decided) if len(self.classes_) == 2 else None
        return HeldOutScores.of(self._decided(found.proba), found.Y, found.proba, found.unit)

    def abstention_threshold(self, accuracy: float, *, by_class: bool = False) -> float | Floats:
        """Return the probability from which on the model's answers reach an accuracy on unseen texts.

        The guarantee is distribution-free: it holds for texts like the training texts, whatever the probabilities are
        worth, except for 5 of 100 trained models. ``by_class``: one threshold for the predictions of each class,
        (n_classes,), infinite where the held-out rows cannot support one.

        Raises:
            InputError: the held-out rows are too few for it, or show that it cannot be reached.

        """
        scores = self._scores(accuracy, "accuracy")
        if by_class:
            return class_abstention_thresholds(scores, accuracy, len(self.classes_))
        return abstention_threshold(scores, accuracy)

    def set_threshold(self, coverage: float, *, by_class: bool = False) -> float | Floats:
        """Return the probability from which on a class belongs to a prediction set; see `predict_sets`."""
        if isinstance(self.model_, LabelTree):
            check_few(len(self.classes_), "Prediction sets")
        scores = self._scores(coverage, "coverage")
        return (
            class_set_thresholds(scores, coverage, len(self.classes_)) if by_class else set_threshold(scores, coverage)
        )

    def predict_selective(
        self,
        texts: Iterable[Any],
        *,
        unsure_below: float | None = None,
        accuracy: float | None = None,
        by_class: bool = False,
    ) -> NDArray[Any]:
        """Return the class of each text, (n_texts,), or None where the model is unsure.

        Args:
            texts: see ``predict``.
            unsure_below: the model is unsure where the probability of its prediction is below this one.
            accuracy: it is unsure where its answers would not reach this accuracy: see ``abstention_threshold``.
            by_class: whether the predictions of each class must reach it.

        Raises:
            InputError: the model gives several labels a text, or cannot support the accuracy; or ``by_class`` is given
                without one.

        """
        if by_class and accuracy is None:
            raise InputError("`by_class` is for `accuracy`: give one, such as 0.95.")
        proba = self.probabilities(texts)
        decided = self._decided(proba)
        unsure = self.unsure(proba, decided, unsure_below=unsure_below, accuracy=accuracy, by_class=by_class)
        answers = self.classes_[decided].astype(object)
        answers[unsure] = None
        return np.asarray(answers)

    def unsure(
        self,
        proba: Probabilities,
        decided: Ints,
        *,
        unsure_below: float | None = None,
        accuracy: float | None = None,
        by_class: bool = False,
    ) -> Bools:
        """Return whether the model is unsure of decisions, (n_texts,); see ``predict_selective``.

        ``proba`` are probabilities, (n_texts, n_classes), and ``decided`` the indices of the classes predicted.
        """
        least = self.least_confidence(unsure_below=unsure_below, accuracy=accuracy, by_class=by_class)
        return np.asarray(proba[np.arange(len(proba)), decided] < least[decided])

    def least_confidence(
        self, *, unsure_below: float | None = None, accuracy: float | None = None, by_class: bool = False
    ) -> Floats:
        """Return the probability from which on each class is answered, (n_classes,); see ``predict_selective``."""
        self._check_single_label("abstain")
        if unsure_below is not None and not (isinstance(unsure_below, Real) and 0.0 <= unsure_below <= 1.0):
            raise InputError(f"`unsure_below` is {unsure_below}, not between 0 and 1.")
        threshold: float | Floats = 0.0
        if accuracy is not None:
            threshold = self.abstention_threshold(accuracy, by_class=by_class)
        return np.asarray(np.maximum(np.broadcast_to(threshold, len(self.classes_)), unsure_below or 0.0))

    def predict_sets(self, texts: Iterable[Any], coverage: float = 0.9, *, by_class: bool = False) -> NDArray[Any]:
        """Return for each text the list of classes that contains the true one with a given probability, (n_texts,).

        Split conformal prediction on the held-out rows, for texts like the training texts. The class predicted always
        is in the list, which starts with the most probable one. ``by_class``: the coverage holds for the texts of each
        class; classes with too few held-out rows share a threshold.

        Raises:
            InputError: the model gives several labels a text, or the held-out rows are too few.

        """
        proba = probability_array(self.probabilities(texts))
        inside = self.sets(proba, self._decided(proba), coverage, by_class=by_class)
        order = np.argsort(-proba, axis=1, kind="stable")
        found = np.empty(len(proba), dtype=object)
        for row, ranked in enumerate(order):
            found[row] = self.classes_[ranked[inside[row, ranked]]].tolist()
        return found

    def sets(self, proba: Probabilities, decided: Ints, coverage: float, *, by_class: bool = False) -> Bools:
        """Return which classes are in the prediction set of each text, (n_texts, n_classes)."""
        proba = probability_array(proba)
        threshold = self.set_threshold(coverage, by_class=by_class)
        predicted = np.zeros(proba.shape, dtype=bool)
        predicted[np.arange(len(proba)), decided] = True
        return prediction_sets(proba, predicted, threshold)

    def _scores(self, level: float, name: str) -> HeldOutScores:
        self._check_single_label("have prediction sets" if name == "coverage" else "abstain")
        if not (isinstance(level, Real) and 0.0 < level < 1.0):
            raise InputError(f"The {name} `{level}` is not between 0 and 1: 0.95 is 95 %.")
        scores = self.held_out_
        if scores is None:
            raise no_held_out_rows("to take a threshold from")
        return scores

    def _check_single_label(self, what: str) -> None:
        self._check_fitted()
        if self.task_ is Task.MULTILABEL:
            raise InputError(f"A model of several labels a text cannot {what}: its labels have thresholds.")
