"""Parquet: names of class numbers in the metadata that Hugging Face `datasets` writes."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tagline.data import load_dataset, read_texts
from tagline.errors import DataError

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
