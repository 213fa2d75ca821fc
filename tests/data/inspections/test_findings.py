"""Findings of the inspections and their messages."""

from pathlib import Path

import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.data.labels import visible
from tagline.errors import DataError
from tests.data.labelled_rows import frame, rows, write


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
    assert (
        "6 test rows have a text that is also in train (row 20 is also row 0), so metrics are optimistic: remove "
        "copies from test."
    ) in facts.warnings
    assert "remove copies from test. All are in `copies.csv` of the run." in " ".join(facts.of_run().warnings)
    assert facts.copies is not None
    assert facts.copies.height == 12
    assert facts.copies.row(1) == (1, "test", None, 21, "c0", False, table["text"][20])


def test_nulls_and_empty_texts_are_counted() -> None:
    data = load_dataset([*rows(), (None, "c0"), ("  \t", "c1"), ("x", None), ("y", "")])
    assert data.facts.dropped == {"no text": 1, "empty text": 1, "no label": 2}
    assert "2 rows were left out: no label (first: row 42)." in data.facts.warnings
    assert sum(len(part) for part in (data.train, data.validation, data.test) if part) == 40


def test_label_case_and_spaces() -> None:
    labelled = [*rows(), ("a1", "pos"), ("a2", "Pos"), ("a3", " pos "), ("a4", "Pos")]
    data = load_dataset(labelled, keep_label_spelling=True)
    assert data.classes == ["Pos", "c0", "c1", "pos"]
    told = " ".join(data.facts.warnings)
    assert "differ only by case or spaces are kept as separate classes: `Pos` and `pos`" in told
    assert "trimmed in 1 row." in told
    assert load_dataset(labelled).classes == ["c0", "c1", "pos"]


def test_single_rows_stay_in_train() -> None:
    data = load_dataset([*rows(), ("lonely", "one")])
    assert "lonely" in data.train.texts.to_list()
    assert "1 class has a single row, which cannot be measured: `one`." in data.facts.warnings


def test_classes_without_train_rows_are_named() -> None:
    data = load_dataset(rows(), test=[("x", "c0"), ("y", "new")])
    assert "Classes without train rows cannot be learned: `new`." in data.facts.warnings


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
    assert f"The longest text has 50,000,000 characters (line 42 of `{path}`)" in " ".join(facts.warnings)


def test_control_characters_are_kept_and_reported(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        pl.concat([frame(), pl.DataFrame({"text": ["bell \x07 nul \x00"], "label": ["c0"]})]),
    )
    data = load_dataset(path)
    assert any("\x00" in text for part in (data.train, data.validation, data.test) if part for text in part.texts)
    assert f"1 text contains control characters, which are kept (first: line 42 of `{path}`)." in data.facts.warnings


def test_control_characters_in_labels_are_reported() -> None:
    (told,) = load_dataset([(f"text {i}", f"c{i % 2}" + "\1" * (i % 2)) for i in range(40)]).facts.warnings
    assert told == r"1 label contains control characters, which are kept, such as 'c1\x01'."


def test_characters_of_a_wrong_encoding_are_reported(tmp_path: Path) -> None:
    texts = ["Cafés", "à", "Noël,", "“quoted”,", "NÃO,", "Â,", "â", "A IRMÃ…", "“MAÇÃ”", "IRMÃ\N{NO-BREAK SPACE}"]
    good = [(f"{text} {i}", f"c{i % 2}") for i, text in enumerate(4 * texts)]
    assert not load_dataset(good).facts.warnings
    for text in ("é", "’", "ß", "“", "Ö", "à", "Å"):
        broken = text.encode().decode("cp1252")
        (one,) = load_dataset([*good, (f"x {broken}", "c0")]).facts.warnings
        assert one.startswith("1 text contains characters that a wrong encoding leaves, such as `"), text
        assert f"such as `{visible(broken)}` (first: row 40)" in one
        assert "export them again as UTF-8" in one
        assert "--encoding" not in one
    assert not load_dataset([*good, ("a film \x96 and a dash\x97here", "c0")]).facts.warnings  # as in IMDB's reviews
    facts = load_dataset([*((f"text {i}", f"c{i % 2}") for i in range(1001)), ("caf\ufffd", "c0")]).facts
    assert (len(facts.warnings), facts.key_findings) == (1, ())  # in less than one of 1,000 texts
    (lost,) = load_dataset([*good, ("caf\ufffd", "c0")]).facts.warnings
    assert "`\ufffd`" in lost
    path = tmp_path / "utf8.csv"
    path.write_text("text,label\n" + "".join(f"é {text},{label}\n" for text, label in rows()), encoding="utf-8")
    assert "Remove `--encoding cp1252`" in " ".join(load_dataset(path, encoding="cp1252").facts.warnings)
    assert "wrong" not in " ".join(load_dataset(path).facts.warnings)
    for text in ("bł±d", "Sk„rmen d†lig", "verf\x81gbar", "m├╝de"):
        told = " ".join(load_dataset([*good, (text, "c0")]).facts.warnings)
        assert "1 text contains characters that a wrong encoding leaves" in told, text
    path.write_bytes("".join(["text,label\n", *(f"a b\xa6d {i},{i % 2}\n" for i in range(40))]).encode("latin-1"))
    for source in (path, str(tmp_path / "*.csv")):
        told = " ".join(load_dataset(source).facts.warnings)
        assert " was detected: name the right encoding with `--encoding`" in told


