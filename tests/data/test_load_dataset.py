"""What `load_dataset` makes of sound data, and the one sentence it says of bad data."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.errors import DataError

LONG = "a text that is long enough to be one; number"


def rows(n: int = 40, classes: int = 2) -> list[tuple[str, str]]:
    return [(f"{LONG} {i}", f"c{i % classes}") for i in range(n)]


def frame(n: int = 40, classes: int = 2) -> pl.DataFrame:
    return pl.DataFrame(rows(n, classes), ["text", "label"], orient="row")


def write(path: Path, data: pl.DataFrame) -> Path:
    data.write_csv(path)
    return path


def test_own_split_has_three_parts() -> None:
    data = load_dataset(rows(1000, 4))
    assert data.validation is not None
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (800, 100, 100)
    assert data.task == "multiclass"
    assert data.facts.class_counts["test"] == {"c0": 25, "c1": 25, "c2": 25, "c3": 25}
    assert data.facts.split == "80/10/10, stratified, seed 0"
    again, other = load_dataset(rows(1000, 4)), load_dataset(rows(1000, 4), seed=1)
    assert again.fingerprint == data.fingerprint != other.fingerprint


def test_facts_are_json_and_hold_no_text() -> None:
    facts = load_dataset(rows()).facts
    assert LONG not in json.dumps(facts.to_json())
    assert facts.lengths["train"]["max"] == len(LONG) + 3
    assert facts.rows_read == 40


def test_fingerprint_knows_text_label_split_and_borders() -> None:
    base = [("ab", "x"), ("c", "y"), ("d", "x"), ("e", "y")]
    prints = {
        load_dataset(base).fingerprint,
        load_dataset([("a", "x"), ("bc", "y"), *base[2:]]).fingerprint,
        load_dataset([("ab", "y"), ("c", "x"), *base[2:]]).fingerprint,
        load_dataset(base, folds=2).fingerprint,
        load_dataset(base, test=base[:2]).fingerprint,
    }
    assert len(prints) == 5


@pytest.mark.parametrize("name", ["dev", "validation", "valid", "val"])
def test_an_official_split_column_is_used(name: str) -> None:
    table = frame(30).with_columns(split=pl.Series(["train", name, "Test "] * 10))
    data = load_dataset(table)
    assert data.validation is not None
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 10, 10)
    assert data.facts.official
    assert data.train.texts[1] == f"{LONG} 3"


def test_official_train_and_test_leave_validation_to_the_classifier() -> None:
    data = load_dataset(frame(30).with_columns(split=pl.Series(["train", "train", "test"] * 10)))
    assert data.validation is None
    assert data.test is not None
    assert len(data.test) == 10


def test_official_validation_without_test_gets_a_test_tenth() -> None:
    data = load_dataset(
        frame(120).with_columns(
            split=pl.Series(["train"] * 5 + ["dev"]).repeat_by(1).explode().extend_constant("train", 114)
        )
    )
    assert data.test is not None
    assert len(data.test) > 10


def test_a_split_column_that_names_no_split_is_not_one() -> None:
    assert not load_dataset(frame().with_columns(split=pl.lit("all"))).facts.official


def test_test_and_validation_files(tmp_path: Path) -> None:
    train = write(tmp_path / "a.csv", frame(40))
    test = write(tmp_path / "b.csv", frame(10).with_columns(pl.col("text") + " b"))
    data = load_dataset(train, test=test)
    assert data.validation is None
    assert data.test is not None
    assert (len(data.train), len(data.test)) == (40, 10)
    both = load_dataset(train, test=test, validation=test)
    assert both.validation is not None
    assert both.facts.duplicates["test_in_validation"] == 10
    with pytest.raises(DataError, match="--folds"):
        load_dataset(train, test=test, folds=3)


def test_a_test_file_takes_the_place_of_official_test_rows() -> None:
    table = frame(30).with_columns(split=pl.Series(["train", "train", "test"] * 10))
    data = load_dataset(table, test=frame(8))
    assert data.test is not None
    assert len(data.test) == 8
    assert "10 test rows of `DataFrame` left out" in " ".join(data.facts.warnings)


def test_copies_across_official_splits_are_counted() -> None:
    table = pl.concat([frame(20).with_columns(split=pl.lit("train")), frame(6).with_columns(split=pl.lit("test"))])
    table = table.with_columns(
        pl.when(pl.col("split") == "test")
        .then("  " + pl.col("text").str.to_uppercase())
        .otherwise("text")
        .alias("text")
    )
    facts = load_dataset(table).facts
    assert facts.duplicates["test_in_train"] == 6
    assert "6 test rows with a text that is also in train." in facts.warnings


def test_copies_stay_on_one_side() -> None:
    texts = [f"{LONG} {i % 50}" + " " * (i % 2) for i in range(300)]
    data = load_dataset([(text, f"c{i % 2}") for i, text in enumerate(texts)])
    parts = [{t.strip() for t in part.texts} for part in (data.train, data.validation, data.test) if part]
    assert len(set.union(*parts)) == sum(map(len, parts)) == 50
    assert data.facts.duplicates["copies"] == 250


def test_groups_stay_on_one_side() -> None:
    table = frame(1000).with_columns(author=pl.Series(np.arange(1000) // 7))
    data = load_dataset(table, group="author")
    assert data.test is not None
    assert data.validation is not None
    numbers = [{int(t.rsplit(" ", 1)[1]) // 7 for t in part.texts} for part in (data.train, data.validation, data.test)]
    assert sum(map(len, numbers)) == len(set.union(*numbers)) == 143
    assert 80 <= len(data.test) <= 120
    folded = load_dataset(table, group="author", folds=5)
    assert folded.folds is not None
    by_group = pl.DataFrame({"g": table["author"], "f": folded.folds}).group_by("g").agg(pl.col("f").n_unique())
    assert by_group["f"].max() == 1


@pytest.mark.parametrize("folds", [None, 5])
def test_every_split_knows_the_groups_of_its_rows(folds: int | None) -> None:
    table = frame(100).with_columns(author=pl.Series([None, None, *(i // 7 for i in range(98))]))
    data = load_dataset(table, group="author", folds=folds)
    named = set()
    for part in (data.train, data.validation, data.test):
        if part is not None:
            assert part.groups is not None
            named |= set(part.groups)
            assert part.groups.dtype == pl.String
            for text, name in zip(part.texts, part.groups, strict=True):
                row = int(text.rsplit(" ", 1)[1])
                assert name.startswith("\0") if row < 2 else name == str((row - 2) // 7)
    assert len(named) == 16
    assert load_dataset(table).train.groups is None


def test_the_groups_of_a_test_file_are_read_where_it_has_them() -> None:
    table = frame(40).with_columns(author=pl.lit("a"))
    data = load_dataset(table, group="author", test=table.head(4), validation=frame(4))
    assert data.train.groups is not None
    assert data.train.groups.to_list() == ["a"] * 40
    assert data.test is not None
    assert data.test.groups is not None
    assert data.test.groups.to_list() == ["a"] * 4
    assert data.validation is not None
    assert data.validation.groups is not None
    assert data.validation.groups.n_unique() == 4


def test_rows_without_a_group_stand_alone() -> None:
    table = frame(100).with_columns(author=pl.Series(["a"] * 10 + [None] * 90))
    data = load_dataset(table, group="author", folds=5)
    assert data.folds is not None
    assert len(set(data.folds[:10])) == 1
    assert len(set(data.folds[10:])) == 5


def test_groups_and_folds_give_way_to_official_splits_with_a_word() -> None:
    table = frame(30).with_columns(split=pl.Series(["train", "train", "test"] * 10), author=pl.lit("a"))
    assert "`--group` is not used" in " ".join(load_dataset(table, group="author").facts.warnings)
    folded = load_dataset(table, folds=3)
    assert len(folded.train) == 30
    assert "official splits are not used" in " ".join(folded.facts.warnings)


def test_folds() -> None:
    data = load_dataset(rows(103, 3), folds=5)
    assert data.folds is not None
    assert (data.validation, data.test) == (None, None)
    assert sorted(np.bincount(data.folds)) == [20, 20, 21, 21, 21]
    with pytest.raises(DataError, match="between 2 and 103"):
        load_dataset(rows(103), folds=104)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1, 10, 2], ["0", "1", "2", "10"]),
        ([1.0, 0.0, 1.0, None], ["0", "1"]),
        ([True, False, True, False], ["false", "true"]),
        (["1.0", "2.0", "1.0", "2.0"], ["1", "2"]),
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


def test_multilabel_rows_are_split_roughly_by_their_rarest_label() -> None:
    labels = [["common", "rare"] if i % 20 == 0 else ["common"] for i in range(1000)]
    data = load_dataset({"text": [f"t{i}" for i in range(1000)], "label": labels})
    assert data.facts.class_counts["test"]["rare"] == 5


def test_columns_are_found_by_name_or_by_content(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", frame().rename({"text": "Review", "label": "Sentiment"}))
    assert load_dataset(path).facts.chosen == "text is `Review` (by its name), label is `Sentiment` (by its name)"
    path = write(tmp_path / "b.csv", frame().rename({"text": "was", "label": "wie"}).with_row_index("nr"))
    facts = load_dataset(path).facts
    assert (facts.text_columns, facts.label_column) == (("was",), "wie")
    assert "the only column of" in facts.chosen


def test_a_csv_without_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ag.csv"
    frame(40).select("label", "text").with_columns(label=pl.Series(["3", "1"] * 20)).write_csv(
        path, include_header=False
    )
    data = load_dataset(path)
    assert data.classes == ["1", "3"]
    assert data.facts.rows_read == 40
    assert "has no header" in data.facts.warnings[0]


def test_several_text_columns_are_joined() -> None:
    data = load_dataset(
        {"title": ["A", None, "C"], "body": ["x", "y", None], "label": ["0", "1", "0"]},
        text=["title", "body"],
    )
    assert data.train.texts.to_list() == ["A\nx", "y", "C"]


BAD = {
    "one class": ([("a", "x"), ("b", "x")], "at least two classes, but column `label` has only `x`"),
    "no rows": ([], "empty"),
    "no labels": ({"text": ["a", "b"], "label": [None, ""]}, "no row with both a text and a label"),
    "no texts": ({"text": [None, "  "], "label": ["a", "b"]}, "no row with both a text and a label"),
    "odd type": (3, "Data of type `int` cannot be read"),
    "infinite": ({"text": ["a", "b"], "label": [1.0, float("inf")]}, "`label` holds infinite numbers"),
    "texts as labels": (
        [("a", "x"), ("b", "long " * 201)],
        "`label` does not look like labels: one of its values has 1,004 characters. Choose another with `--label`. "
        "The columns are `text`, `label`.",
    ),
    "numbers as labels": (
        [(f"t{i}", f"{i % 52}") for i in range(103)],
        "`label` does not look like labels: 103 labels have 52 different values. Choose another with `--label`",
    ),
    "numbers in lists": ([(f"t{i}", [f"{i}"]) for i in range(103)], "103 labels have 103 different values"),
    "ragged columns": ({"text": ["a"], "label": ["a", "b"]}, "equally long"),
    "unclear": (
        {"p": ["aaa bbb ccc ddd eee", "b b b b b b b b b"], "q": ["c c c c c c c c c c", "ddddddd dddddddd"]},
        "--label",
    ),
    "unknown name": ("imbd", "Did you mean `imdb`?"),
    "missing file": ("no/such.csv", "`no/such.csv` does not exist"),
    "no match": ("no/such*.csv", "No file matches"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_one_clear_sentence(case: str) -> None:
    data, sentence = BAD[case]
    with pytest.raises(DataError) as caught:
        load_dataset(data)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistyped_file_is_hinted(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv", frame())
    with pytest.raises(DataError, match=r"Did you mean `reviews\.csv`"):
        load_dataset(tmp_path / "review.csv")


@pytest.mark.parametrize("option", ["text", "label", "group"])
def test_an_unknown_column_lists_the_columns(option: str) -> None:
    with pytest.raises(DataError, match=r"no column `labell`\. Did you mean `label`\? Its columns are `text`, `label`"):
        load_dataset(frame(), **{option: "labell"})


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"text,label\n"])
def test_empty_files(tmp_path: Path, content: bytes) -> None:
    for name in ("a.csv", "a.jsonl", "a.txt"):
        path = tmp_path / name
        path.write_bytes(content if name == "a.csv" or len(content) < 5 else b"")
        with pytest.raises(DataError, match="is empty: it has no rows"):
            load_dataset(path)


def test_nulls_and_empty_texts_are_counted() -> None:
    data = load_dataset([*rows(), (None, "c0"), ("  \t", "c1"), ("x", None), ("y", "")])
    assert data.facts.dropped == {"no text": 1, "empty text": 1, "no label": 2}
    assert "2 rows left out: no label (first: row 43)." in data.facts.warnings
    assert sum(len(part) for part in (data.train, data.validation, data.test) if part) == 40


def test_label_case_and_spaces() -> None:
    data = load_dataset([*rows(), ("a1", "pos"), ("a2", "Pos"), ("a3", " pos "), ("a4", "Pos")])
    assert data.classes == ["Pos", "c0", "c1", "pos"]
    told = " ".join(data.facts.warnings)
    assert "differ only by case or spaces are kept as separate classes: `Pos` and `pos`" in told
    assert "trimmed in 1 row." in told


def test_single_rows_stay_in_train() -> None:
    data = load_dataset([*rows(), ("lonely", "one")])
    assert "lonely" in data.train.texts.to_list()
    assert "1 class has a single row, which cannot be measured: `one`." in data.facts.warnings


def test_classes_without_train_rows_are_named() -> None:
    data = load_dataset(rows(), test=[("x", "c0"), ("y", "new")])
    assert "Classes without train rows cannot be learnt: `new`." in data.facts.warnings


def test_few_rows_or_two_rows_a_class_may_be_labels() -> None:
    assert len(load_dataset([(f"t{i}", f"c{i}") for i in range(100)]).classes) == 100
    assert len(load_dataset([(f"t{i}", f"c{i % 100}") for i in range(200)]).classes) == 100
    # Of several labels a row, all count.
    many = [(f"t{i}", [f"{i}", f"{i + 1}"]) for i in range(200)]
    assert len(load_dataset([*many, ("t", ["0", "200"])]).classes) == 201


def test_ten_thousand_classes() -> None:
    data = load_dataset([(f"t{i}", f"c{i % 10_000}") for i in range(30_000)])
    assert len(data.classes) == 10_000
    assert "There are 10,000 classes in 30,000 rows" in " ".join(data.facts.warnings)
    assert min(data.facts.class_counts["train"].values()) == 2


def test_a_text_of_fifty_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "".join(f"{t},{y}\n" for t, y in rows()) + "word " * 10_000_000 + ",c0\n")
    facts = load_dataset(path).facts
    assert max(part["max"] for part in facts.lengths.values()) == 50_000_000
    assert "The longest text has 50,000,000 characters (row 41)" in " ".join(facts.warnings)


def test_control_characters_are_kept_and_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        pl.concat([frame(), pl.DataFrame({"text": ["bell \x07 nul \x00"], "label": ["c0"]})]),
    )
    data = load_dataset(path)
    assert any("\x00" in text for part in (data.train, data.validation, data.test) if part for text in part.texts)
    assert "1 text contains control characters, which are kept (first: row 41)." in data.facts.warnings


def test_warnings_name_the_row_of_the_users_data(tmp_path: Path) -> None:
    odd = pl.DataFrame({"text": ["", "w" * 1_000_001, "bell \x07"], "label": ["c0", "c0", "c1"]})
    told = " ".join(load_dataset(pl.concat([frame(2), odd, frame(40)])).facts.warnings)
    assert "1 row left out: empty text (first: row 3)." in told
    assert "1,000,001 characters (row 4)" in told
    assert "which are kept (first: row 5)" in told
    test = write(tmp_path / "b.csv", odd)
    told = " ".join(load_dataset(frame(40), test=test).facts.warnings)
    assert f"empty text (first: row 1 of `{test}`)." in told
    assert f"1,000,001 characters (row 2 of `{test}`)" in told
    assert f"which are kept (first: row 3 of `{test}`)" in told


def test_a_wrong_encoding_says_where_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b"text,label\n" + b"".join(f"café {i},c{i % 2}\n".encode("latin-1") for i in range(50)))
    with pytest.raises(DataError, match=r"latin.csv`: 50 of 50 rows .* line 2: byte 0xE9 at position 4 .*iconv"):
        load_dataset(path)


def test_few_unreadable_rows_are_counted_and_many_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = [f"{text},{label}" for text, label in rows(300)]
    path.write_text("\n".join(["text,label", *good[:100], "one,too,many", *good[100:]]))
    data = load_dataset(path)
    assert [(r.line, r.excerpt) for r in data.facts.rejected] == [(102, "one,too,many")]
    assert data.facts.rejected_frame().columns == ["file", "line", "reason", "excerpt"]
    assert "excerpt" not in data.facts.to_json()["rejected"][0]
    assert "line 102: 2 fields expected, 3 found" in " ".join(data.facts.warnings)
    with pytest.raises(DataError, match=r"1 of 301 rows cannot be read \(strict reading allows none\)"):
        load_dataset(path, strict=True)
    path.write_text("\n".join(["text,label", *good[:50], "one,too,many"]))
    with pytest.raises(DataError, match=r"1 of 51 rows cannot be read \(more than 1 %\)"):
        load_dataset(path)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(frame().write_csv().encode())))
    assert load_dataset("-").source == "standard input"


def test_a_built_in_name_wins_over_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "movie-snippets").mkdir()
    write(tmp_path / "movie-snippets" / "a.csv", frame())
    assert load_dataset("movie-snippets").facts.rows_read == 8530
    assert load_dataset("./movie-snippets").facts.rows_read == 40
