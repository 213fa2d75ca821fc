"""Parquet: columns of any type, and names of class numbers in the metadata that Hugging Face `datasets` writes."""

import json
from contextlib import suppress
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tagline import TextClassifier
from tagline.data import load_dataset, read_texts
from tagline.data.sources.files import read_file
from tagline.errors import DataError
from tagline.runs.predicting.predict import FileOptions, predict_file

NAMES = ["billing", "delivery", "technical"]
CLASS_LABEL = {"names": NAMES, "_type": "ClassLabel"}


def write(path: Path, frame: pl.DataFrame, features: Any) -> Path:
    frame.write_parquet(path, metadata={"huggingface": json.dumps({"info": {"features": features}})})
    return path


def frame(labels: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({"text": [f"text {i}" for i in range(len(labels))], "label": labels})


def test_class_numbers_become_names_and_minus_one_null(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.parquet", frame([0, 1, 2, -1, -1, None] * 5), {"label": CLASS_LABEL, "gone": CLASS_LABEL}
    )
    for source in (path, str(path)):
        data = load_dataset(source, folds=2)
        assert (data.classes, data.facts.dropped) == (NAMES, {"no label": 15})
        assert data.train.labels.to_list() == NAMES * 5


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": CLASS_LABEL, "length": -1, "_type": "Sequence"},
        {"feature": CLASS_LABEL, "_type": "List"},
        [CLASS_LABEL],
    ],
)
def test_sequences_of_class_numbers_become_lists_of_names(tmp_path: Path, feature: object) -> None:
    path = write(tmp_path / "a.parquet", frame([[0, 2], [1], []] * 5), {"label": feature})
    data = load_dataset(path, folds=2)
    assert data.train.labels.to_list() == [["billing", "technical"], ["delivery"], []] * 5


def test_class_numbers_in_floats_and_objects_and_names_by_number_are_names(tmp_path: Path) -> None:
    by_number = {"names": dict(zip("012", NAMES, strict=True)), "_type": "ClassLabel"}
    floats = write(tmp_path / "a.parquet", frame([0.0, 1.0, 2.0, -1.0] * 5), {"label": by_number})
    objects = frame([{"topic": {"id": i}, "x": "y"} for i in (0, 1, 2, -1)] * 5)
    write(tmp_path / "b.parquet", objects, {"label": {"topic": {"id": CLASS_LABEL}, "x": {"_type": "Value"}}})
    for data in (load_dataset(floats, folds=2), load_dataset(tmp_path / "b.parquet", label="label.topic.id", folds=2)):
        assert data.train.labels.to_list() == NAMES * 5
    with pytest.raises(DataError, match=r"`label` holds `0.5` in line 2 of "):
        load_dataset(write(tmp_path / "c.parquet", frame([0.0, 0.5]), {"label": CLASS_LABEL}))


@pytest.mark.parametrize(
    ("labels", "feature"), [([0, 2, 7], CLASS_LABEL), ([[0, 2], [1], [2, 7]], {"feature": CLASS_LABEL})]
)
def test_a_number_without_a_name_is_refused_with_its_row(tmp_path: Path, labels: list[Any], feature: object) -> None:
    path = write(tmp_path / "a.parquet", frame(labels), {"label": feature})
    with pytest.raises(DataError, match=r"Column `label` holds `7` in line 3 of `.*`, but .* the numbers 0 to 2"):
        load_dataset(path)


@pytest.mark.parametrize(
    "features", [None, [], {"label": {"_type": "Value"}}, {"label": {"names": [1], "_type": "ClassLabel"}}]
)
def test_other_metadata_is_ignored(tmp_path: Path, features: object) -> None:
    path = write(tmp_path / "a.parquet", frame([0, 1, 2] * 5), features)
    assert load_dataset(path, folds=2).classes == ["0", "1", "2"]
    frame([0, 1, 2] * 5).write_parquet(path, metadata={"huggingface": "no JSON"})
    assert load_dataset(path, folds=2).classes == ["0", "1", "2"]


def test_rows_to_predict_keep_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", frame([0, 1, 2]), {"label": CLASS_LABEL})
    (batch,) = read_texts(path)
    assert batch.rows["label"].to_list() == [0, 1, 2]


