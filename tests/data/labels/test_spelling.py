"""Spellings of one label become one class, and marks for "not labelled" none."""

import random
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data import load_dataset
from tagline.data.labels import LabelOptions, match_classes, spelling_key, unify_labels

KEEP = LabelOptions(keep_spelling=True)


def unified(labels: list[object], options: LabelOptions | None = None) -> tuple[list[object], str]:
    found = unify_labels(pl.Series("label", labels), options or LabelOptions())
    return found.values.to_list(), " ".join(found.notes)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["Très cher", "straße", "1.50", "Ǆ"]), st.randoms(use_true_random=False))
def test_keys_ignore_case_spaces_form_and_trailing_zeros(label: str, chance: random.Random) -> None:
    other = "".join(chance.choice([str.upper, str.lower])(character) for character in label)
    other = unicodedata.normalize(chance.choice(["NFC", "NFD"]), other).replace(
        " ", chance.choice([" ", "\u00a0", "  "])
    )
    other = f"{other}0" if label == "1.50" else other
    assert spelling_key(f" {other}\u200b") == spelling_key(label)


@pytest.mark.parametrize(
    ("a", "b"), [("1", "2"), ("1.5", "15"), ("01", "1"), ("a b", "ab"), ("1.0.0", "1"), ("e", "é")]
)
def test_other_labels_stay_apart(a: str, b: str) -> None:
    assert spelling_key(a) != spelling_key(b)


def test_the_most_frequent_spelling_wins_and_is_announced() -> None:
    labels, told = unified(["Yes", "yes", "yes", "No", "no "])
    assert labels == ["yes", "yes", "yes", "No", "No"]
    assert "merged: `Yes` to `yes`; `no ` to `No`. `--keep-label-spelling` keeps them apart." in told
    assert unified(["Yes", "yes", "yes", "No"], KEEP) == (["Yes", "yes", "yes", "No"], "")
    assert unified([["b", "a"], ["A"], ["a", "A"]])[0] == [["a", "b"], ["a"], ["a"]]


def test_numerically_equal_labels_are_one() -> None:
    assert unified(["1.0", "1", "1", "2.50", "2.5", "2.5"])[0] == ["1", "1", "1", "2.5", "2.5", "2.5"]


def test_labels_are_composed() -> None:
    nfd = unicodedata.normalize("NFD", "réclamation")
    labels, told = unified([nfd, "réclamation", nfd, "b"])
    assert labels == ["réclamation"] * 3 + ["b"]
    assert "Unicode NFC, such as `réclamation`" in told
    assert unified([nfd], KEEP)[0] == ["réclamation"]


@pytest.mark.parametrize("mark", ["-", "?", "N/A", "nan", "NaN", "NA", "#N/A", "null", "unlabelled"])
def test_marks_are_unlabelled(mark: str) -> None:
    labels, told = unified(["a", mark, "b", mark])
    assert labels == ["a", None, "b", None]
    assert f"2 rows have the label `{mark}`, which is read as unlabelled. Give `--keep-label-spelling`" in told
    assert unified(["a", mark, "b"], KEEP) == (["a", mark, "b"], "")
    assert unified([["a", mark], [mark], [], ["b", "a"]])[0] == [["a"], None, [], ["a", "b"]]


@pytest.mark.parametrize(
    "labels", [["+", "-"], ["?", "!", "."], ["spam", "-"], ["none", "for", "against"], ["na", "b", "c"]]
)
def test_classes_that_look_like_marks_stay(labels: list[object]) -> None:
    assert unified(labels) == (labels, "")


def test_minus_one_is_unlabelled_among_class_numbers_from_zero() -> None:
    assert unified(["-1", "0", "1", "2"])[0] == [None, "0", "1", "2"]
    assert unified(["-1.0", "0.0", "1.0", "2.0"])[0] == [None, "0.0", "1.0", "2.0"]
    for labels in (["-1", "1", "2", "3"], ["-1", "a", "b"], ["-2", "-1", "0", "1", "2"]):
        assert unified(list(labels)) == (labels, "")
    labels, told = unified(["-1", "0", "1"])
    assert labels == ["-1", "0", "1"]
    assert "The label `-1` is read as a class." in told


def test_unlabelled_rows_are_left_out_and_counted() -> None:
    data = load_dataset([(f"t{i}", str(i % 4 - 1)) for i in range(40)])
    assert data.classes == ["0", "1", "2"]
    assert data.facts.dropped == {"no label": 10}
    kept = load_dataset([(f"t{i}", str(i % 4 - 1)) for i in range(40)], keep_label_spelling=True)
    assert kept.classes == ["-1", "0", "1", "2"]


def test_spellings_are_unified_across_files() -> None:
    train = [(f"t{i}", ("Yes", "1.0")[i % 2]) for i in range(20)]
    data = load_dataset(train, test=[("u0", "YES"), ("u1", "1")])
    assert data.classes == ["1.0", "Yes"]
    assert data.test is not None
    assert data.test.labels.to_list() == ["Yes", "1.0"]


def test_labels_are_matched_to_classes_unless_two_are_alike() -> None:
    labels, notes = match_classes(pl.Series(["1", "YES", "2.50", "other"]), ["1.0", "yes", "2.5"])
    assert labels.to_list() == ["1.0", "yes", "2.5", "other"]
    assert notes == [
        "The data spells classes of the model differently: `1` for `1.0`, `2.50` for `2.5`, `YES` for `yes`."
    ]
    labels, notes = match_classes(pl.Series(["YES", "yes"]), ["Yes", "yes"])
    assert (labels.to_list(), notes) == (["YES", "yes"], [])
