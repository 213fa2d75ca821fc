"""Novelty of texts for a classifier: how its scores are computed, see `tagline.decisions.novelty`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tagline.decisions.held_out import no_held_out_rows
from tagline.decisions.novelty import Novelty
from tagline.errors import InputError
from tagline.features.sequences import Sequences
from tagline.features.vectorizer import Vectorizer
from tagline.inputs.texts import as_inputs
from tagline.task import Floats

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

_BATCH = 16_384  # texts turned into n-grams at a time


def check_novelty(clf: "TextClassifier") -> None:
    """Raise `InputError` if a fitted classifier has no held-out rows to compare texts with."""
    if clf.novelty_ is not None:
        return
    if not isinstance(clf.vectorizer_, Vectorizer):
        raise InputError("Novelty needs a model of n-grams, and this is a network: train one, for example `fast`.")
    raise no_held_out_rows("to compare texts with")


def novelty_of(clf: "TextClassifier", texts: Iterable[Any], proba: Floats | None) -> Floats:
    """Return the p-value of each text, (n_texts,), see `TextClassifier.novelty_p_values`."""
    if proba is None:
        return proba_and_novelty(clf, texts)[1]
    novelty, vectorizer, column = _checked(clf, texts)
    parts = [vectorizer.coverage(part) for part in _batches(column)]
    return novelty.p_values(np.asarray(proba).max(axis=1), np.concatenate([np.empty(0), *parts]))


def proba_and_novelty(clf: "TextClassifier", texts: Iterable[Any]) -> tuple[Floats, Floats]:
    """Return the probabilities, (n_texts, n_classes), and the p-value of each text, (n_texts,)."""
    novelty, vectorizer, column = _checked(clf, texts)
    proba, coverage = [np.empty((0, len(clf.classes_)))], [np.empty(0)]
    for part in _batches(column):
        X, known = vectorizer.transform_with_coverage(part)
        proba.append(clf.proba_of_features(X))
        coverage.append(known)
    confidence = np.vstack(proba).max(axis=1)
    return np.vstack(proba), novelty.p_values(confidence, np.concatenate(coverage))


def _checked(clf: "TextClassifier", texts: Iterable[Any]) -> tuple[Novelty, Vectorizer, pl.Series]:
    check_novelty(clf)
    column = as_inputs(texts)
    assert clf.novelty_ is not None
    if isinstance(column, Sequences) or not isinstance(clf.vectorizer_, Vectorizer):
        raise InputError("Novelty needs texts, and these are word ids.")
    return clf.novelty_, clf.vectorizer_, column


def _batches(texts: pl.Series) -> list[pl.Series]:
    return [texts.slice(start, _BATCH) for start in range(0, len(texts), _BATCH)]
