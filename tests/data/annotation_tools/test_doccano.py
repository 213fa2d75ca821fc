"""doccano: lists of labels, and labels joined by a number sign."""

from pathlib import Path

from tagline.data import read_texts
from tests.data.annotation_tools.exports import SEVERAL, SINGLE, TEXTS, labels_of, write_lines


def test_single_labels_in_lists_are_single_label_and_empty_lists_unlabelled(tmp_path: Path) -> None:
    lists = [[] if i % 5 == 0 else [name] for i, name in enumerate(SINGLE)]
    rows = [{"id": i, "text": t, "label": n, "Comments": []} for i, (t, n) in enumerate(zip(TEXTS, lists, strict=True))]
    data, labels = labels_of(write_lines(tmp_path / "a.jsonl", rows))
    assert (data.task, data.facts.dropped) == ("multiclass", {"no label": 6})
    assert labels == {text: names[0] for text, names in zip(TEXTS, lists, strict=True) if names}


def test_several_labels_are_multilabel_and_empty_lists_none() -> None:
    lists = [[], *SEVERAL[1:]]
    rows = [{"id": i, "text": t, "label": names} for i, (t, names) in enumerate(zip(TEXTS, lists, strict=True))]
    data, labels = labels_of(rows)
    assert (data.task, labels) == ("multilabel", dict(zip(TEXTS, lists, strict=True)))


def test_joined_labels_of_a_csv_file(tmp_path: Path) -> None:
    lines = [f"{i},{text.replace(',', '')},{'#'.join(SEVERAL[i])}" for i, text in enumerate(TEXTS)]
    (tmp_path / "a.csv").write_text("\n".join(["id,data,label", *lines]))
    data, labels = labels_of(tmp_path / "a.csv")
    assert (data.task, data.facts.text_columns) == ("multilabel", ("data",))
    assert list(labels.values()) == SEVERAL
    (batch,) = read_texts(tmp_path / "a.csv")
    assert batch.texts.to_list() == list(labels)
