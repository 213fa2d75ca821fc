"""Spellings of one label become one class, and marks for "not labelled" none."""

import random
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data import load_dataset
from tagline.data.labels import LabelOptions, match_classes, spelling_key, unify_labels
from tagline.data.labels.column import LabelColumn
from tagline.data.labels.lists import clean_lists

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


def test_the_turkish_capital_i_has_the_key_of_i() -> None:
    assert spelling_key("İLETİŞİM") == spelling_key("iletişim")


@pytest.mark.parametrize(
    ("a", "b"),
    [("1", "2"), ("1.5", "15"), ("01", "1"), ("a b", "ab"), ("1.0.0", "1"), ("e", "é"), ("C", "C++"), ("A", "A-")],
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


def test_nul_behind_a_label_is_dropped() -> None:
    assert LabelColumn(pl.Series(["a\0", "\0 ", "c\0d"]), "x").strings.to_list() == ["a", None, "c\0d"]
    assert clean_lists(pl.Series([["a\0", "b"], ["\0"]])).to_list() == [["a", "b"], []]


@pytest.mark.parametrize("mark", ["-", "?", "N/A", "nan", "NaN", "NA", "#N/A", "null", "unlabelled", "k.A."])
def test_marks_are_unlabelled(mark: str) -> None:
    labels, told = unified(["a", mark, "b", mark])
    assert labels == ["a", None, "b", None]
    assert f"2 rows have the label `{mark}`, which is read as unlabelled. Give `--keep-label-spelling`" in told
    assert unified(["a", mark, "b"], KEEP) == (["a", mark, "b"], "")
    assert unified([["a", mark], [mark], [], ["b", "a"]])[0] == [["a"], None, [], ["a", "b"]]


@pytest.mark.parametrize(
    "labels", [["+", "-"], ["?", "!", "."], ["spam", "-"], ["none", "some"], ["na", "b", "c"], ["98", "99", "97"]]
)
def test_classes_that_look_like_marks_stay(labels: list[object]) -> None:
    assert unified(labels) == (labels, "")


def test_minus_one_is_unlabelled_among_class_numbers_from_zero() -> None:
    assert unified(["-1", "0", "1", "2"])[0] == [None, "0", "1", "2"]
    assert unified(["-1.0", "0.0", "1.0", "2.0"])[0] == [None, "0.0", "1.0", "2.0"]
    assert unified(["-2", "-1", "0", "1", "2"]) == (["-2", "-1", "0", "1", "2"], "")


@pytest.mark.parametrize(
    "labels",
    [
        ["-1", "0", "1"],
        ["-1", "1", "2", "3"],
        ["-1", "a", "b"],
        ["-99", "a", "b"],
        ["99", "0", "1"],
        ["999.0", "1.0", "2.0", "3.0"],
        ["None", "low", "high"],
        ["none", "for", "against"],
        ["unknown", "a", "b"],
        ["todo", "doing", "done"],
        ["TBD", "a", "b"],
    ],
)
def test_what_may_mean_unlabelled_stays_a_class_and_is_named(labels: list[object]) -> None:
    told = f"The label `{labels[0]}` is read as a class. If it means unlabelled, remove these rows."
    assert unified(labels) == (labels, told)
    assert unified(labels, KEEP) == (labels, "")


@pytest.mark.parametrize(
    ("labels", "first"),
    [
        (["-1", "0", "1"], False),
        (["none", "for", "against"], False),
        (["to do", "doing", "done"], False),
        (["-1", "1", "2", "3"], True),
        (["unknown", "a", "b"], True),
    ],
)
def test_what_is_usually_a_class_is_not_among_the_key_findings(labels: list[str], first: bool) -> None:
    found = unify_labels(pl.Series("label", labels), LabelOptions())
    assert [finding.sentence for finding in found.key_findings] == (list(found.notes) if first else [])


def test_codes_of_missing_values_are_unlabelled_among_class_numbers() -> None:
    assert unified(["-99", "0", "1"])[0] == [None, "0", "1"]
    assert unified(["-9.0", "1.0", "2.0", "3.0"])[0] == [None, "1.0", "2.0", "3.0"]


@pytest.mark.parametrize(
    ("other", "shown"),
    [
        ("billing\u200b", "billing\\u200b"),
        ("\ufeffbilling", "\\ufeffbilling"),
        ("bil\u00adling", "bil\\xadling"),
        ("bi\u200dlling", "bi\\u200dlling"),
        ("billing.", "billing."),
        ('"Billing"', '"Billing"'),
        ("ｂｉｌｌｉｎｇ", "ｂｉｌｌｉｎｇ"),
    ],
)
def test_differences_that_nobody_sees_are_merged_and_shown(other: str, shown: str) -> None:
    labels, told = unified([other, "billing", "b"])
    assert labels == ["billing", "billing", "b"]
    assert f"merged: `{shown}` to `billing`." in told


def test_a_clean_spelling_wins_even_if_it_is_rare() -> None:
    labels, told = unified(["my  day", "my  day", "my\u00a0day", "my day", "b"])
    assert labels == ["my day"] * 4 + ["b"]
    assert "merged: `my␣␣day`, `my\\xa0day` to `my day`." in told


def test_numbers_of_one_column_get_one_notation() -> None:
    assert unified(["0", "0", "0.0", "1.0", "1.0", "1", "1", "2.0"])[0] == ["0", "0", "0", "1", "1", "1", "1", "2.0"]
    assert unified(["0", "0.0", "0.0", "1", "1.0"])[0] == ["0.0", "0.0", "0.0", "1.0", "1.0"]


def test_words_and_numbers_for_yes_and_no_stay_apart_with_a_warning() -> None:
    labels, told = unified(["True", "1", "0", "false", "true"])
    assert labels == ["True", "1", "0", "false", "True"]
    assert "may mean the same are different classes: `1` and `True`; `0` and `false`. Write each" in told
    assert unified(["1", "0"]) == (["1", "0"], "")
    assert unified(["1", "yes", "other"]) == (["1", "yes", "other"], "")


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


def test_numbers_and_days_of_other_files_are_matched_where_one_class_may_be_meant() -> None:
    classes = ["100000", "7", "0.5", "1,5", "-1", "1000", "2024-01-01"]
    given = ["1e+05", "007", ".5", "1.50", "\u22121", "1.000,0", "2024-01-01T00:00:00.000Z", "+7"]
    labels, notes = match_classes(pl.Series(given), classes)
    assert labels.to_list() == [*classes, "7"]
    assert notes[0].startswith("The data spells classes of the model differently: `+7` for `7`, `.5` for `0.5`, ")
    for label, names in (("1,000", ["1000", "1"]), ("7", ["07", "007"]), ("1,000", ["1000"]), ("7", ["7a"])):
        labels, notes = match_classes(pl.Series([label]), names)
        assert (labels.to_list(), notes) == ([label], [])


def test_a_test_file_writes_numbers_in_another_way() -> None:
    train = [(f"t{i}", ("100000", "7")[i % 2]) for i in range(20)]
    data = load_dataset(train, test=[("u0", "1e+05"), ("u1", "07")])
    assert data.test is not None
    assert data.test.labels.to_list() == ["100000", "7"]
    assert "`list of pairs` spells labels of the train rows differently: `07` for `7`, `1e+05` for `100000`." in (
        data.facts.warnings
    )
