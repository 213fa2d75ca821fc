"""Python objects: frames, Hugging Face objects (imitated), lists."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tagline.data import Dataset, load_dataset
from tagline.errors import DataError

TEXTS = [f"text {i}" for i in range(20)]
LABELS = ["neg", "pos"] * 10


class ClassLabel:
    def __init__(self, names: list[str]) -> None:
        self.names = names


class Sequence:
    def __init__(self, feature: Any) -> None:
        self.feature = feature


class HuggingFace:
    """The interface of a `datasets.Dataset`: features, column names, and columns by name."""

    def __init__(self, columns: dict[str, list[Any]], **features: Any) -> None:
        self.columns = columns
        self.column_names = list(columns)
        self.features = {name: features.get(name, "string") for name in columns}

    def __getitem__(self, name: str) -> list[Any]:
        return self.columns[name]


def all_rows(data: Dataset) -> list[tuple[str, Any]]:
    parts = [part for part in (data.train, data.validation, data.test) if part]
    return sorted((t, y) for part in parts for t, y in zip(part.texts.to_list(), part.labels.to_list(), strict=True))


@pytest.mark.parametrize(
    "data",
    [
        pl.DataFrame({"text": TEXTS, "label": LABELS}),
        pl.LazyFrame({"text": TEXTS, "label": LABELS}),
        pd.DataFrame({"text": TEXTS, "label": LABELS}),
        pd.DataFrame({"text": TEXTS, "label": pd.Categorical(LABELS)}, index=range(5, 25)),
        {"text": TEXTS, "label": LABELS},
        {"text": np.array(TEXTS), "label": pd.Series(LABELS)},
        list(zip(TEXTS, LABELS, strict=True)),
        [{"text": t, "label": y} for t, y in zip(TEXTS, LABELS, strict=True)],
        (TEXTS, LABELS),
        (pl.Series(TEXTS), np.array(LABELS)),
        (pair for pair in zip(TEXTS, LABELS, strict=True)),
        HuggingFace({"text": TEXTS, "label": [0, 1] * 10}, label=ClassLabel(["neg", "pos"])),
    ],
    ids=lambda data: type(data).__name__,
)
def test_all_kinds_of_data_are_the_same(data: Any) -> None:
    assert all_rows(load_dataset(data)) == sorted(zip(TEXTS, LABELS, strict=True))


def test_pandas_nulls_and_types() -> None:
    table = pd.DataFrame({"text": ["a", None, "c", "d"], "label": [1, 0, np.nan, 0]})
    assert all_rows(load_dataset(table)) == [("a", "1"), ("d", "0")]
    table["label"] = pd.array([1, 0, None, 0], dtype="Int64")
    assert all_rows(load_dataset(table)) == [("a", "1"), ("d", "0")]
    table["label"] = [True, False, True, False]
    assert load_dataset(table).classes == ["false", "true"]


def test_mixed_labels_are_strings() -> None:
    assert load_dataset([("a", 1), ("b", "x"), ("c", 2.0), ("d", True)]).classes == ["1", "2", "true", "x"]


def test_a_dataset_dict_brings_its_splits() -> None:
    label = ClassLabel(["neg", "pos"])
    parts = {
        "train": HuggingFace({"text": TEXTS[:10], "label": [0, 1] * 5}, label=label),
        "validation": HuggingFace({"text": TEXTS[10:15], "label": [0, 1, 0, 1, 0]}, label=label),
        "test": HuggingFace({"text": TEXTS[15:], "label": [1, 0, 1, 0, 1]}, label=label),
        "unsupervised": HuggingFace({"text": ["u"], "label": [-1]}, label=label),
    }
    data = load_dataset(parts)
    assert data.validation is not None
    assert data.test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 5, 5)
    assert data.classes == ["neg", "pos"]
    assert data.facts.official
    assert data.facts.dropped == {"unlabelled": 1}


def test_hidden_test_labels_are_no_labels() -> None:
    label = ClassLabel(["neg", "pos"])
    parts = {
        "train": HuggingFace({"text": TEXTS[:10], "label": [0, 1] * 5}, label=label),
        "test": HuggingFace({"text": TEXTS[10:], "label": [-1] * 10}, label=label),
    }
    data = load_dataset(parts)
    assert data.classes == ["neg", "pos"]
    assert data.test is not None
    assert not data.facts.official
    assert data.facts.rows_read - sum(data.facts.dropped.values()) == 10


@pytest.mark.parametrize("wrong", [2, 2.0, 0.5, "pos", [0, 2]])
def test_class_numbers_may_be_whole_floats_and_need_a_name(wrong: object) -> None:
    label = ClassLabel(["neg", "pos"])
    labels = [1.0, 0.0, float("nan"), np.float32(1.0), np.int64(0)]
    data = load_dataset(HuggingFace({"text": TEXTS[:5], "label": labels}, label=label), folds=2)
    assert data.train.labels.to_list() == ["pos", "neg", "pos", "neg"]
    with pytest.raises(DataError, match=r"Column `label` holds `.*` in row 1, but its classes have the numbers 0 to 1"):
        load_dataset(HuggingFace({"text": TEXTS[:2], "label": [0, wrong]}, label=label))


def test_class_numbers_inside_objects_have_names() -> None:
    numbers = [{"topic": 1}, {"topic": 0}, None, {"topic": -1}]
    data = HuggingFace({"text": list("abcd"), "label": numbers}, label={"topic": ClassLabel(["neg", "pos"])})
    assert load_dataset(data, label="label.topic").train.labels.to_list() == ["pos", "neg"]


def test_hugging_face_multilabel() -> None:
    for feature in (Sequence(ClassLabel(["a", "b", "c"])), [ClassLabel(["a", "b", "c"])]):
        data = load_dataset(HuggingFace({"text": ["x", "y", "z"], "labels": [[0, 2], [1], []]}, labels=feature))
        assert data.task == "multilabel"
        assert all_rows(data) == [("x", ["a", "c"]), ("y", ["b"]), ("z", [])]


def test_one_split_alone_is_no_official_split() -> None:
    assert not load_dataset({"train": list(zip(TEXTS, LABELS, strict=True))}).facts.official
