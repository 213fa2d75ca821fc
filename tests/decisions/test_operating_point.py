"""Operating points: a precision or recall of a class that holds on unseen texts."""

import numpy as np
import pytest
from scipy.stats import beta

from tagline.decisions.operating_point import PRECISION, RECALL, OperatingPoint, operating_points
from tagline.errors import InputError
from tagline.task import Task


def drawn(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return over-confident probabilities of a class, and which rows are of it; the true share is known: p²."""
    p = random.beta(0.6, 0.9, n)
    return p, random.uniform(size=n) < p**2


GRID = np.linspace(0, 1, 200_001)[1:-1]
DENSITY = beta.pdf(GRID, 0.6, 0.9)
MASS = DENSITY * GRID**2


def true_figures(threshold: float) -> tuple[float, float]:
    """Return the precision and the recall above a threshold, by numerical integration over the probabilities."""
    above = threshold < GRID
    return MASS[above].sum() / DENSITY[above].sum(), MASS[above].sum() / MASS.sum()


@pytest.mark.parametrize(("metric", "level"), [(PRECISION, 0.6), (RECALL, 0.9), (RECALL, 0.98)])
def test_the_level_holds_for_unseen_rows_in_95_of_100_models_whatever_the_probabilities_are_worth(metric, level):
    missed, n_samples, excess = 0, 200, []
    for seed in range(n_samples):
        threshold = OperatingPoint(metric, "spam", level).threshold(*drawn(1_500, np.random.default_rng(seed)))
        reached = true_figures(threshold)[0 if metric == PRECISION else 1]
        missed += reached < level
        excess.append(reached - level)
    assert missed <= 0.05 * n_samples + 2 * np.sqrt(0.05 * 0.95 * n_samples)
    assert np.mean(excess) < 0.06  # it asks for no more than it must


def test_precision_takes_the_lowest_threshold_and_recall_the_highest():
    p, is_spam = drawn(3_000, np.random.default_rng(5))
    precision = [OperatingPoint(PRECISION, "spam", level).threshold(p, is_spam) for level in (0.6, 0.7, 0.8)]
    recall = [OperatingPoint(RECALL, "spam", level).threshold(p, is_spam) for level in (0.99, 0.95, 0.8)]
    assert precision == sorted(precision)
    assert recall == sorted(recall)
    assert ((p > recall[1]) & is_spam).sum() / is_spam.sum() > 0.95
    assert not np.isin(precision + recall, p.astype(np.float32)).any()  # between two rows, so that none is on it


def test_levels_that_the_rows_cannot_show_are_one_line():
    few = np.linspace(0.1, 0.9, 30)
    with pytest.raises(
        InputError, match=r"recall of 0.95 for `spam` needs at least 59 held-out .*has 20, enough for 0.86"
    ):
        OperatingPoint(RECALL, "spam", 0.95).threshold(few, np.arange(30) >= 10)
    with pytest.raises(InputError, match=r"this model has 0\. Train on more rows"):
        OperatingPoint(RECALL, "spam", 0.95).threshold(few, np.zeros(30, dtype=bool))
    p, is_spam = drawn(300, np.random.default_rng(0))
    with pytest.raises(
        InputError, match=r"300 held-out rows do not show a precision of 0.99 for `spam`; they show it for"
    ):
        OperatingPoint(PRECISION, "spam", 0.99).threshold(p, is_spam)


@pytest.mark.parametrize(
    ("precision", "recall", "task", "message"),
    [
        (
            {"spm": 0.9},
            None,
            Task.BINARY,
            "`precision`: `spm` is not a class of the training rows. Did you mean `spam`",
        ),
        (None, {"spam": 1.5}, Task.BINARY, "`recall`: `1.5`, that of `spam`, is not a number between 0 and 1"),
        ({"spam": 0.9}, {"ham": 0.9}, Task.BINARY, "give one of them"),
        ({"spam": 0.9}, {"spam": 0.9}, Task.MULTILABEL, "`spam` has one threshold"),
        ({1: 0.9}, {1: 0.9}, Task.MULTILABEL, "`1` has one threshold"),
        ({"spam": "0.9"}, None, Task.BINARY, "`0.9`, that of `spam`, is not a number between 0 and 1"),
        (None, {"spam": None}, Task.BINARY, "`None`, that of `spam`, is not a number between 0 and 1"),
        (0.9, None, Task.BINARY, "`precision` is 0.9, not a mapping such as"),
        (None, "spam=0.9", Task.BINARY, "`recall` is 'spam=0.9', not a mapping"),
    ],
)
def test_what_contradicts_itself_is_refused(precision, recall, task, message):
    with pytest.raises(InputError, match=message):
        operating_points(precision, recall, ["1", "ham", "spam"], task)


def test_the_fewest_rows_that_show_a_recall_are_enough_despite_rounding():
    assert OperatingPoint(RECALL, "spam", 0.05).threshold(np.array([0.5]), np.array([True])) == 0.25


def test_each_label_of_a_set_may_have_its_own():
    found = operating_points({"a": 0.9}, {"b": 0.8}, ["a", "b", "c"], Task.MULTILABEL)
    assert found == [OperatingPoint("precision", "a", 0.9), OperatingPoint("recall", "b", 0.8)]


def test_names_are_compared_as_labels_are():
    found = operating_points({1: 0.9}, {"a\u0308": 0.8}, ["0", "1", "\u00e4"], Task.MULTILABEL)
    assert found == [OperatingPoint("precision", "1", 0.9), OperatingPoint("recall", "\u00e4", 0.8)]
    with pytest.raises(InputError, match="`1` has one threshold"):
        operating_points({1: 0.9, "1": 0.8}, None, ["0", "1"], Task.MULTILABEL)
