"""Columns: text and label by name, by content or by request."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tagline.data import load_dataset, read_texts
from tagline.data.columns import choose_columns, find_text_columns
from tagline.data.rows import Rows
from tagline.errors import ColumnError, DataError
from tests.data.labelled_rows import frame, write


def test_columns_are_found_by_name_or_by_content(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", frame().rename({"text": "Review", "label": "Sentiment"}))
    assert load_dataset(path).facts.chosen == "text is `Review` (by its name), label is `Sentiment` (by its name)"
    other = frame().rename({"text": "Beschreibung", "label": "Cate\u0301gorie"})
    tickets = other.with_columns(agent=pl.Series([f"agent{i % 5}" for i in range(len(other))]))
    found = load_dataset(write(tmp_path / "b.csv", tickets)).facts.chosen
    assert found.startswith("text is `Beschreibung` (by its name), label is `Cat")
    assert found.endswith("gorie` (by its name)")
    path = write(tmp_path / "b.csv", frame().rename({"text": "was", "label": "wie"}).with_row_index("nr"))
    facts = load_dataset(path).facts
    assert (facts.text_columns, facts.label_column) == (("was",), "wie")
    assert "the only column of" in facts.chosen


@pytest.mark.parametrize("name", ["n", "value", "count", "literal", "len"])
def test_a_column_may_have_any_name(name: str) -> None:
    data = load_dataset(frame().rename({"label": name}).rename({"text": "body"}))
    assert (data.facts.text_columns, data.facts.label_column) == (("body",), name)


def test_a_label_column_named_twice_is_one() -> None:
    assert load_dataset(frame(), label=["label", "label"]).facts.label_columns == ("label",)


def test_several_text_columns_are_joined() -> None:
    data = load_dataset(
        {"title": ["A", None, "C"], "body": ["x", "y", None], "label": ["0", "1", "0"]},
        text=["title", "body"],
    )
    assert data.train.texts.to_list() == ["A\nx", "y", "C"]


def test_a_text_column_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\nA,0\nB,1\n")
    assert load_dataset(path, text=["text", "text"]).train.texts.to_list() == ["A", "B"]
    assert [batch.texts.to_list() for batch in read_texts(path, text=["text", "text"])] == [["A", "B"]]


def test_a_single_column_is_not_ambiguous() -> None:
    with pytest.raises(DataError, match="has one column, `id`: labelled data has a column of texts and one of labels"):
        load_dataset({"id": ["1", "2"]})


@pytest.mark.parametrize("option", ["text", "label", "group"])
def test_an_unknown_column_lists_the_columns(option: str) -> None:
    with pytest.raises(DataError, match=r"no column `labell`\. Did you mean `label`\? Its columns are `text`, `label`"):
        load_dataset(frame(), **{option: "labell"})


@pytest.mark.parametrize(("n_rows", "n_values"), [(10, 9), (100, 20), (200, 40), (1_000, 200)])
def test_a_column_of_few_distinct_values_is_the_label(n_rows: int, n_values: int) -> None:
    """At most a fifth of the values differ; of up to 100 rows, at most 20 values, and two rows share one."""
    assert choose_columns(unnamed_columns(n_rows, n_values), (), (), None).label == ("b",)
    with pytest.raises(DataError, match=r"no column looks like a label: .* `--label` \(`label=` in Python\)"):
        choose_columns(unnamed_columns(n_rows, n_values + 1), (), (), None)


@pytest.mark.parametrize(
    ("values", "is_label"),
    [
        (["2024-05-11", "2024-05-12"], False),
        (["2024-05-11T10:00:00Z", "2024-05-12 11:30"], False),
        (["11.5.2024", "12.05.24"], False),
        (["5/11/24, 10:30", "5/12/24, 9:05"], False),
        (["10:30", "9:05:59"], False),
        ([date(2024, 5, 11), date(2024, 5, 12)], False),
        (["2024-05-11", "never"], True),
        (["1.2.2", "1.2.3"], True),  # versions
        (["1-2", "2-3"], True),
        (["1:0", "2:1"], True),
    ],
)
def test_days_and_times_are_not_labels(values: list[object], is_label: bool) -> None:
    texts = [f"text number {number} is unique" for number in range(40)]
    rows = Rows(pl.DataFrame({"text": texts, "made": values * 20, "team": ["x", "y"] * 20}), "data", "data")
    if is_label:
        with pytest.raises(DataError, match="the label column is ambiguous"):
            choose_columns(rows, (), (), None)
    else:
        assert choose_columns(rows, (), (), None).label == ("team",)


@pytest.mark.parametrize(("n_chars", "n_distinct", "is_text"), [(15, 50, True), (14, 50, False), (15, 49, False)])
def test_a_column_of_long_and_distinct_values_is_the_text(n_chars: int, n_distinct: int, is_text: bool) -> None:
    """Its 100 values have 15 characters on average, and half of them differ."""
    values = [f"{number % n_distinct:0{n_chars}d}" for number in range(100)]
    rows = Rows(pl.DataFrame({"a": values, "b": ["x", "y"] * 50, "c": ["v", "w"] * 50}), "data", "data")
    if is_text:
        assert choose_columns(rows, (), ("b",), None).text == ("a",)
    else:
        with pytest.raises(DataError, match="no column looks like a text"):
            choose_columns(rows, (), ("b",), None)


def test_subjects_of_messages_are_no_labels() -> None:
    """Short texts of which many occur once, beside labels that all recur or without any."""
    kinds = [f"invoice of kind {i}" for i in range(19)]
    messages = {
        "Betreff": [*kinds * 10, *(f"error {i} again" for i in range(21))],
        "Text": [f"a long message with number {i} and more words" for i in range(211)],
    }
    frame = pl.DataFrame(messages).with_columns(team=pl.Series(["first level", "second level", "x"] * 71).head(211))
    assert choose_columns(Rows(frame, "x", "x"), (), (), None).label == ("team",)
    with pytest.raises(ColumnError, match="no column looks like a label"):
        choose_columns(Rows(frame.drop("team"), "x", "x"), (), (), None)
    for values in (
        [*kinds * 10, *(f"error {i} again" for i in range(18)), "x", "y", "z"],  # the most occur several times
        [*kinds * 10, *(f"error{i}" for i in range(21))],  # names
        [f"{kinds[i % 19]}, {kinds[i % 7]}" for i in range(211)],  # two labels
    ):
        of_classes = frame.select("Text", topic=pl.Series(values))
        assert choose_columns(Rows(of_classes, "x", "x"), (), (), None).label == ("topic",)


def unnamed_columns(n_rows: int, n_values: int) -> Rows:
    numbers = range(n_rows)
    columns = {
        "a": [f"text number {number} is unique" for number in numbers],
        "b": [f"v{i % n_values}" for i in numbers],
    }
    return Rows(pl.DataFrame(columns), "data", "data")


def test_several_columns_of_0_and_1_are_suggested_as_labels() -> None:
    columns: dict[str, list[object]] = {"comment": [f"text number {i} is unique" for i in range(40)]}
    columns |= {"billing": [1, 0] * 20, "late delivery": ["0", "1"] * 20, "technical": [True, False] * 20}
    with pytest.raises(ColumnError, match="hold 0 and 1: name all of them") as refusal:
        choose_columns(Rows(pl.DataFrame(columns), "data", "data"), (), (), None)
    assert refusal.value.answer == ("--label", "billing", "--label", "late delivery", "--label", "technical")


def test_text_columns_that_are_left_out_are_named() -> None:
    frame = pl.DataFrame(
        {
            "Subject": [f"problem of kind {i} again" for i in range(60)],
            "body": [f"a long message with number {i} and more words" for i in range(60)],
            "Date": [f"2026-03-{i % 28 + 1:02} 10:00" for i in range(60)],
            "Team": ["first level", "second level"] * 30,
            "label": ["a", "b"] * 30,
        }
    )
    chosen = choose_columns(Rows(frame, "x", "x"), (), (), None)
    assert chosen.notes == ("`Subject` is text too, but is not used: add `--text body --text Subject` to read both.",)
    assert choose_columns(Rows(frame, "x", "x"), ("body",), (), None).notes == ()
    short = frame.select("body", "label", Betreff=pl.format("Rechnung{}", pl.int_range(60)), title=pl.lit("Dr."))
    [note] = choose_columns(Rows(short, "x", "x"), (), (), None).notes
    assert note.startswith("`Betreff` is text too")


def test_the_question_for_a_column_has_its_likely_answer() -> None:
    frame = pl.DataFrame(
        {
            "note": [f"a long message with number {i}" for i in range(60)],
            "remark": [f"another long message, number {i}" for i in range(60)],
            "team": ["x", "y", "z"] * 20,
            "done": ["yes", "no"] * 30,
        }
    )
    both = r"^`x`: the label .*Candidates are `done`, `team`\. The text .*Candidates are `note`, `remark`\.$"
    with pytest.raises(ColumnError, match=both) as raised:
        choose_columns(Rows(frame, "x", "x"), (), (), None)
    assert raised.value.answer == ("--text", "note", "--text", "remark", "--label", "done")
    assert choose_columns(Rows(frame, "x", "x"), raised.value.answer[1:4:2], raised.value.answer[5:], None)
    with pytest.raises(ColumnError, match=r"Candidates are `done`, `team`\.$") as raised:
        choose_columns(Rows(frame.drop("remark"), "x", "x"), (), (), None)
    assert raised.value.answer == ("--label", "done")
    with pytest.raises(ColumnError, match=r"Candidates are `note`, `remark`\.") as raised:
        choose_columns(Rows(frame, "x", "x"), (), ("team",), None)
    assert raised.value.answer == ("--text", "note", "--text", "remark")


@pytest.mark.parametrize(
    "wordless",
    [
        "01.09.2025 08:{:02}",
        "2025-09-01 08:56:{:02}",
        "2025-09-01T08:56:{:02}Z",
        "09/01/2025 08:{:02} AM",
        "Mon Sep 1 08:56:{:02} 2025",
        "+49 171 00000{:02}",
        "3f2a9c04-77b1-4e5d-9c00-8a6f0b2d11{:02}",
        "ticket-2025-00{:02}-closed",
        "first.last{:02}@example.com",
    ],
)
def test_times_numbers_and_ids_are_no_texts_beside_one(wordless: str) -> None:
    columns = {
        "made": [wordless.format(i) for i in range(60)],
        "Betreff": [f"Frage zu {i % 20}" for i in range(60)],
        "note": [f"Guten Tag, die Rechnung {i} stimmt nicht" for i in range(60)],
        "remark": [f"請求書{'番号' * 8}{i}が間違っています" for i in range(60)],
    }
    rows = Rows(pl.DataFrame(columns | {"team": ["x", "y", "z"] * 20}), "x", "x")
    with pytest.raises(ColumnError, match=r"Candidates are `Betreff`, `note`, `remark`\.$"):
        choose_columns(rows, (), (), None)
    for name in ("note", "remark"):
        one = Rows(rows.frame.select("made", "team", name), "x", "x")
        assert choose_columns(one, (), (), None).text == (name,)
        assert find_text_columns(one.frame, (), "x") == (name,)
    only = Rows(rows.frame.select("made", "team"), "x", "x")
    assert choose_columns(only, (), (), None).text == ("made",)


def test_many_columns_are_looked_at_once(monkeypatch):
    schemas = []
    made = pl.DataFrame.schema.fget
    monkeypatch.setattr(pl.DataFrame, "schema", property(lambda frame: schemas.append(0) or made(frame)))
    wide = {f"c{i}": ["good film", "bad film"] * 3 for i in range(300)}
    found = load_dataset(pl.DataFrame({"text": ["a b", "c d"] * 3, "label": ["x", "y"] * 3, **wide}))
    assert list(found.classes) == ["x", "y"]
    assert len(schemas) < 100  # one takes as long as there are columns
