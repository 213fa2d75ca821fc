"""Which rows are held out: the share asked for, groups whole, and first rows only where they will do."""

import hashlib

import numpy as np
import polars as pl
import pytest

from tagline import load_recipe
from tagline.data.splits import copy_keys, fold_rows, strata, units
from tagline.learners import TrainingData
from tagline.learners.holdout import affordable_folds, hold_out
from tagline.task import Task


def held_of(
    Y: np.ndarray, validation: object, groups: list[int] | np.ndarray | None = None, *, seed: int = 0
) -> tuple[np.ndarray, str]:
    """Return the rows held out for a network, and how; texts are all different."""
    texts = pl.Series([f"text {row}" for row in range(len(Y))])
    recipe = load_recipe("multihot-dense", {"protocol.validation": validation})
    given = None if groups is None else pl.Series(groups)
    folds, how = hold_out(recipe, TrainingData(texts, Y, Task.MULTICLASS, groups=given), seed, n_folds=1)
    ((train, held),) = folds
    assert sorted([*train.tolist(), *held.tolist()]) == list(range(len(Y)))
    if groups is not None:
        assert not set(np.array(groups)[train]) & set(np.array(groups)[held])
    return held, how


def classes(labels: np.ndarray | list[int]) -> np.ndarray:
    return np.eye(max(labels) + 1, dtype=bool)[labels]