N = 40
TEXTS = [f"good {i}" if i % 2 else f"bad {i}" for i in range(N)]
LABELS = ["pos" if i % 2 else "neg" for i in range(N)]
VALUES = {
    "duration": pl.Series([timedelta(seconds=i) for i in range(N)]),
    "bytes": pl.Series([b"\xff%d" % i for i in range(N)]),
    "nested": pl.Series([[["a"], ["b"]]] * N),
    "list_of_bytes": pl.Series([[b"a", b"\xfe"]] * N),
    "object": pl.Series([{"a": timedelta(seconds=i), "b": b"\xff"} for i in range(N)]),
    "time": pl.Series([time(1, i) for i in range(N)]),
    "decimal": pl.Series([Decimal("1.5") + i for i in range(N)]),
    "array": pl.Series([[1, 2]] * N, dtype=pl.Array(pl.Int32, 2)),
}
NO_TEXT = {
    "duration": "durations",
    "bytes": "bytes that are not UTF-8",
    "nested": "lists of lists of strings",
    "list_of_bytes": "lists of bytes that are not UTF-8",
    "object": "objects",
}


@pytest.mark.parametrize("kind", VALUES)
def test_columns_of_any_type(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.parquet"
    for role in ("other", "text", "label", "group"):
        columns = {"text": TEXTS, "label": LABELS} | {role: VALUES[kind]}
        pl.DataFrame(columns, strict=False).write_parquet(path)
        group = role if role == "group" else None
        if role == "other" or kind not in NO_TEXT:
            with suppress(DataError):  # labels that are all distinct
                assert len(load_dataset(path, text="text", label="label", group=group).train) > 0
            continue
        with pytest.raises(DataError, match=rf"a.parquet`: column `{role}` holds") as raised:
            load_dataset(path, text="text", label="label", group=group)
        if role == "text":
            assert f"holds {NO_TEXT[kind]}, not text" in str(raised.value)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xlsx", ".parquet"])
def test_predictions_keep_columns_of_any_type(tmp_path: Path, suffix: str) -> None:
    path, target = tmp_path / "a.parquet", tmp_path / f"b{suffix}"
    pl.DataFrame({"text": TEXTS, **VALUES, "utf8": [b"\xc3\xa4"] * N}).write_parquet(path)
    model = TextClassifier("naive-bayes").fit(TEXTS, LABELS)
    predict_file(model, path, target, file_options=FileOptions(text=("text",)))
    found = read_file(target).frame
    assert (found.height, set(VALUES) - set(found.columns)) == (N, set())
    if suffix != ".parquet":
        written = found.select("duration", "bytes", "utf8", "list_of_bytes").row(1)
        assert written[:3] == ("PT1S", "/zE=", "ä")
        assert "a" in written[3]


def test_maps_are_objects(tmp_path: Path) -> None:
    maps = pa.array([[("spam", i % 2), ("ham", 1 - i % 2)] for i in range(N)], pa.map_(pa.string(), pa.int64()))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": TEXTS, "label": maps}), path)
    data = load_dataset(path)
    assert (data.task, data.classes) == ("binary", ["ham", "spam"])
    assert sum(batch.rows.height for batch in read_texts(path)) == N
    assert load_dataset(path, label="label.spam").classes == ["0", "1"]


def test_run_lengths_that_stand_for_millions_of_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": pl.repeat("a", 30_000_000, eager=True)}).write_parquet(path)
    for read in (load_dataset, lambda path: list(read_texts(path))):
        with pytest.raises(DataError, match=r"a.parquet` claims to hold 30,000,000 rows in [\d,]+ bytes"):
            read(path)


def test_a_file_without_rows_shows_its_columns(tmp_path: Path) -> None:
    pl.DataFrame({"text": pl.Series([], dtype=pl.String)}).write_parquet(tmp_path / "data.parquet")
    (batch,) = read_texts(tmp_path / "data.parquet")
    assert (batch.text, batch.rows.shape) == (("text",), (0, 1))


def test_damage_at_which_polars_panics_is_an_error_of_the_file(capfd: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).with_name("columns_of_other_lengths.parquet")
    for read in (read_file, lambda path: list(read_texts(path))):
        with pytest.raises(DataError, match="is not a whole Parquet file"):
            read(path)
    assert "panicked" in capfd.readouterr().err  # else polars refuses it by itself: take another file
