"""Prodigy: chosen options, binary answers, and rows that were rejected or ignored."""

from pathlib import Path
from typing import Any

from tests.data.annotation_tools.exports import CLASSES, SEVERAL, SINGLE, TEXTS, labels_of, write_lines

OPTIONS = [{"id": name, "text": name.title()} for name in CLASSES]


def choices(chosen: list[list[Any]], answers: list[str], **more: Any) -> list[dict[str, Any]]:
    rows = zip(TEXTS, chosen, answers, strict=True)
    common = {"options": OPTIONS, "_view_id": "choice", "meta": {"source": "mail"}}
    return [
        {"text": text, "accept": accept, "answer": answer, "_task_hash": i, **common, **more}
        for i, (text, accept, answer) in enumerate(rows)
    ]


def test_rejected_and_ignored_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    answers = ["reject" if i % 5 == 0 else "ignore" if i % 5 == 1 else "accept" for i in range(30)]
    rows = choices([[name] for name in SINGLE], answers, config={"choice_style": "single"})
    path = write_lines(tmp_path / "a.jsonl", rows)
    data, labels = labels_of(path)
    assert (data.task, data.facts.label_column) == ("multiclass", "accept")
    assert labels == {t: n for t, n, a in zip(TEXTS, SINGLE, answers, strict=True) if a == "accept"}
    assert data.facts.dropped == {"rejected by the annotator": 6, "ignored by the annotator": 6}
    assert "Read as an export of Prodigy." in data.facts.warnings
    assert f"6 rows were left out: rejected by the annotator (first: line 1 of `{path}`)." in data.facts.warnings


def test_labels_of_rejected_rows_decide_nothing() -> None:
    chosen = [[name] for name in SINGLE]
    chosen[0] = ["billing", "delivery", "BILLING", "other"]
    data, _ = labels_of(choices(chosen, ["reject", *["accept"] * 29]))
    assert (data.task, data.classes) == ("multiclass", list(CLASSES))
    assert "merged" not in " ".join(data.facts.warnings)


def test_several_options_are_multilabel() -> None:
    data, labels = labels_of(choices(SEVERAL, ["accept"] * 30))
    assert data.task == "multilabel"
    assert labels == dict(zip(TEXTS, SEVERAL, strict=True))


def test_no_option_is_no_answer_where_no_text_has_several() -> None:
    rows = choices([[] if i % 3 == 0 else [CLASSES[i % 3]] for i in range(30)], ["accept"] * 30)
    data, labels = labels_of(rows)
    assert (data.task, len(labels), data.facts.dropped) == ("binary", 20, {"no label": 10})
    data, labels = labels_of(rows, multilabel=True)
    assert (data.task, len(labels), labels[TEXTS[0]]) == ("multilabel", 30, [])


def test_options_with_numbers_as_ids_are_named_by_their_texts() -> None:
    options = [{"id": i, "text": name} for i, name in enumerate(CLASSES)]
    _, labels = labels_of(choices([[i % 3] for i in range(30)], ["accept"] * 30, options=options))
    assert labels == dict(zip(TEXTS, SINGLE, strict=True))


ANSWERS = ["accept", "reject", "ignore"] * 10


def binary(labels: list[str], answers: list[str]) -> list[dict[str, Any]]:
    rows = zip(TEXTS, labels, answers, strict=True)
    return [{"text": t, "label": n, "answer": a, "_input_hash": i} for i, (t, n, a) in enumerate(rows)]


def test_one_label_that_is_accepted_or_rejected_makes_two_classes() -> None:
    data, labels = labels_of(binary(["URGENT"] * 30, ANSWERS))
    assert (data.task, data.classes) == ("binary", ["URGENT", "not URGENT"])
    assert labels[TEXTS[0]] == "URGENT"
    assert labels[TEXTS[1]] == "not URGENT"
    assert data.facts.dropped == {"ignored by the annotator": 10}
    assert "Texts for which `URGENT` was rejected have the class `not URGENT`." in data.facts.warnings
    without_hashes = [
        {key: row[key] for key in ("text", "label", "answer")} for row in binary(["URGENT"] * 30, ANSWERS)
    ]
    assert labels_of(without_hashes)[1] == labels


def test_one_of_several_labels_that_is_rejected_says_nothing_about_the_others() -> None:
    data, labels = labels_of(binary(SINGLE, ["accept", "accept", "accept", "accept", "reject"] * 6))
    assert labels == {text: name for i, (text, name) in enumerate(zip(TEXTS, SINGLE, strict=True)) if i % 5 != 4}
    assert data.facts.dropped == {"rejected by the annotator": 6}


def test_a_column_of_answers_alone_is_another_data_set() -> None:
    data, _ = labels_of({"text": TEXTS, "answer": ["accept", "reject", "accept"] * 10}, label="answer")
    assert data.classes == ["accept", "reject"]
