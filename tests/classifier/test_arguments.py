"""Wrong arguments of `TextClassifier` raise `InputError`."""

from typing import Any

import numpy as np
import pytest

from tagline import TextClassifier
from tagline.errors import InputError

TEXTS = ["good film", "a joy", "bad film", "a bore"]


def fitted(labels: list[Any]) -> TextClassifier:
    return TextClassifier().fit(TEXTS, labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weight": 3}, "class_weight"),
        ({"class_weight": {"pos": "a"}}, "class_weight"),
        ({"settings": 3}, "settings"),
        ({"settings": [3]}, "not of the form"),
        ({"positive": "x"}, "not a class"),
    ],
)
def test_constructor_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier(**options).fit(TEXTS, ["pos", "pos", "neg", "neg"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"word_index": 3}, "word_index"),
        ({"callbacks": [object()]}, "`callbacks`"),
        ({"callbacks": 3}, "`callbacks`"),
        ({"sample_weight": [1e-300] * 4}, "adds up to 4e-300"),
    ],
)
def test_fit_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier().fit(TEXTS, ["pos", "pos", "neg", "neg"], **options)


def test_a_network_refuses_objects_that_are_not_callbacks() -> None:
    pytest.importorskip("torch")
    with pytest.raises(InputError, match="has a `object`"):
        TextClassifier("multihot-dense").fit(TEXTS, ["pos", "pos", "neg", "neg"], callbacks=[object()])


def test_positive_of_several_classes() -> None:
    with pytest.raises(InputError, match="one of two classes"):
        TextClassifier(positive="a").fit(TEXTS, ["a", "b", "c", "d"])


def test_class_weights_of_whole_floats_name_integer_classes() -> None:
    given = TextClassifier(class_weight={1.0: 2}).fit(TEXTS, [0, 0, 1, 1])
    assert np.array_equal(
        given.predict_proba(TEXTS), TextClassifier(class_weight={1: 2}).fit(TEXTS, [0, 0, 1, 1]).predict_proba(TEXTS)
    )


def test_decide_checks_the_threshold_and_the_columns() -> None:
    clf = fitted(["pos", "pos", "neg", "neg"])
    with pytest.raises(InputError, match="threshold"):
        clf.decide(np.full((2, 2), 0.5), threshold="a")
    with pytest.raises(InputError, match="shape"):
        clf.decide(np.full((2, 3), 0.5))


@pytest.mark.parametrize(
    ("labels", "truth"), [([0, 0, 1, 1], [False, False, True, True]), ([False, False, True, True], [0, 0, 1, 1])]
)
def test_score_compares_booleans_with_numbers(labels: list[Any], truth: list[Any]) -> None:
    clf = fitted(labels)
    assert clf.score(TEXTS, truth) == clf.score(TEXTS, labels) > 0


@pytest.mark.parametrize("truth", [["pos", "pos", "neg", "neg"], ["1.0", "1.0", "0.0", "0.0"], [7, 7, 8, 8]])
def test_score_refuses_labels_of_which_none_is_a_class(truth: list[Any]) -> None:
    with pytest.raises(InputError, match="None of the labels is a class of the model"):
        fitted([0, 0, 1, 1]).score(TEXTS, truth)


@pytest.mark.parametrize("weights", [[0.0] * 4, [1.0] * 3, [1.0, 1.0, 1.0, float("nan")], ["x"] * 4])
def test_score_checks_its_weights(weights: list[Any]) -> None:
    with pytest.raises(InputError, match=r"(w|W)eight"):
        fitted(["pos", "pos", "neg", "neg"]).score(TEXTS, ["pos"] * 4, sample_weight=weights)
