"""Held-out rows of networks, and rows of weight 0, which are none."""

import numpy as np
import pytest

from tests.learners.small_networks import CLASSES, IDS, LABELS, TEXTS, sequences, small, weights


def test_held_out_rows_are_trained_on_in_the_refit_only() -> None:
    """The first training is that of a recipe without refit, and what is said of held-out rows comes from it."""
    alone = small(protocol__refit="no", training__epochs=2).fit(IDS, LABELS)
    clf = small(protocol__refit=2, training__epochs=5).fit(IDS, LABELS)
    assert clf.validation_.rows.tolist() == alone.validation_.rows.tolist()
    np.testing.assert_array_equal(clf.validation_.proba, alone.validation_.proba)
    held = [IDS[row] for row in alone.validation_.rows]
    np.testing.assert_array_equal(alone.predict_proba(held), alone.validation_.proba)
    assert not np.array_equal(weights(clf), weights(alone))


@pytest.mark.parametrize("first", [1, 30, 60])
def test_the_first_rows_are_held_out(first: int) -> None:
    clf = small(protocol__validation=first).fit(IDS, LABELS)
    assert clf.validation_.rows.tolist() == list(range(first))
    assert clf.validation_.how == f"the first {first} train rows"


@pytest.mark.parametrize("first", [61, 10_000])
def test_first_rows_that_cannot_be_held_out(first: int) -> None:
    clf = small(protocol__validation=first).fit(IDS, LABELS)
    assert len(clf.validation_.rows) == pytest.approx(24, abs=4)
    assert clf.validation_.how.endswith(f"as the first {first:,} cannot be spared")


def test_a_class_that_only_the_first_rows_have_is_not_held_out() -> None:
    labels = [*LABELS]
    labels[3] = 2
    clf = small(protocol__validation=30).fit(IDS, labels)
    assert clf.validation_.how.endswith("as the first 30 cannot be spared")


def test_given_validation_rows_are_held_out() -> None:
    more, more_labels = sequences(40, seed=7)
    clf = small().fit(IDS, LABELS, validation=(more, more_labels))
    assert clf.validation_.rows.tolist() == list(range(120, 160))
    assert clf.validation_.how == "the validation rows"


@pytest.mark.parametrize(("refit", "epochs"), [(2, 2), ("all", 4), ("no", 4)])
def test_fitting_without_held_out_rows(refit, epochs: int) -> None:
    """Then there is nothing to stop early by, and all rows are learned at once."""
    clf = small(protocol__validation="none", protocol__refit=refit, training__early_stopping=1).fit(IDS, LABELS)
    assert clf.validation_ is None
    assert len(clf.training_.history["epoch"]) == clf.chosen_["epochs"] == epochs
    assert clf.training_.refit_history is None
    assert clf.chosen_["learnt_from"] == 120
    assert clf.training_.findings[0] == (
        f"Early stopping had nothing to measure, as no rows were held out: the network was trained for all "
        f"{epochs} epochs."
    )
    assert not any("Early stopping" in finding for finding in small().fit(IDS, LABELS).training_.findings)


def test_too_few_rows_to_hold_any_out() -> None:
    clf = small(protocol__refit=3).fit(TEXTS[:8], CLASSES[:8])
    assert clf.validation_ is None
    assert clf.training_.history["epoch"] == [1, 2, 3]
    assert clf.training_.refit_history is None
    assert clf.training_.best_epoch is None


@pytest.mark.parametrize("recipe", ["multihot-dense", "embedding-average", "lstm-masked"])
def test_a_row_of_weight_0_is_ignored(recipe: str) -> None:
    more, more_labels = sequences(40, seed=7)
    wrong = [1 - label for label in LABELS[:50]]
    absent = small(recipe).fit(IDS, LABELS, validation=(more, more_labels))
    without = small(recipe).fit(
        IDS[:50] + IDS, wrong + LABELS, [0.0] * 50 + [1.0] * 120, validation=(more, more_labels)
    )
    assert absent.training_.history["val_loss"] == without.training_.history["val_loss"]
    np.testing.assert_array_equal(absent.validation_.proba, without.validation_.proba)


@pytest.mark.parametrize("held", [0.25, 30])
@pytest.mark.parametrize("of_ids", [False, True])
def test_a_row_of_weight_0_is_not_held_out(held: float, of_ids: bool) -> None:
    """Epochs, temperature and probabilities are those of the other rows alone, which are told by their own numbers."""
    texts, labels = (IDS, LABELS) if of_ids else (TEXTS, CLASSES)
    groups = [f"g{row // 2}" for row in range(120)]
    settings = {"protocol__validation": held, "protocol__refit": "all", "training__epochs": 8}
    absent = small(**settings).fit(texts, labels, groups=groups)
    mixed = [index for row in range(120) for index in (row, (row + 1) % 120)]  # each followed by one of weight 0
    without = small(**settings).fit(
        [texts[i] for i in mixed],
        [labels[i] for i in mixed],
        [1.0, 0.0] * 120,
        groups=[groups[i] for i in mixed],
    )
    ours, theirs = without.training_, absent.training_
    assert ours.history["val_loss"] == theirs.history["val_loss"]
    assert (ours.best_epoch, without.temperature_) == (theirs.best_epoch, absent.temperature_)
    assert without.validation_.rows.tolist() == [2 * row for row in absent.validation_.rows]
    assert without.chosen_ == absent.chosen_
    np.testing.assert_array_equal(weights(without), weights(absent))


def test_given_validation_rows_stay_the_last_where_others_have_weight_0() -> None:
    more, more_labels = sequences(40, seed=7)
    clf = small().fit(IDS, LABELS, [0.0] * 50 + [1.0] * 70, validation=(more, more_labels))
    assert clf.validation_.rows.tolist() == list(range(120, 160))
    assert clf.chosen_["learnt_from"] == 110


def test_weights_count_on_held_out_rows() -> None:
    given = np.linspace(0.1, 3, 120)
    clf = small(protocol__refit="no", protocol__calibration="none").fit(IDS, LABELS, given)
    held = clf.validation_
    losses = -np.log(held.proba[held.Y])
    expected = (losses * (given / given.mean())[held.rows]).mean()
    assert clf.training_.history["val_loss"][-1] == pytest.approx(expected, abs=1e-5)


def test_held_out_texts_add_no_vocabulary() -> None:
    texts = [f"{text} own{row}" for row, text in enumerate(TEXTS)]
    clf = small(protocol__refit="no").fit(texts, CLASSES)
    known = set(clf.vectorizer_.index.words)
    assert {row for row in range(120) if f"own{row}" not in known} == set(clf.validation_.rows.tolist())
