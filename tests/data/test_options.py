"""The options of reading, in Python and in JSON."""

import json
from dataclasses import asdict

import pytest

from tagline.data import ReadOptions
from tagline.run_folder import RunData


@pytest.mark.parametrize("names", ["a", ["a"], ("a",)])
def test_one_column_may_be_given_as_a_string(names: tuple[str, ...]) -> None:
    assert ReadOptions(text=names, label=names) == ReadOptions(text=("a",), label=("a",))


def test_options_are_read_back_from_json() -> None:
    options = ReadOptions(text=("a", "b"), label=("x", "y"), folds=3, label_separator="|", multilabel=True)
    assert ReadOptions.from_json(json.loads(json.dumps(asdict(options)))) == options
    data = RunData(source="a.csv", label=("x",), keep_label_spelling=True)
    assert RunData.from_json(json.loads(json.dumps(data.to_json()))) == data


def test_options_of_the_first_versions_read_labels_as_they_did() -> None:
    old = ReadOptions.from_json({"text": ["a"], "label": "x", "group": None, "test": None, "folds": None})
    assert old == ReadOptions(text=("a",), label=("x",), label_separator="", keep_label_spelling=True)
    assert ReadOptions.from_json({"label": None}).label == ()
