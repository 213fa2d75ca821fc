"""Networks trained on word ids, with and without a word index."""

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier
from tagline.errors import InputError
from tests.learners.small_networks import CLASSES, IDS, LABELS, TEXTS, sequences, small, weights


@pytest.mark.parametrize("n_classes", [2, 4])
def test_training_on_ids(n_classes: int) -> None:
    ids, labels = sequences(200, n_classes)
    clf = small(features__num_words=30, training__epochs=30, protocol__refit=30).fit(ids, labels)
    assert clf.score(ids, labels) > 0.95
    assert clf.chosen_["vocabulary"] == "that of the ids given"
    assert clf.n_features_ == 30
    arrays = [np.array(row) for row in ids]
    np.testing.assert_array_equal(clf.predict_proba(arrays), clf.predict_proba(ids))
    with pytest.raises(InputError, match="trained on word ids without a word index, so it cannot read texts"):
        clf.predict(["good"])
    with pytest.raises(InputError, match=r"Row 1 has the id `30`, but the largest is 29"):
        clf.predict([[1, 5], [1, 30]])


def test_with_a_word_index_a_model_of_ids_reads_texts_too() -> None:
    index = {f"word{rank}": rank for rank in range(1, 27)}  # ids 4 … 29
    clf = small(features__num_words=30, training__epochs=30, protocol__refit=30).fit(IDS, LABELS, word_index=index)
    texts = [" ".join(f"word{i - 3}" for i in row[1:]) for row in IDS]
    np.testing.assert_array_equal(clf.predict_proba(texts), clf.predict_proba(IDS))
    assert clf.score(texts, LABELS) > 0.95
    of_texts = small(features__num_words=30, training__epochs=30, protocol__refit=30)
    of_texts.fit(texts, LABELS, word_index=index)
    np.testing.assert_array_equal(weights(of_texts), weights(clf))
    assert of_texts.chosen_["vocabulary"] == "the word index of the data set"


def test_an_index_learnt_from_the_texts_knows_those_it_is_refitted_on() -> None:
    """Whether an index was handed over or not, where the recipe asks for one of its own."""
    texts = [f"{text} own{row}" for row, text in enumerate(TEXTS)]
    given = {"good": 1, "bad": 2}
    learned = small().fit(texts, CLASSES)
    requested = small(features__word_index="train").fit(texts, CLASSES, word_index=given)
    assert learned.n_features_ == requested.n_features_ > 120
    assert requested.vectorizer_.index.words.to_list() == learned.vectorizer_.index.words.to_list()
    assert requested.chosen_["vocabulary"] == "learnt from 120 texts"
    np.testing.assert_array_equal(weights(requested), weights(learned))


def test_columns_of_lists_of_ids() -> None:
    expected = small().fit(IDS, LABELS)
    for column in (pl.Series(IDS), pl.Series(IDS, dtype=pl.List(pl.UInt16))):
        found = small().fit(column, pl.Series(LABELS))
        np.testing.assert_array_equal(weights(found), weights(expected))
        np.testing.assert_array_equal(found.predict_proba(column), expected.predict_proba(IDS))
    with pytest.raises(InputError, match="Row 1 is `None`, not a sequence of ids"):
        expected.predict(pl.Series([[1, 5], None]))
    with pytest.raises(InputError, match=r"Row 0 has the id `'a'`"):
        expected.predict(pl.Series([["a"]]))


@pytest.mark.parametrize("given", [[0.0] * 60 + [1.0] * 60, None])
def test_an_id_out_of_range_is_named_by_its_row(given) -> None:
    """Wherever rows of weight 0 stand, and of validation rows by the row among them."""
    wrong = [[1, 5], [1, 20], [1, 77]]
    clf = small(features__num_words=30)
    with pytest.raises(InputError, match=r"^In the validation rows: Row 2 has the id `77`, but the largest is 29: "):
        clf.fit(IDS, LABELS, given, validation=(wrong, [0, 1, 0]))
    with pytest.raises(InputError, match=r"^Row 118 has the id `77`, but the largest is 29: "):
        clf.fit([*IDS[:118], [77], IDS[119]], LABELS, given, validation=(IDS[:20], LABELS[:20]))
    with pytest.raises(InputError, match=r"^In the validation rows: Row 1 has the id `20`, but the largest is 19: "):
        clf.fit([[1, 5], [1, 6]] * 30, [0, 1] * 30, validation=(wrong, [0, 1, 0]), word_index=index_of(16))


def index_of(n: int) -> dict[str, int]:
    return {f"word{rank}": rank for rank in range(1, n + 1)}


def test_a_recipe_of_ngrams_takes_no_ids() -> None:
    with pytest.raises(InputError, match=r"learns from texts, not from ids.*`multihot-dense`"):
        TextClassifier().fit(IDS, LABELS)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([[1, 2], [3, -1]] * 6, r"Row 1 has the id `-1`"),
        ([[1, 2], [3, 10_000]] * 6, r"Row 1 has the id `10000`, but the largest is 9,999"),
        ([[1, 2], "ab"] * 6, r"Row 1 is `'ab'`, not a sequence of ids"),
        ([[1, 2], [1.5]] * 6, r"Row 1 has the id `1.5`"),
    ],
)
def test_invalid_ids(ids, message: str) -> None:
    with pytest.raises(InputError, match=message):
        small().fit(ids, [0, 1] * 6)
