"""SageMaker Ground Truth: class names from the metadata of a job."""

from pathlib import Path
from typing import Any

import pytest

from tagline.data import load_dataset
from tagline.errors import ColumnError
from tests.data.annotation_tools.exports import CLASSES, SEVERAL, SINGLE, TEXTS, labels_of, write_lines


def rows() -> list[dict[str, Any]]:
    kind = {"confidence": 0.9, "type": "groundtruth/text-classification"}
    return [
        {"source": text, "topic": CLASSES.index(name), "topic-metadata": {"class-name": name, **kind}}
        for text, name in zip(TEXTS, SINGLE, strict=True)
    ]


def test_names_are_read_from_the_metadata(tmp_path: Path) -> None:
    data, labels = labels_of(write_lines(tmp_path / "output.manifest.jsonl", rows()))
    assert (data.task, data.facts.text_columns, data.facts.label_columns) == ("multiclass", ("source",), ("topic",))
    assert labels == dict(zip(TEXTS, SINGLE, strict=True))


def test_a_map_of_names_is_multilabel_and_several_jobs_are_asked_about() -> None:
    several = [
        {"source": text, "topics": [CLASSES.index(n) for n in names],
         "topics-metadata": {"class-map": {str(CLASSES.index(n)): n for n in names}}}
        for text, names in zip(TEXTS, SEVERAL, strict=True)
    ]  # fmt: skip
    assert labels_of(several)[1] == dict(zip(TEXTS, SEVERAL, strict=True))
    both = [{**one, **other} for one, other in zip(rows(), several, strict=True)]
    with pytest.raises(ColumnError, match="several questions, `topic`, `topics`"):
        load_dataset(both)
    assert labels_of(both, label="topic")[0].classes == list(CLASSES)
