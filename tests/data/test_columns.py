"""Columns: text and label by name, by content or by request."""

from pathlib import Path

import pytest

from tagline.data import load_dataset
from tagline.errors import DataError
from tests.data.labelled_rows import frame, write


def test_columns_are_found_by_name_or_by_content(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", frame().rename({"text": "Review", "label": "Sentiment"}))
    assert load_dataset(path).facts.chosen == "text is `Review` (by its name), label is `Sentiment` (by its name)"
    path = write(tmp_path / "b.csv", frame().rename({"text": "was", "label": "wie"}).with_row_index("nr"))
    facts = load_dataset(path).facts
    assert (facts.text_columns, facts.label_column) == (("was",), "wie")
    assert "the only column of" in facts.chosen


def test_several_text_columns_are_joined() -> None:
    data = load_dataset(
        {"title": ["A", None, "C"], "body": ["x", "y", None], "label": ["0", "1", "0"]},
        text=["title", "body"],
    )
    assert data.train.texts.to_list() == ["A\nx", "y", "C"]


@pytest.mark.parametrize("option", ["text", "label", "group"])
def test_an_unknown_column_lists_the_columns(option: str) -> None:
    with pytest.raises(DataError, match=r"no column `labell`\. Did you mean `label`\? Its columns are `text`, `label`"):
        load_dataset(frame(), **{option: "labell"})
