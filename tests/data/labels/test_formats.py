"""Labels: how each way to write them is read, whoever wrote it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data import load_dataset
from tagline.data.labels import LabelOptions, read_labels
from tagline.errors import DataError

SEVERAL = LabelOptions(multilabel=True)
NAMES = ("billing", "delivery", "it's late", 'say "x"', "naïve – ok")


def read(cells: object, options: LabelOptions | None = None) -> pl.Series:
    frame = pl.DataFrame({"label": cells}, strict=False)
    return read_labels(frame, ("label",), "data", options or LabelOptions()).values


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1, 10, 2], ["0", "1", "2", "10"]),
        ([1.0, 0.0, 1.0, None], ["0", "1"]),
        ([True, False, True, False], ["false", "true"]),
        (["1.0", "2.0", "1.0", "2.0"], ["1.0", "2.0"]),
        ([1e300, 0.0, 1e300, 0.0], ["0.0", "1e+300"]),
        (["b", "a", "10", "9"], ["10", "9", "a", "b"]),
    ],
)
def test_labels_become_strings(labels: list[object], classes: list[str]) -> None:
    assert load_dataset({"text": ["a", "b", "c", "d"], "label": labels}).classes == classes


@pytest.mark.parametrize(
    "labels",
    [
        [["a", "b"], ["b"], [], ["c", " a "]],
        ['["a", "b"]', '["b"]', "[]", '["c", "a"]'],
        ["['a', 'b']", "['b']", "[]", "['c', 'a']"],
    ],
)
def test_lists_are_multilabel(labels: list[object]) -> None:
    data = load_dataset({"text": ["t0", "t1", "t2", "t3"], "label": labels}, test=[("t9", "b")])
    assert data.task == "multilabel"
    assert data.classes == ["a", "b", "c"]
    assert data.train.labels.to_list() == [["a", "b"], ["b"], [], ["a", "c"]]
    assert data.test is not None
    assert data.test.labels.to_list() == [["b"]]


@pytest.mark.parametrize(
    "labels",
    [
        ['["a", null]', "[true, 1.0]", '["", " x "]', "[]"],
        [["a", None], [True, 1.0], ["", " x "], []],
    ],
)
def test_lists_follow_one_set_of_rules_however_they_are_written(labels: list[object]) -> None:
    data = load_dataset({"text": ["t0", "t1", "t2", "t3"], "label": labels}, test=[("t9", "a")])
    assert data.train.labels.to_list() == [["a"], ["1", "true"], ["x"], []]


#: Ways to write the labels of one text into a cell, besides JSON.
CELLS: dict[str, Callable[[list[str]], object]] = {
    "Python lists": repr,
    "Python sets": lambda names: repr(set(names)) if names else "set()",
    "Python tuples": lambda names: repr(tuple(names)),
    "JSON": json.dumps,
    "JSON with escapes": lambda names: json.dumps(names, ensure_ascii=True, indent=1),
    "arrays of NumPy": lambda names: str(np.array(names, dtype=str)),
    "choices": lambda names: json.dumps({"choices": names}),
    "objects with names": lambda names: json.dumps([{"label": name} for name in names]),
    "0 and 1": lambda names: json.dumps({name: int(name in names) for name in NAMES}),
    "booleans of Python": lambda names: repr({name: name in names for name in NAMES}),
    "probabilities": lambda names: json.dumps({name: 0.9 if name in names else 0.1 for name in NAMES}),
    "yes and no": lambda names: json.dumps({name: "yes" if name in names else "no" for name in NAMES}),
    "x and nothing": lambda names: json.dumps({name: "x" if name in names else "" for name in NAMES}),
}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.sampled_from(NAMES), unique=True), min_size=1, max_size=20))
@pytest.mark.parametrize("way", CELLS)
def test_random_labels_are_read_back_from_every_way_to_write_them(way: str, rows: list[list[str]]) -> None:
    # An array with both kinds of quotes has no reading: NumPy prints a quote in a quoted string as it is.
    if way == "arrays of NumPy":
        rows = [[name.replace("'", "").replace('"', "") for name in row] for row in rows]
    assert read([CELLS[way](row) for row in rows], SEVERAL).to_list() == [sorted(row) for row in rows]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.sampled_from(NAMES), unique=True), min_size=1, max_size=20))
def test_objects_and_lists_of_typed_columns_are_read_as_in_text(rows: list[list[str]]) -> None:
    expected = [sorted(row) for row in rows]
    assert read(pl.Series(rows, dtype=pl.List(pl.String)), SEVERAL).to_list() == expected
    objects = [{name: name in row for name in NAMES} for row in rows]
    assert read(pl.Series(objects), SEVERAL).to_list() == expected
    items = [[{"label": name} for name in row] for row in rows]
    assert read(pl.Series(items, dtype=pl.List(pl.Struct({"label": pl.String}))), SEVERAL).to_list() == expected


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=20))
@pytest.mark.parametrize(
    "write", [str, json.dumps, lambda row: str(np.array(row)), lambda row: str(np.array(row) * 1.0)]
)
def test_indicators_are_named_by_position(write: Callable[[object], str], rows: list[list[bool]]) -> None:
    expected = [[str(i) for i, flag in enumerate(row) if flag] for row in rows]
    assert read([write([int(flag) for flag in row]) for row in rows]).to_list() == expected
    assert read(pl.Series([[int(flag) for flag in row] for row in rows])).to_list() == expected
    assert read(pl.Series(rows)).to_list() == expected


@pytest.mark.parametrize("cells", [["0,1,0", "1,1,0"], ["0 1 0", "1 1 0"], ["0.0; 1.0; 0.0", "1.0; 1.0; 0.0"]])
def test_indicators_without_brackets(cells: list[str]) -> None:
    assert read([*cells, None]).to_list() == [["1"], ["0", "1"], None]


def test_two_digits_with_a_comma_are_numbers() -> None:
    for cells, n_notes in ((["0,0", "1,0"], 0), (["0,1", "1,0", "1,1"], 1)):
        frame = pl.DataFrame({"label": cells})
        found = read_labels(frame, ("label",), "data", LabelOptions())
        assert (found.values.to_list(), len(found.notes)) == (cells, n_notes)
        assert not read_labels(frame, ("label",), "data", LabelOptions(separator="")).notes
        for options in (LabelOptions(separator=","), SEVERAL):
            assert read(["0,1", "1,0"], options).to_list() == [["1"], ["0"]]
    assert load_dataset([(f"t{i}", ("0,0", "1,0")[i % 2]) for i in range(20)]).classes == ["0,0", "1,0"]


def test_strings_of_bits_are_indicators() -> None:
    frame = pl.DataFrame({"label": ["010", "110", None, "101"]})
    found = read_labels(frame, ("label",), "data", LabelOptions())
    assert found.values.to_list() == [["1"], ["0", "1"], None, ["0", "2"]]
    assert "labels are named by their positions, from 0. Give `--keep-label-spelling` if" in found.notes[0]
    for cells in (["100", "101", "110"], ["010", "101"], ["01", "10", "11"], ["010", "101", "1001"]):
        assert read(cells).to_list() == cells
    assert read(["010", "110", "101"], LabelOptions(keep_spelling=True)).to_list() == ["010", "110", "101"]
    assert read(["010", "001", "100"], LabelOptions(separator="")).to_list() == [["1"], ["2"], ["0"]]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["<a><b>", "<b>"], [["a", "b"], ["b"]]),
        (["#a #b", "#b"], [["a", "b"], ["b"]]),
        (["__label__a __label__b", "__label__b"], [["a", "b"], ["b"]]),
        (['"a","b"', '"b"', '"a"'], [["a", "b"], ["b"], ["a"]]),
        (["(a, b)", "(b)", "(a)"], [["a", "b"], ["b"], ["a"]]),
        (["tensor([0, 1, 1])", "tensor([1, 0, 0], dtype=torch.int8)"], [["1", "2"], ["0"]]),
        (["array(['a', 'b'], dtype=object)", "array(['b'], dtype=object)"], [["a", "b"], ["b"]]),
        (["[np.str_('a'), np.str_('b')]", "[np.str_('b')]"], [["a", "b"], ["b"]]),
        (["frozenset({'a', 'b'})", "frozenset()"], [["a", "b"], []]),
        (["[ True False]", "[ True  True]"], [["0"], ["0", "1"]]),
        (["True, False", "True, True"], [["0"], ["0", "1"]]),
        (["tensor(1)", "np.int64(2)", "b'c'"], ["1", "2", "c"]),
        (["tf.Tensor([0 1 1], shape=(3,), dtype=int32)", "tf.Tensor([1 0 0], shape=(3,))"], [["1", "2"], ["0"]]),
        (["Index(['a', 'b'], dtype='object')", "Index([], dtype='object')"], [["a", "b"], []]),
        (["dict_keys(['a', 'b'])", "deque(['b'], maxlen=3)"], [["a", "b"], ["b"]]),
        (['c("a", "b")', 'c("b", NA)', "character(0)", "c"], [["a", "b"], ["b"], [], ["c"]]),
        (["[a; b]", "[b]", "[a]"], [["a", "b"], ["b"], ["a"]]),
        (["[a|b]", "[b]", "[a]"], [["a", "b"], ["b"], ["a"]]),
        (["('yes', 0.98)", "('no', 0.4)", "('a', 0.9)"], [["yes"], ["no"], ["a"]]),
        (["[('a', 0.9), ('b', 0.3)]", "[('a', 0.6), ('b', 0.8)]"], [["a"], ["a", "b"]]),
        (["1/0/0", "0-1-1", "0:0:0"], [["0"], ["1", "2"], []]),
        (["1-0", "0-1"], ["1-0", "0-1"]),
        (["<a>", "#b", "C#"], ["<a>", "#b", "C#"]),
    ],
)
def test_further_ways_to_print_several_labels(cells: list[str], expected: list[object]) -> None:
    assert read(cells).to_list() == expected


def test_the_prefix_of_fasttext_is_no_part_of_a_label() -> None:
    for options in (LabelOptions(), LabelOptions(separator="")):
        assert read(["__label__a", "__label__b", None], options).to_list() == ["a", "b", None]


def test_test_rows_with_one_label_each_are_read_as_the_others() -> None:
    for train, test in ((["<a><b>", "<a>", "<b>"], "<a>"), (["011", "110", "001"], "100")):
        data = load_dataset([(f"t{i}", cell) for i, cell in enumerate(train * 4)], test=[("u", test), ("v", test)])
        assert data.test is not None
        assert data.test.labels.to_list() == [["a" if test == "<a>" else "0"]] * 2


def test_times_and_narrow_floats_are_written_as_in_text_files() -> None:
    days = pd.to_datetime(["2024-01-01", "2024-01-02"])
    narrow = pd.Series([0.1, 2.0], dtype="float32")
    for times, written in (
        (days, ["2024-01-01", "2024-01-02"]),
        (days + pd.Timedelta(hours=1), ["2024-01-01 01:00:00", "2024-01-02 01:00:00"]),
    ):
        assert read(pl.Series(times.to_list())).to_list() == written
        frame = pd.DataFrame({"text": ["t", "u"], "label": times, "share": narrow})
        assert load_dataset(frame, label="label").train.labels.to_list() == written
        assert load_dataset(frame, label="share").classes == ["0.1", "2.0"]
    assert read(pl.Series(days.tz_localize("UTC").to_list())).to_list() == ["2024-01-01", "2024-01-02"]


def test_durations_are_no_labels() -> None:
    with pytest.raises(DataError, match="column `label` holds durations, which cannot be labels"):
        read(pl.Series([1, 2], dtype=pl.Duration))


def test_names_that_may_be_joined_are_asked_about() -> None:
    frame = pl.DataFrame({"label": ["yes", "no", "yes/no", "N/A"]})
    found = read_labels(frame, ("label",), "data", LabelOptions())
    assert found.values.to_list() == ["yes", "no", "yes/no", "N/A"]
    assert found.notes == (
        "Labels of column `label` such as `yes/no` are read as single names. If they are several joined by `/`, give "
        "`--label-separator '/'`.",
    )
    assert read_labels(frame, ("label",), "data", LabelOptions(separator="")).notes == ()
    joined = read_labels(frame, ("label",), "data", LabelOptions(separator="/"))
    assert joined.values.to_list() == [["yes"], ["no"], ["no", "yes"], ["N/A"]]


def test_an_empty_list_is_unlabelled_where_no_row_has_several() -> None:
    for lists in ([["a"], [], ["b"]], ["['a']", "[]", '["b"]']):
        assert read(lists).to_list() == [["a"], None, ["b"]]
    rows = {"text": [f"t{i}" for i in range(12)], "label": [["a"], [], ["b"]] * 4}
    data = load_dataset(rows, folds=2)
    assert (data.task, data.facts.dropped) == ("binary", {"no label": 4})
    assert "4 rows with an empty list in `label`, read as unlabelled" in data.facts.warnings[0]
    multi = load_dataset(rows, folds=2, multilabel=True)
    assert multi.train.labels.to_list() == [["a"], [], ["b"]] * 4
    several = load_dataset([("t0", ["a", "b"]), ("t1", ["b"]), ("t2", ["a"])], test=[("u0", []), ("u1", ["a"])])
    assert several.test is not None
    assert several.test.labels.to_list() == [[], ["a"]]


def test_class_numbers_in_lists_stay_names() -> None:
    assert read(["[0, 1]", "[2]", "[1, 0]"]).to_list() == [["0", "1"], ["2"], ["0", "1"]]
    assert read(["[0, 2]", "[2, 1]"]).to_list() == [["0", "2"], ["1", "2"]]
    with pytest.raises(DataError, match="one value for each label, and these differ in length"):
        read(["[0, 0, 1]", "[1, 0]"])


def test_lists_that_name_a_label_several_times_are_announced() -> None:
    found = read_labels(pl.DataFrame({"label": ["['a', 'a']", "['b', 'a']"]}), ("label",), "data", LabelOptions())
    assert found.values.to_list() == [["a"], ["a", "b"]]
    assert found.notes == ("1 row of `label` has a label several times, such as `['a', 'a']`: it counts once.",)


def test_the_same_labels_in_every_row_are_refused() -> None:
    with pytest.raises(DataError, match="every row has all 2 labels of column `label`"):
        load_dataset([("t0", ["a", "b"]), ("t1", ["b", "a"])])


def test_lists_of_labels_have_their_scores_beside_them() -> None:
    frame = pl.DataFrame({"labels": [["a", "b"], ["b", "a"]], "scores": [[0.9, 0.1], [0.4, 0.6]]})
    assert read_labels(frame, ("labels",), "data", LabelOptions()).values.to_list() == [["a"], ["a"]]


def test_lists_without_quotes_are_read_and_names_in_brackets_are_names() -> None:
    expected = [["a", "b"], ["a"], ["b"], []]
    assert read(["[a, b]", "[a]", "[b]", "[]"]).to_list() == expected
    assert read(["{a,b}", "{a}", "{b}", "{}"]).to_list() == expected
    assert read(["[PAD]", "[UNK]", "(other)"]).to_list() == ["[PAD]", "[UNK]", "(other)"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('{"a": 3, "b": 0}', "an object must have 0, 1 or a probability for each label"),
        ('{"text": "hello", "user": 1}', "an object must have 0, 1 or a probability"),
        ('{"text": "hello", "user": 1}', "; `--label label.text` names a value inside it."),
        ('[[0, 4, "ORG"]]', "a list inside a list names no class"),
        ('[{"start": 0, "end": 4, "label": "ORG"}]', "no labels of whole texts"),
        ('["[1, 2]"]', "it is a structure that names no class"),
        ("[1 0 0 ... 0]", "it was shortened with `...` when it was printed"),
        ("deque2(['a'])", "it is what a program prints"),
        ('a:1:{i:0;s:1:"a";}', "it is an array as PHP's `serialize` writes it"),
    ],
)
def test_other_structures_are_refused_with_the_reason(cell: str, reason: str) -> None:
    with pytest.raises(DataError, match=r"`data`: column `label` holds `.*") as caught:
        read([cell, "plain"])
    assert reason in str(caught.value)


@pytest.mark.parametrize("separator", ["|", ";", "#", ","])
def test_joined_names_are_multilabel(separator: str) -> None:
    rows = [["a"], ["b"], ["a", "b"], ["b", "c"], ["c"], []] * 4
    cells = [separator.join(row) for row in rows]
    data = load_dataset({"text": [f"t{i}" for i in range(24)], "label": cells}, folds=2)
    assert (data.task, data.facts.label_separator) == ("multilabel", separator)
    assert data.train.labels.to_list() == rows
    told = " ".join(data.facts.warnings)
    assert f"several labels joined by `{separator}`, such as `a{separator}b`: read as multi-label" in told
    assert "4 rows without a label: read as texts to which no label applies." in told
    single = load_dataset({"text": [f"t{i}" for i in range(24)], "label": cells}, folds=2, label_separator="")
    assert (single.task, single.facts.dropped) == ("multiclass", {"no label": 4})
    assert f"a{separator}b" in single.classes


def test_a_given_separator_needs_no_recurring_names() -> None:
    assert read(["a / b", "c", "d/e"], LabelOptions(separator="/")).to_list() == [["a", "b"], ["c"], ["d", "e"]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=20))
@pytest.mark.parametrize(
    ("yes", "no"), [("1", "0"), ("1.0", "0.0"), ("True", "False"), ("Y", "n"), ("x", ""), ("0.7", "0.2")]
)
def test_columns_of_zero_and_one_are_a_label_each(yes: str, no: str, rows: list[list[bool]]) -> None:
    frame = pl.DataFrame({name: [yes if row[i] else no for row in rows] for i, name in enumerate("abc")})
    expected = [[name for i, name in enumerate("abc") if row[i]] for row in rows]
    assert read_labels(frame, tuple("abc"), "data", LabelOptions()).values.to_list() == expected
    typed = pl.DataFrame({name: [row[i] for row in rows] for i, name in enumerate("abc")})
    for dtype in (pl.Boolean, pl.Int8, pl.Float32):
        assert read_labels(typed.cast(dtype), tuple("abc"), "data", LabelOptions()).values.to_list() == expected


def test_label_columns_that_hold_something_else_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"several label columns hold 0 and 1, .*; `b` holds `5` in row 1. Give a single"
    ):
        read_labels(pl.DataFrame({"a": [0, 1], "b": [1, 5]}), ("a", "b"), "data", LabelOptions())


@pytest.mark.parametrize(
    ("yes", "no"),
    [("x", "-"), ("1", "-1"), ("1", "NA"), ("WAHR", "FALSCH"), ("vrai", "faux"), ("on", "off"), ("✔", "✘"), ("*", "")],
)
def test_marks_and_words_of_label_columns(yes: str, no: str) -> None:
    frame = pl.DataFrame({"a": [yes, no, yes], "b": [no, yes, yes]})
    found = read_labels(frame, ("a", "b"), "data", LabelOptions())
    assert (found.values.to_list(), found.notes) == ([["a"], ["b"], ["a", "b"]], ())


def test_label_columns_may_hold_their_own_names() -> None:
    frame = pl.DataFrame({"a": ["A", "", "a"], "b": ["", "b", "b"]})
    assert read_labels(frame, ("a", "b"), "data", LabelOptions()).values.to_list() == [["a"], ["b"], ["a", "b"]]


def test_columns_of_probabilities_are_announced() -> None:
    found = read_labels(pl.DataFrame({"a": [0.5, 0.1], "b": [0.0, 1.0]}), ("a", "b"), "data", LabelOptions())
    assert found.values.to_list() == [["a"], ["b"]]
    assert found.notes == ("Column `a` holds probabilities: the label applies from 0.5.",)


def test_a_row_of_empty_label_columns_is_unlabelled() -> None:
    frame = pl.DataFrame({"a": [0, 1, None], "b": [0, None, None]})
    found = read_labels(frame, ("a", "b"), "data", LabelOptions())
    assert found.values.to_list() == [[], ["a"], None]
    assert found.notes == ("Empty cells in label columns are read as 0, in 1 row (first: column `b`, row 1).",)


@pytest.mark.parametrize("cells", [[-1, 1, 0, -1], ["-1", "1", "", "-1"], [-1.0, 1.0, float("nan"), -1.0]])
def test_rows_with_labels_that_are_not_known_are_unlabelled(cells: list[object]) -> None:
    frame = pl.DataFrame({"a": [1, 1, 1, -1], "b": cells})
    found = read_labels(frame, ("a", "b"), "data", LabelOptions())
    assert found.values.to_list() == [None, ["a", "b"], ["a"], None]
    told = f"2 rows have a label that is not known, such as `{cells[0]}` in column `b` (row 0): read as unlabelled."
    assert told in found.notes[0]


def test_one_label_in_every_row_makes_the_task_single_label() -> None:
    texts = [f"t{i}" for i in range(12)]
    one_hot = {"text": texts, "a": [1, 0, 0] * 4, "b": [0, 1, 0] * 4, "c": [0, 0, 1] * 4}
    lists = {"text": texts, "label": [["a"], ["b"], ["c"]] * 4}
    for data, label in ((one_hot, ["a", "b", "c"]), (lists, "label")):
        single = load_dataset(data, label=label, folds=2)
        assert (single.task, single.train.labels.to_list()) == ("multiclass", ["a", "b", "c"] * 4)
        assert "Each row has exactly one label: read as single-label." in " ".join(single.facts.warnings)
        multi = load_dataset(data, label=label, folds=2, multilabel=True)
        assert (multi.task, multi.train.labels.to_list()) == ("multilabel", [["a"], ["b"], ["c"]] * 4)
    names = load_dataset({"text": texts, "label": ["a", "b", "c"] * 4}, folds=2, multilabel=True)
    assert names.train.labels.to_list() == [["a"], ["b"], ["c"]] * 4


def test_numbers_stay_as_written_in_text_files(tmp_path: Path) -> None:
    for cells in (["1.0", "2.0"], ["1.0", "2.5"], ["01", "2"], ["1e3", "2"]):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerows([("text", "label"), *((f"t{i}", cells[i % 2]) for i in range(20))])
        (tmp_path / "a.csv").write_text(buffer.getvalue())
        assert load_dataset(tmp_path / "a.csv").classes == sorted(cells)


def test_test_rows_are_split_as_the_train_rows_are() -> None:
    train = [("t0", "a"), ("t1", "b"), ("t2", "c")] * 10
    names = load_dataset(train, test=[("u0", "a|b"), ("u1", "a"), ("u2", "b")])
    assert (names.task, names.facts.label_separator) == ("multiclass", None)
    joined = load_dataset([*train, ("t3", "a|b")], test=[("u0", "b|c"), ("u1", "")])
    assert joined.test is not None
    assert joined.test.labels.to_list() == [["b", "c"], []]
