"""Novelty of texts for a classifier: how its scores are computed, see `tagline.decisions.novelty`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tagline.decisions.held_out import no_held_out_rows
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
    check_novelty(clf)
    novelty, vectorizer, column = clf.novelty_, clf.vectorizer_, as_inputs(texts)
    assert novelty is not None
    if isinstance(column, Sequences) or not isinstance(vectorizer, Vectorizer):
        raise InputError("Novelty needs texts, and these are word ids.")
    if proba is None:
        proba = clf.predict_proba(column)
    parts = [vectorizer.coverage(column.slice(start, _BATCH)) for start in range(0, len(column), _BATCH)]
    return novelty.p_values(np.asarray(proba).max(axis=1), np.concatenate([np.empty(0), *parts]))