def test_classes_of_few_rows_are_named() -> None:
    (told,) = load_dataset([*rows(), ("a", "rare"), ("b", "rare")]).facts.warnings
    assert told == "1 class has fewer than 10 rows, too few to learn from and to measure: `rare`."


def test_warnings_name_the_row_of_the_users_data(tmp_path: Path) -> None:
    odd = pl.DataFrame({"text": ["", "w" * 1_000_001, "bell \x07"], "label": ["c0", "c0", "c1"]})
    told = " ".join(load_dataset(pl.concat([frame(2), odd, frame(40)])).facts.warnings)
    assert "1 row was left out: empty text (first: row 2)." in told
    assert "1,000,001 characters (row 3)" in told
    assert "which are kept (first: row 4)" in told
    test = write(tmp_path / "b.csv", odd)
    told = " ".join(load_dataset(frame(40), test=test).facts.warnings)
    assert f"empty text (first: line 2 of `{test}`)." in told
    assert f"1,000,001 characters (line 3 of `{test}`)" in told
    assert f"which are kept (first: line 4 of `{test}`)" in told


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


def test_copies_that_dominate_are_named() -> None:
    assert not load_dataset([row for row in rows(20) for _ in range(2)]).facts.warnings
    told = load_dataset([row for row in rows(20) for _ in range(3)]).facts.warnings
    assert told == (
        "Copies dominate: 60 rows have 20 distinct texts; the most frequent has 3 (first: row 0). Metrics weigh a text "
        "by its copies; intervals count each distinct text once.",
    )


def test_conflicting_labels_name_two_lines_and_where_the_others_are(tmp_path: Path) -> None:
    odd = pl.DataFrame({"text": ["same", "it", " Same", "IT", "it"], "label": ["c0", "c1", "c1", "c0", "c0"]})
    path = write(tmp_path / "a.csv", pl.concat([frame(), odd]))
    facts = load_dataset(path).facts
    assert facts.warnings == (
        f"2 texts have conflicting labels (line 42 of `{path}` is `c0`, line 44 of `{path}` is `c1`): correct the "
        "labels, or remove these rows.",
    )
    assert facts.of_run().warnings == (f"{facts.warnings[0]} All are in `copies.csv` of the run.",)
    assert facts.of_run().key_findings[0].sentence == facts.of_run().warnings[0]
    assert facts.copies is not None
    assert facts.copies["line"].to_list() == [42, 44, 43, 45, 46]
    assert facts.copies["copy"].to_list() == [1, 1, 2, 2, 2]
    sets = pl.DataFrame({"text": ["a", "b", "A"], "label": [["x"], ["y"], ["x", "y"]]})
    several = load_dataset(sets, multilabel=True).facts
    assert "1 text has conflicting labels (row 0 is `x`, row 2 is `x` and `y`): correct" in " ".join(several.warnings)
    assert several.of_run().warnings == several.warnings
    assert several.copies is not None
    assert several.copies["label"].to_list() == ["x", "x|y"]


def test_classes_of_one_text_or_group_are_named() -> None:
    told = load_dataset([*rows(), *[("cancel it", "copied"), (" Cancel it", "copied")]]).facts.warnings
    assert told == (
        "1 class has several rows but only one distinct text or group, which can be neither measured nor used for "
        "calibration: `copied`.",
    )
    table = frame(40, 4).with_columns(author=pl.when(pl.col("label") == "c3").then(pl.lit("x")).otherwise("text"))
    (one,) = load_dataset(table, text="text", group="author").facts.warnings
    assert one.endswith("calibration: `c3`.")
    labels = [(text, [label, "rare"] if text.startswith("same") else [label]) for text, label in rows(20)]
    sets = [*labels, ("same text", ["c0", "rare"]), ("same text", ["c0", "rare"])]
    (one,) = load_dataset(pl.DataFrame(sets, ["text", "label"], orient="row")).facts.warnings
    assert one.endswith("calibration: `rare`.")
