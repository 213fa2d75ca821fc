"""spaCy: `cats` of 0 and 1, or of probabilities."""

from pathlib import Path

from tests.data.annotation_tools.exports import CLASSES, SEVERAL, SINGLE, TEXTS, labels_of, write_lines


def test_cats_are_single_label_where_one_is_set(tmp_path: Path) -> None:
    rows = [{"text": t, "cats": {c: int(c == n) for c in CLASSES}} for t, n in zip(TEXTS, SINGLE, strict=True)]
    data, labels = labels_of(write_lines(tmp_path / "a.jsonl", rows))
    assert (data.task, labels) == ("multiclass", dict(zip(TEXTS, SINGLE, strict=True)))
    data, labels = labels_of(rows, multilabel=True)
    assert (data.task, labels[TEXTS[0]]) == ("multilabel", [SINGLE[0]])


def test_probabilities_apply_from_a_half() -> None:
    rows = [
        {"text": text, "cats": {name: 0.5 if name in names else 0.49 for name in CLASSES}}
        for text, names in zip(TEXTS, SEVERAL, strict=True)
    ]
    data, labels = labels_of(rows)
    assert labels == dict(zip(TEXTS, SEVERAL, strict=True))
    assert "Column `cats` holds probabilities: a label applies from 0.5." in data.facts.warnings


def test_training_pairs_of_spacy_are_read() -> None:
    pairs = [(t, {"cats": {c: float(c == n) for c in CLASSES}}) for t, n in zip(TEXTS, SINGLE, strict=True)]
    assert labels_of(pairs)[1] == dict(zip(TEXTS, SINGLE, strict=True))
