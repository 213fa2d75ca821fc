"""Weights of rows from a column: read in every format, aligned with their rows, and refused where they are none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.data import Dataset, load_dataset
from tagline.errors import ColumnError, DataError, InputError
from tests.data.labelled_rows import frame, rows, write

N = 40
WEIGHTS = [0.5 * (k % 7) for k in range(N)]
WEIGHTED = frame(N).with_columns(w=pl.Series(WEIGHTS))


def weight_of_texts(data: Dataset) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in (data.train, data.validation):
        if part is not None:
            assert part.weights is not None
            found |= dict(zip(part.texts.to_list(), part.weights.tolist(), strict=True))
    return found


EXPECTED = dict(zip(WEIGHTED["text"].to_list(), WEIGHTS, strict=True))


def check_aligned(data: Dataset) -> None:
    found = weight_of_texts(data)
    assert len(found) == len(data.train) + (0 if data.validation is None else len(data.validation))
    assert found == {text: EXPECTED[text] for text in found}
    assert data.test is None or data.test.weights is None


def objects() -> list[dict[str, Any]]:
    return [{"text": t, "label": label, "meta": {"w": w}} for t, label, w in WEIGHTED.iter_rows()]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "json", "parquet", "xlsx"])
def test_every_format_has_weights(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    {
        "csv": WEIGHTED.write_csv,
        "tsv": lambda path: WEIGHTED.write_csv(path, separator="\t"),
        "jsonl": WEIGHTED.write_ndjson,
        "json": WEIGHTED.write_json,
        "parquet": WEIGHTED.write_parquet,
        "xlsx": WEIGHTED.write_excel,
    }[suffix](path)
    check_aligned(load_dataset(path, weight="w"))


def test_objects_hold_weights_under_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, objects())))
    check_aligned(load_dataset(path, weight="meta.w"))
    check_aligned(load_dataset(objects(), weight="meta.w"))


@pytest.mark.parametrize("make", [lambda f: f, lambda f: f.to_pandas(), lambda f: f.to_dicts(), lambda f: f.to_dict()])
def test_objects_in_python_have_weights(make: Any) -> None:
    pytest.importorskip("pandas")
    check_aligned(load_dataset(make(WEIGHTED), weight="w"))


def test_numbers_may_be_text() -> None:
    cells = ["1.5", " 2 ", "1,5", "1e1", "0", ".5", "1.000,5", "+3", "1,000.5", "7"]
    data = load_dataset(frame(10).with_columns(w=pl.Series(cells)), weight="w", folds=2)
    assert data.train.weights is not None
    assert data.train.weights.tolist() == [1.5, 2, 1.5, 10, 0, 0.5, 1000.5, 3, 1000.5, 7]


@pytest.mark.parametrize("folds", [None, 4])
@pytest.mark.parametrize("group", [None, "author"])
def test_weights_stay_with_their_rows(folds: int | None, group: str | None) -> None:
    """Splits, folds, groups and copies do not move them; rows that cannot be used need none."""
    unusable = pl.DataFrame({"text": ["", None, "x"], "label": ["c0", "c1", None], "w": [None, -1.0, None]})
    mixed = pl.concat([WEIGHTED[:10], unusable, WEIGHTED[10:], WEIGHTED[:5]])
    mixed = mixed.with_columns(author=pl.Series([f"a{k % 9}" for k in range(len(mixed))]))
    data = load_dataset(mixed, weight="w", folds=folds, group=group)
    assert data.facts.dropped == {"no text": 1, "empty text": 1, "no label": 1}
    for part in (data.train, data.validation):
        if part is not None:
            assert part.weights is not None
            assert part.weights.tolist() == [EXPECTED[text] for text in part.texts]
    taken = data.train.take(np.array([3, 0]))
    assert taken.weights is not None
    assert taken.weights.tolist() == [EXPECTED[text] for text in taken.texts]


@given(st.lists(st.floats(0.25, 1e6), min_size=12, max_size=40), st.integers(0, 5))
def test_any_weights_are_read_as_they_are(weights: list[float], seed: int) -> None:
    weights[::4] = [0.0] * len(weights[::4])
    table = frame(len(weights)).with_columns(w=pl.Series(weights))
    expected = dict(zip(table["text"].to_list(), weights, strict=True))
    for written in (table, table.with_columns(pl.col("w").cast(pl.String))):
        data = load_dataset(written, weight="w", seed=seed)
        found = weight_of_texts(data)
        assert found == {text: expected[text] for text in found}
        assert data.train.trained.texts.to_list() == [text for text in data.train.texts if expected[text]]


def test_joined_files_keep_weights(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", WEIGHTED[:25])
    write(
        tmp_path / "b.csv", WEIGHTED[25:].with_columns(pl.col("w").cast(pl.String).str.replace(".", ",", literal=True))
    )
    check_aligned(load_dataset(tmp_path / "*.csv", weight="w"))


def test_test_rows_need_no_weights(tmp_path: Path) -> None:
    split = pl.Series(["train"] * 30 + ["test"] * 10)
    official = WEIGHTED.with_columns(split=split, w=pl.when(split == "test").then(None).otherwise("w"))
    check_aligned(load_dataset(official, weight="w"))
    check_aligned(load_dataset(WEIGHTED[:30], test=WEIGHTED[30:].drop("w"), weight="w"))
    check_aligned(load_dataset(WEIGHTED[:30], test=WEIGHTED[30:].with_columns(w=pl.lit("many")), weight="w"))
    with pytest.raises(DataError, match=r"is empty \(row 30, the first of 10 such rows\)"):
        load_dataset(official, weight="w", folds=3)


def test_validation_rows_have_weights_or_count_once() -> None:
    data = load_dataset(WEIGHTED[:30], validation=WEIGHTED[30:], weight="w")
    check_aligned(data)
    data = load_dataset(WEIGHTED[:30], validation=WEIGHTED[30:].drop("w"), weight="w")
    assert data.validation is not None
    assert data.validation.weights is not None
    assert data.validation.weights.tolist() == [1.0] * 10
    assert any("has no column `w`: its validation rows have weight 1." in note for note in data.facts.warnings)


def test_the_column_of_weights_is_not_taken_for_another() -> None:
    table = pl.DataFrame(rows(N), ["text", "kind"], orient="row").with_columns(rating=pl.Series([1, 2] * (N // 2)))
    assert load_dataset(table, weight="rating").facts.label_columns == ("kind",)
    assert load_dataset(table).facts.label_columns == ("rating",)
    note = pl.Series([f"{k}" for k in range(N)])
    assert load_dataset(frame(N).rename({"text": "was"}).with_columns(text=note), weight="text").facts.text_columns == (
        "was",
    )


def test_weights_change_the_fingerprint_and_no_split() -> None:
    plain, weighted = load_dataset(WEIGHTED), load_dataset(WEIGHTED, weight="w")
    others = load_dataset(WEIGHTED.with_columns(w=pl.lit(1.0)), weight="w")
    assert len({plain.fingerprint, weighted.fingerprint, others.fingerprint}) == 3
    assert plain.test is not None
    assert weighted.test is not None
    assert plain.train.texts.to_list() == weighted.train.texts.to_list()
    assert plain.test.texts.to_list() == weighted.test.texts.to_list()
    assert plain.train.weights is None


def test_facts_tell_number_range_and_rows_of_weight_zero() -> None:
    data = load_dataset(WEIGHTED, weight="w")
    found = weight_of_texts(data)
    assert data.facts.found["weights"] == {
        "column": "w",
        "rows": len(found),
        "least": 0.0,
        "most": 3.0,
        "mean": pytest.approx(np.mean(list(found.values()))),
        "zero": sum(weight == 0 for weight in found.values()),
    }
    assert "weights" not in data.facts.of_measured_rows().found
    assert "weights" not in load_dataset(WEIGHTED).facts.to_json()


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (None, "The weight in column `w` is empty"),
        ("  ", "The weight in column `w` is empty"),
        ("many", "The weight `many` in column `w` is not a number"),
        ("-0.5", "The weight `-0.5` in column `w` is negative"),
        ("NaN", "The weight `NaN` in column `w` is not a finite number"),
        ("inf", "The weight `inf` in column `w` is not a finite number"),
        ("-inf", "The weight `-inf` in column `w` is not a finite number"),
        ("1e999", "The weight `1e999` in column `w` is not a finite number"),
        ("1,000", "The weight `1,000` in column `w` may be 1000 or 1.000"),
        ("2024-01-01", "The weight `2024-01-01` in column `w` is not a number"),
        ("x" * 50, f"The weight `{'x' * 40}…` in column `w` is not a number"),
    ],
)
def test_weights_that_are_none_are_refused_in_one_line(tmp_path: Path, cell: str | None, problem: str) -> None:
    cells = [str(weight) for weight in WEIGHTS[:20]] + [cell] + [str(weight) for weight in WEIGHTS[21:]]
    path = write(tmp_path / "rows.csv", WEIGHTED.with_columns(w=pl.Series(cells, dtype=pl.String)))
    with pytest.raises(DataError) as refused:
        load_dataset(path, weight="w")
    place = f"(line 22 of `{path}`)"
    assert str(refused.value) == f"{problem} {place}. Give each row a number of 0 or more; 0 leaves it out of training."


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, None])
def test_typed_weights_are_checked_too(value: float | None) -> None:
    table = WEIGHTED.with_columns(w=pl.Series([*WEIGHTS[:-2], value, value], dtype=pl.Float64))
    with pytest.raises(DataError, match=r"\(row 38, the first of 2 such rows\)"):
        load_dataset(table, weight="w")


@pytest.mark.parametrize("values", [[[1, 2]] * N, [{"a": 1}] * N])
def test_columns_of_structures_are_no_weights(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r"column `w` holds .*, not weights"):
        load_dataset(frame(N).with_columns(w=pl.Series(values)), weight="w")
    with pytest.raises(DataError, match="The weight `true` in column `w` is not a number"):
        load_dataset(frame(N).with_columns(w=pl.lit(value=True)), weight="w")


def test_weights_must_leave_something_to_learn() -> None:
    with pytest.raises(DataError, match="all weights of the train rows in column `w` are 0"):
        load_dataset(WEIGHTED.with_columns(w=pl.lit(0)), weight="w")
    for scale in (1e-12, 1e15, 1e308):
        with pytest.raises(DataError, match=r"add up to .*: scale them to a mean of 1"):
            load_dataset(WEIGHTED.with_columns(w=pl.lit(scale)), weight="w")


def test_a_column_of_weights_exists_and_is_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", WEIGHTED.rename({"w": "weight"}))
    with pytest.raises(ColumnError, match=r"has no column `wieght`. Did you mean `weight`\?"):
        load_dataset(path, weight="wieght")
    for empty in ({"weight": ""}, {"group": ""}):
        with pytest.raises(InputError, match="is empty: name a column, or leave it out"):
            load_dataset(path, **empty)
    for name in ("text", "label"):
        with pytest.raises(DataError, match=f"column `{name}` cannot be both {name} and weight"):
            load_dataset(path, text="text", label="label", weight=name)
    fasttext = tmp_path / "train.txt"
    fasttext.write_text("".join(f"__label__{label} {text}\n" for text, label in rows(N)))
    with pytest.raises(ColumnError, match="has no column `w`"):
        load_dataset(fasttext, weight="w")
