"""Renaming the classes changes nothing but the names: folds, settings, logits and probabilities stay."""

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier
from tests.synthetic_texts import made_up, several

ROWS = 240


def renamed(label: str) -> str:
    """Return a name that sorts the other way round."""
    return "".join(chr(0x10FFFF - ord(character)) for character in label)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_renaming_the_classes_leaves_logits_and_probabilities(n_classes: int) -> None:
    texts, labels = made_up(ROWS, n_classes)
    one = TextClassifier("fast").fit(texts, labels)
    other = TextClassifier("fast").fit(texts, [renamed(str(label)) for label in labels])
    order = [list(other.classes_).index(renamed(str(name))) for name in one.classes_]
    assert order == sorted(order, reverse=True)
    # The sum over classes, and 1 - p, round in another order.
    np.testing.assert_allclose(one.predict_proba(texts), other.predict_proba(texts)[:, order], rtol=0, atol=1e-15)
    logits, renamed_logits = (clf.model_.logits(clf.vectorizer_.transform(one_column(texts))) for clf in (one, other))
    assert np.array_equal(logits, -renamed_logits if n_classes == 2 else renamed_logits[:, order])


def test_renaming_the_labels_of_sets_leaves_their_probabilities() -> None:
    texts, labels = several(ROWS)
    one = TextClassifier("fast").fit(texts, labels)
    other = TextClassifier("fast").fit(texts, [[renamed(str(name)) for name in row] for row in labels])
    order = [list(other.classes_).index(renamed(str(name))) for name in one.classes_]
    np.testing.assert_allclose(one.predict_proba(texts), other.predict_proba(texts)[:, order], rtol=0, atol=1e-15)


def one_column(texts: list[str]) -> pl.Series:
    return pl.Series(texts, dtype=pl.String)
