"""`load_dataset` with valid data, and its error messages for invalid data."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.errors import DataError
from tests.data.labelled_rows import LONG, frame, rows, write


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


@pytest.mark.parametrize("name", ["dev", "validation", "valid", "val", "PublicTest", "eval"])
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
    data = load_dataset(frame().with_columns(split=pl.lit("all")))
    assert (data.facts.official, [note for note in data.facts.warnings if "split" in note]) == (False, [])
    for values in ([0, 1], ["0", "1"]):
        data = load_dataset(frame(30).with_columns(split=pl.Series(values * 15)))
        assert not data.facts.official
        assert any(
            "column `split` is not used to split the rows: `0`, `1` name no split" in n for n in data.facts.warnings
        )


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


def test_the_shares_of_few_groups_and_what_joins_them_are_named() -> None:
    table = frame(90).with_columns(author=pl.Series([i % 3 for i in range(90)]))
    assert load_dataset(table, group="author").facts.split == "33/33/33, stratified by group `author`, seed 0"
    with pytest.raises(DataError, match=r"`--folds 4` must be between 2 and 3, the number of groups of `author` that"):
        load_dataset(table, group="author", folds=4)
    copied = pl.concat([table, table.head(1).with_columns(author=pl.lit(1, pl.Int64))])
    data = load_dataset(copied, group="author", folds=2)
    assert data.facts.warnings[0].startswith(
        "1 text is in several groups of `author` (first: row 0), and copies of a text stay together: of 3 groups, 2 can"
    )
    single = table.with_columns(author=pl.lit("a"))
    with pytest.raises(DataError, match=r"`--folds 2` is not possible: there is one group of `author` only\.$"):
        load_dataset(single, group="author", folds=2)


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


def test_multilabel_rows_are_split_roughly_by_their_rarest_label() -> None:
    labels = [["common", "rare"] if i % 20 == 0 else ["common"] for i in range(1000)]
    data = load_dataset({"text": [f"t{i}" for i in range(1000)], "label": labels})
    assert data.facts.class_counts["test"]["rare"] == 5


def test_a_csv_without_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ag.csv"
    frame(40).select("label", "text").with_columns(label=pl.Series(["3", "1"] * 20)).write_csv(
        path, include_header=False
    )
    data = load_dataset(path)
    assert data.classes == ["1", "3"]
    assert data.facts.rows_read == 40
    assert "has no header" in data.facts.warnings[0]


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


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"text,label\n"])
def test_empty_files(tmp_path: Path, content: bytes) -> None:
    for name in ("a.csv", "a.jsonl", "a.txt"):
        path = tmp_path / name
        path.write_bytes(content if name == "a.csv" or len(content) < 5 else b"")
        with pytest.raises(DataError, match="is empty: it has no rows"):
            load_dataset(path)


def test_another_encoding_is_detected_and_said(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b"text,label\n" + b"".join(f"café {i},c{i % 2}\n".encode("latin-1") for i in range(50)))
    data = load_dataset(path)
    assert all(text.startswith("café ") for text in data.train.texts)
    assert any("not UTF-8, read as Windows-1252" in warning for warning in data.facts.warnings)


def test_rows_in_no_encoding_say_where_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    # UTF-8 that a program has cut is in no other encoding.
    rows = [(b"caf\xe9" if i < 20 else b"caf\xc3\xa9") + f" für {i},c{i % 2}\n".encode() for i in range(50)]
    path.write_bytes(b"text,label\n" + b"".join(rows))
    with pytest.raises(DataError, match=r"mixed.csv`: 20 of 50 rows .* line 2: byte 0xE9 at position 4 .*--encoding"):
        load_dataset(path)


def test_spellings_of_one_group_stay_in_one_split() -> None:
    rows = {
        "text": [f"text {i}" for i in range(60)],
        "label": ["a", "b"] * 30,
        "user": [(f"u{i // 6}", f"U{i // 6}", f"u{i // 6} ")[i % 3] for i in range(60)],
    }
    data = load_dataset(rows, group="user")
    assert data.test is not None
    assert data.test.groups is not None
    assert data.test.groups.n_unique() * 6 == len(data.test)
    told = "Spellings of one group of `user` were merged: `U0` to `u0`, `u0 ` to `u0`, `U1` to `u1` and 17 more."
    assert any(warning.startswith(told) for warning in data.facts.warnings)


@pytest.mark.parametrize("name", ["(Account access)", "list(b)", "Other (1 ... 5)", "Counter(y)", "array (of things)"])
def test_names_that_look_like_what_programs_print(name: str) -> None:
    data = load_dataset([(f"text {i}", ["(access)", name][i % 2]) for i in range(60)])
    assert data.classes == sorted(["(access)", name])


def test_long_cells_are_no_printed_lists() -> None:
    rows = [(f"see [1] (see [1]) {i} " * 5_000, "ab"[i % 2]) for i in range(8)]
    with pytest.raises(DataError, match="does not look like labels"):  # it took minutes
        load_dataset(pl.DataFrame(rows, ["body", "kind"], orient="row"), text="kind", label="body")


def test_carriage_returns_in_cells_are_kept(tmp_path: Path) -> None:
    for separator in ("\t", ","):
        lines = [f"text {'a' if i else 'ser' + chr(13) + 'vice'} {i}{separator}{'pn'[i % 2]}" for i in range(60)]
        (tmp_path / "data.csv").write_bytes("\n".join([f"text{separator}label", *lines, ""]).encode())
        assert "text ser\rvice 0" in load_dataset(tmp_path / "data.csv", folds=2).train.texts.to_list()


def test_joined_files_with_unknown_names(tmp_path: Path) -> None:
    part = "Nachricht\tThema\n" + "".join(f"Text Nummer {i}\t{'pn'[i % 2]}\n" for i in range(200))
    (tmp_path / "data.tsv").write_text(part + part.replace("Text", "Brief") + part.replace("Text", "Post"))
    data = load_dataset(tmp_path / "data.tsv", folds=2)
    assert (len(data.train), data.classes) == (600, ["n", "p"])
