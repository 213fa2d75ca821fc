"""Classes without a training row: of weight-0 rows only, or in one fold."""

import numpy as np
import pytest

from tagline import TextClassifier
from tagline.calibration import fit_temperature
from tagline.errors import InputError

TEXTS = ["good film", "a joy", "fine work", "nice one", "bad film", "a bore", "awful work", "poor one"] * 5
LABELS = (["pos"] * 4 + ["neg"] * 4) * 5


@pytest.mark.parametrize("recipe", ["fast", "complement-nb", "naive-bayes"])
def test_a_class_of_weight_0_rows_does_not_exist(recipe: str) -> None:
    expected = TextClassifier(recipe).fit(TEXTS, LABELS, [1.0] * 40)
    clf = TextClassifier(recipe).fit(["other", *TEXTS], ["none", *LABELS], [0.0] + [1.0] * 40)
    assert clf.classes_.tolist() == ["neg", "pos"]
    assert clf.task_ == "binary"
    assert clf.temperature_ == expected.temperature_
    assert np.array_equal(clf.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    assert np.array_equal(clf.validation_.rows, expected.validation_.rows + 1)


def test_groups_and_validation_rows_follow_the_rows_kept() -> None:
    validation = (["good joy", "bad bore"], ["pos", "neg"])
    clf = TextClassifier().fit(
        ["other", *TEXTS], ["none", *LABELS], [0.0] + [1.0] * 40, groups=range(41), validation=validation
    )
    assert clf.classes_.tolist() == ["neg", "pos"]
    assert set(clf.validation_.rows.tolist()) <= {41, 42}


def test_two_classes_must_remain() -> None:
    with pytest.raises(InputError, match="only one class"):
        TextClassifier().fit(TEXTS[:8], LABELS[:8], [1.0] * 4 + [0.0] * 4)


@pytest.mark.parametrize("recipe", ["complement-nb", "naive-bayes"])
def test_one_row_of_a_rare_class_leaves_the_temperature_in_bounds(recipe: str) -> None:
    texts = [f"{text} {row % 7}" for row, text in enumerate(TEXTS)]
    clf = TextClassifier(recipe).fit([*texts, "other thing good"], [*LABELS, "rare"])
    assert clf.temperature_ < 2  # without `absent` it is 100, the upper bound


def test_logits_of_absent_classes_are_ignored() -> None:
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    absent = np.zeros((51, 4), dtype=bool)
    absent[:, 3] = True
    with_absent = np.hstack([z, np.full((50, 1), -1e3)])
    rows = np.vstack([with_absent, [0.0, 1.0, 2.0, -1e3]])
    assert fit_temperature(rows, np.append(y, 3), "multiclass", absent=absent) == fit_temperature(z, y, "multiclass")
    margins, truth = z[:, 0], y > 0
    one_absent = np.zeros((51, 2), dtype=bool)
    one_absent[50, 0] = True
    found = fit_temperature(np.append(margins, 1e3), np.append(truth, False), "binary", absent=one_absent)
    assert found == fit_temperature(margins, truth, "binary")
    Y = rng.random((50, 2)) > 0.5
    labels = fit_temperature(
        np.hstack([z[:, :2], np.full((50, 1), -1e3)]),
        np.hstack([Y, Y[:, :1]]),
        "multilabel",
        absent=np.repeat([[False, False, True]], 50, axis=0),
    )
    assert labels == fit_temperature(z[:, :2], Y, "multilabel")
