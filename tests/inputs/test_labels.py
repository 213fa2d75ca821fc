"""Inputs of users: other types, missing values, arrays of one column; one clear error for each."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import DataConversionWarning

from tagline import InputError, TextClassifier
from tagline.inputs.labels import list_labels
from tests.synthetic_texts import made_up, several

TEXTS, NAMES = made_up(40)
NUMBERS = [int(name[1]) for name in NAMES]


@pytest.fixture(scope="module")
def numbered() -> TextClassifier:
    return TextClassifier("naive-bayes").fit(TEXTS, NUMBERS)


@pytest.fixture(scope="module")
def digits() -> TextClassifier:
    return TextClassifier("naive-bayes").fit(TEXTS, list(map(str, NUMBERS)))


@pytest.fixture(scope="module")
def label_sets() -> TextClassifier:
    texts, labels = several(60)
    return TextClassifier("naive-bayes").fit(texts, labels)


def test_labels_of_another_type_score_by_their_text(numbered: TextClassifier, digits: TextClassifier) -> None:
    expected = numbered.score(TEXTS, NUMBERS)
    assert expected > 0.9
    as_text = list(map(str, NUMBERS))
    for clf in (numbered, digits):
        for labels in (NUMBERS, as_text, np.array(NUMBERS, dtype=float), pd.Series(NUMBERS), pl.Series(as_text)):
            assert clf.score(TEXTS, labels) == expected


def test_label_sets_score_as_lists_or_as_a_matrix(label_sets: TextClassifier) -> None:
    texts, labels = several(60)
    matrix = np.array([[name in row for name in label_sets.classes_] for row in labels])
    expected = label_sets.score(texts, labels)
    assert expected > 0.5
    assert label_sets.score(texts, matrix) == expected
    with pytest.raises(InputError, match="have 2 columns, and the model has 3 classes"):
        label_sets.score(texts, matrix[:, :2])
    with pytest.raises(InputError, match="gives each text a list of labels"):
        label_sets.score(TEXTS, NAMES)


def test_lists_do_not_score_one_label_a_text(numbered: TextClassifier) -> None:
    with pytest.raises(InputError, match="gives each text one label"):
        numbered.score(TEXTS, [[label] for label in NUMBERS])


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan"), pd.NaT])
def test_a_missing_label_is_named_by_its_row(missing: Any) -> None:
    with pytest.raises(InputError, match="Label 3 is missing"):
        TextClassifier().fit(TEXTS, [*NAMES[:3], missing, *NAMES[4:]])
    with pytest.raises(InputError, match="Label 3 is missing"):
        TextClassifier().fit(TEXTS, pd.Series([*NAMES[:3], missing, *NAMES[4:]], dtype=object))
    with pytest.raises(InputError, match="Label 1 holds a label that is missing"):
        TextClassifier().fit(TEXTS, [["c0"], ["c1", missing], *([name] for name in NAMES[2:])])
    with pytest.raises(InputError, match="Label 1 is missing, but others are lists"):
        TextClassifier().fit(TEXTS, [["c0"], missing, *([name] for name in NAMES[2:])])


def test_masked_values_are_missing() -> None:
    mask = [row in (3, 5) for row in range(len(TEXTS))]
    texts, names = (np.ma.array(values, mask=mask) for values in (TEXTS, NAMES))
    weights = np.ma.array(np.ones(len(TEXTS)), mask=mask)
    with pytest.raises(InputError, match="Label 3 is missing"):
        TextClassifier().fit(TEXTS, names)
    with pytest.raises(InputError, match="Text 3 is missing"):
        TextClassifier().fit(texts, NAMES)
    with pytest.raises(InputError, match="finite numbers of 0 or more"):
        TextClassifier().fit(TEXTS, NAMES, sample_weight=weights)


def test_large_integers_stay_distinct() -> None:
    """NumPy holds integers below and above 2⁶³ together as floats, in which neighbours are equal."""
    labels = [(2**63 + 1, 2**63 + 2, 5)[row % 3] for row in range(len(TEXTS))]
    assert TextClassifier().fit(TEXTS, labels).classes_.tolist() == ["5", str(2**63 + 1), str(2**63 + 2)]
    lists = [[label] for label in labels]
    assert set(TextClassifier().fit(TEXTS, lists).classes_) == {"5", str(2**63 + 1), str(2**63 + 2)}


def test_a_label_within_a_label_is_named() -> None:
    with pytest.raises(InputError, match="Label 0 holds a label that is of type `list`"):
        TextClassifier().fit(TEXTS, [[["a"]], *([name] for name in NAMES[1:])])


@pytest.mark.parametrize("missing", [None, pd.NA, float("nan")])
def test_a_missing_text_is_named_by_its_row(missing: Any) -> None:
    texts = [*TEXTS[:3], missing, *TEXTS[4:]]
    for given in (texts, pd.Series(texts, dtype=object)):
        with pytest.raises(InputError, match="Text 3 is missing, not a string"):
            TextClassifier().fit(given, NAMES)


def test_pandas_string_columns_with_na() -> None:
    with pytest.raises(InputError, match="Text 1 is missing"):
        TextClassifier().fit(pd.Series(["a", None], dtype="string"), ["x", "y"])
    with pytest.raises(InputError, match="Label 1 is missing"):
        TextClassifier().fit(["a", "b"], pd.Series([1, None], dtype="Int64"))


def test_one_column_is_flattened(numbered: TextClassifier) -> None:
    expected = numbered.predict_proba(TEXTS)
    column = np.array(TEXTS, dtype=object)[:, np.newaxis]
    for texts in (column, column.astype(str), pd.DataFrame({"text": TEXTS})):
        assert np.array_equal(numbered.predict_proba(texts), expected)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        clf = TextClassifier("naive-bayes").fit(column, np.array(NUMBERS)[:, np.newaxis])
    assert np.array_equal(clf.predict_proba(TEXTS), expected)


def test_several_columns_of_texts_are_an_error() -> None:
    two = np.array([TEXTS, TEXTS]).T
    with pytest.raises(
        InputError, match=r"The texts have the shape \(40, 2\): give an array of one dimension"
    ) as caught:
        TextClassifier().fit(two, NAMES)
    frame = pd.DataFrame({"a": ["x", None], "b": ["y", "z"]})
    assert list(eval(str(caught.value).split("`")[1], {"frame": frame})) == ["x\ny", "\nz"]


@pytest.mark.parametrize("given", [5, None])
def test_texts_that_are_no_sequence(given: Any) -> None:
    with pytest.raises(InputError, match=r"The texts are .*: give a list"):
        TextClassifier().fit(given, NAMES)


def test_validation_labels_take_the_type_of_the_others() -> None:
    given = TextClassifier("naive-bayes").fit(TEXTS, NUMBERS, validation=(TEXTS[:10], list(map(str, NUMBERS[:10]))))
    assert given.classes_.tolist() == [0, 1]
    same = TextClassifier("naive-bayes").fit(TEXTS, NUMBERS, validation=(TEXTS[:10], NUMBERS[:10]))
    assert np.array_equal(given.predict_proba(TEXTS), same.predict_proba(TEXTS))


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ((TEXTS[:2], ["x", "y"]), "validation label `x` is of type `str`, and the train labels are of type `int`"),
        ((TEXTS[:2], [["0"], ["1"]]), "validation labels are lists and the others are not"),
        ((TEXTS[:2], np.eye(2, dtype=bool)), "validation labels are lists and the others are not"),
        (([[1, 2], [3]], [0, 1]), "validation texts are ids and the others are not"),
        ((TEXTS[:2],), "`validation` must be a pair"),
        (3, "`validation` must be a pair"),
        ((TEXTS[:2], [0]), "2 texts and 1 labels"),
    ],
)
def test_validation_rows_that_do_not_fit(validation: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier("naive-bayes").fit(TEXTS, NUMBERS, validation=validation)


def test_matrices_of_labels_have_the_same_columns() -> None:
    matrix = np.random.default_rng(0).random((40, 3)) < 0.5
    with pytest.raises(InputError, match="The labels have 3 columns, and the validation labels 2"):
        TextClassifier("naive-bayes").fit(TEXTS, matrix, validation=(TEXTS[:5], matrix[:5, :2]))


def test_the_positive_class_is_named_by_number_or_text() -> None:
    for positive in (0, "0", 0.0, np.int64(0)):
        clf = TextClassifier("naive-bayes", positive=positive).fit(TEXTS, NUMBERS)
        assert clf.positive_ == "0"
        low = clf.decide(clf.predict_proba(TEXTS), threshold=0.0)
        assert low.tolist() == [0] * 40
        assert clf.decide(clf.predict_proba(TEXTS), threshold=0.0, positive=1).tolist() == [1] * 40
    with pytest.raises(InputError, match="`7` is not a class of this data"):
        TextClassifier("naive-bayes", positive=7).fit(TEXTS, NUMBERS)


@pytest.mark.parametrize("seed", [1.5, "1", True, -1, 2**32])
def test_a_seed_is_an_integer(seed: Any) -> None:
    with pytest.raises(InputError, match=r"`seed` must be an integer from 0 to 4294967295, not `"):
        TextClassifier(seed=seed).fit(TEXTS, NAMES)


def test_integers_of_numpy_are_seeds() -> None:
    assert TextClassifier("naive-bayes", seed=np.int64(3)).fit(TEXTS, NAMES).predict(TEXTS[:1]).shape == (1,)


def test_bytes_are_text() -> None:
    assert list_labels([b"billing", "caf\u00e9".encode()]).tolist() == ["billing", "caf\u00e9"]
    assert list_labels(np.array([b"a", b"b"])).tolist() == ["a", "b"]