def alternating(n: int) -> np.ndarray:
    return classes(np.arange(n) % 2)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("n_groups", "share", "expected"),
    [
        (10, 0.1, 0.1),
        (10, 0.3, 0.3),
        (3, 0.1, 1 / 3),
        (3, 0.5, 1 / 3),
        (2, 0.1, 1 / 2),
        (4, 0.7, 3 / 4),
        (2, 0.9, 1 / 2),
        (7, 0.2, 1 / 7),
        (60, 0.1, 0.1),
    ],
)
def test_the_share_is_held_out_as_near_as_groups_allow(n_groups: int, share: float, expected: float, seed: int) -> None:
    rows = 420
    held, how = held_of(alternating(rows), share, np.arange(rows) % n_groups, seed=seed)
    assert len(held) == pytest.approx(rows * expected, abs=0.5)
    assert how == f"{expected:.0%} of the train rows, set aside before the final fit"


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_different_sizes(seed: int) -> None:
    one_large = np.r_[np.zeros(70, int), np.arange(1, 31)]
    held, _ = held_of(alternating(100), 0.1, one_large, seed=seed)
    assert len(held) == 10
    large = np.repeat([0, 1, 2, 3], [60, 18, 17, 5])
    held, _ = held_of(alternating(100), 0.4, large, seed=seed)
    assert set(large[held]) == {1, 2, 3}
    held, _ = held_of(alternating(100), 0.1, np.repeat([0, 1], [90, 10]), seed=seed)
    assert held.tolist() == list(range(90, 100))


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_every_class_are_held_out(seed: int) -> None:
    labels = np.repeat(np.arange(4), 100)
    held, _ = held_of(classes(labels), 0.2, np.arange(400) // 10, seed=seed)
    assert (np.bincount(labels[held], minlength=4) >= 10).all()
    assert len(held) == 80


def test_another_seed_holds_out_other_groups() -> None:
    groups = np.arange(400) // 10
    found = {frozenset(held_of(alternating(400), 0.1, groups, seed=seed)[0].tolist()) for seed in range(5)}
    assert len(found) == 5


def test_one_group_leaves_nothing_to_hold_out() -> None:
    texts = pl.Series([f"text {row}" for row in range(40)])
    data = TrainingData(texts, alternating(40), Task.BINARY, groups=pl.Series([1] * 40))
    for n_folds in (1, 5):
        found = hold_out(load_recipe("fast"), data, 0, n_folds=n_folds)
        assert found == ([], "")


def test_no_more_folds_than_groups() -> None:
    texts = pl.Series([f"text {row}" for row in range(30)])
    data = TrainingData(texts, alternating(30), Task.BINARY, groups=pl.Series(np.arange(30) % 3))
    folds, how = hold_out(load_recipe("fast"), data, 0, n_folds=5)
    assert how == "3-fold cross-validation of the train rows"
    assert sorted(row for _, held in folds for row in held.tolist()) == list(range(30))


@pytest.mark.parametrize(
    ("n", "share", "twentieths"), [(1000, 0.1, 2), (333, 0.25, 5), (2000, "auto", 10), (20, 0.5, 10)]
)
def test_without_groups_rows_are_drawn_in_twentieths(n: int, share: object, twentieths: int) -> None:
    texts = pl.Series([f"text {row}" for row in range(n)])
    fold = fold_rows(units(copy_keys(texts), None), strata(pl.Series(np.arange(n) % 2)), 20, seed=3)
    assert held_of(alternating(n), share, seed=3)[0].tolist() == np.flatnonzero(fold < twentieths).tolist()


def test_of_few_rows_some_are_left_to_train_on() -> None:
    for n in range(10, 20):
        assert 1 <= len(held_of(alternating(n), "auto")[0]) <= (n + 1) // 2


def test_the_first_rows() -> None:
    held, how = held_of(alternating(100), 30)
    assert held.tolist() == list(range(30))
    assert how == "the first 30 train rows"
    groups = np.arange(100) // 10
    assert held_of(alternating(100), 30, groups)[1] == "the first 30 train rows"


def test_the_first_rows_do_not_split_a_group() -> None:
    held, how = held_of(alternating(100), 25, np.arange(100) // 10)
    assert len(held) == 20
    assert how == "20% of the train rows, set aside before the final fit, as groups of the first 25 continue after them"
    # The same author comes back at the very end.
    returning = [*(np.arange(99) // 10), 0]
    assert "groups of the first 30" in held_of(alternating(100), 30, returning)[1]


@pytest.mark.parametrize("n_classes", [2, 4])
def test_first_rows_are_not_held_out_of_rows_sorted_by_label(n_classes: int) -> None:
    labels = np.repeat(np.arange(n_classes), 400 // n_classes)
    for validation in (50, 150):
        held, how = held_of(classes(labels), validation)
        assert (
            how == f"20% of the train rows, set aside before the final fit, as the first {validation} cannot be spared"
        )
        assert (np.bincount(labels[held], minlength=n_classes) >= 0.15 * 400 / n_classes).all()
    shuffled = np.random.default_rng(0).permutation(labels)
    assert held_of(classes(shuffled), 150)[1] == "the first 150 train rows"


def test_first_rows_must_have_a_class_of_which_ten_are_expected() -> None:
    """Ten, not nine: of so few rows chance alone leaves none among the first ever so often."""
    for n_rare, spared in ((40, False), (36, True)):
        labels = np.r_[np.arange(400 - n_rare) % 2, np.full(n_rare, 2)]
        assert (held_of(classes(labels), 100)[1] == "the first 100 train rows") == spared


def test_first_rows_are_at_most_half_and_every_class_has_later_rows() -> None:
    assert held_of(alternating(100), 50)[1] == "the first 50 train rows"
    assert "cannot be spared" in held_of(alternating(100), 51)[1]
    labels = np.r_[[2, 2, 2], np.arange(97) % 2]
    assert "cannot be spared" in held_of(classes(labels), 30)[1]


def test_first_rows_may_lack_rare_classes() -> None:
    """As of 46 topics of newswires, some of ten stories, of which the tutorial takes the first 1,000 of 8,982."""
    rng = np.random.default_rng(0)
    counts = np.maximum(10, (3159 / np.arange(1, 47) ** 1.35).astype(int))
    labels = rng.permutation(np.repeat(np.arange(46), counts))
    held, how = held_of(classes(labels), 1000)
    assert how == "the first 1,000 train rows"
    assert len(set(labels[held].tolist())) < 46  # some of the rare ones are not among them


def test_runs_of_earlier_versions_are_reproduced() -> None:
    """The same seed holds the same rows out."""
    held, _ = held_of(alternating(3_000), "auto")
    assert len(held) == 1_050  # 7 of 20 parts are nearest to 1,000 rows
    grouped, _ = held_of(alternating(420), 0.2, np.arange(420) % 21, seed=5)
    digests = [hashlib.sha256(rows.astype(np.int64).tobytes()).hexdigest()[:12] for rows in (held, grouped)]
    assert digests == ["d58101b8fde0", "4ab55c8401e2"]


@pytest.mark.parametrize(("n_given", "n_folds", "is_crossed"), [(499, 5, True), (500, 5, False), (499, 1, False)])
def test_few_validation_rows_are_crossed_with_the_train_rows(n_given: int, n_folds: int, is_crossed: bool) -> None:
    n = 1_200
    texts = pl.Series([f"text {row}" for row in range(n)])
    data = TrainingData(texts, alternating(n), Task.BINARY, n_validation=n_given)
    folds, how = hold_out(load_recipe("fast"), data, 0, n_folds=n_folds)
    if is_crossed:
        assert how == "5-fold cross-validation of the train and validation rows"
        assert sorted(np.concatenate([held for _, held in folds])) == list(range(n))
    else:
        assert how == "the validation rows"
        ((train, held),) = folds
        assert train.tolist() == list(range(n - n_given))
        assert held.tolist() == list(range(n - n_given, n))


@pytest.mark.parametrize(("n", "n_held_out"), [(9, 0), (10, 5)])
def test_a_handful_of_rows_is_not_held_out(n: int, n_held_out: int) -> None:
    data = TrainingData(pl.Series([f"text {row}" for row in range(n)]), alternating(n), Task.BINARY)
    assert len(hold_out(load_recipe("fast"), data, 0, n_folds=5)[0]) == n_held_out


@pytest.mark.parametrize(
    ("n_bytes", "n_outputs", "thresholds", "n_folds"),
    [
        (5_000, 1_000, False, 5),
        (5_000, 1_001, False, 1),
        (5_000, 1_001, True, 3),
        (400_000, 1_000, True, 3),
        (400_000, 1_001, True, 1),
    ],
)
def test_all_rows_are_held_out_in_turn_where_that_is_quick(
    n_bytes: int, n_outputs: int, thresholds: bool, n_folds: int
) -> None:
    assert affordable_folds(pl.Series(["a" * (n_bytes - 2), "é"]), n_outputs, thresholds=thresholds) == n_folds


@pytest.mark.parametrize("n_folds", [1, 5])
def test_the_order_of_the_classes_does_not_change_what_is_held_out(n_folds: int) -> None:
    rng = np.random.default_rng(4)
    n = 300
    texts = pl.Series([f"text {row}" for row in range(n)])
    for task, Y in (
        (Task.MULTICLASS, np.eye(4, dtype=bool)[rng.integers(0, 4, n)]),
        (Task.MULTILABEL, rng.random((n, 4)) < 0.3),
    ):
        one, other = (
            hold_out(load_recipe("fast"), TrainingData(texts, columns, task), 0, n_folds=n_folds)[0]
            for columns in (Y, Y[:, [2, 0, 3, 1]])
        )
        assert [held.tolist() for _, held in one] == [held.tolist() for _, held in other]
