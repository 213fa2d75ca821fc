"""JSON of any depth and with halves of characters."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline import load_dataset
from tagline.data.json_values import MAX_DEPTH, parse_json, replace_surrogates
from tagline.data.reading import ReadLog
from tagline.data.sources.files import read_file, read_texts
from tagline.errors import DataError

ROWS = [{"text": f"good {i}", "label": "pos"} for i in range(150)] + [
    {"text": f"bad {i}", "label": "neg"} for i in range(150)
]
ANY_TEXT = st.text(st.characters(), max_size=5)  # surrogates are among these characters


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
def test_depth_is_bounded(depth: int) -> None:
    assert parse_json(nested(MAX_DEPTH)) == json.loads(nested(MAX_DEPTH))
    with pytest.raises(ValueError, match="nested deeper than 64 levels"):
        parse_json(nested(depth))


def test_numbers_that_python_does_not_read_are_named(tmp_path: Path) -> None:
    text = '{"text": "good", "label": ' + "1" * 5000 + "}"
    with pytest.raises(ValueError, match=r"^a number has too many digits$"):
        parse_json(text)
    for content in (text, text * 2):  # one document, and two after each other
        (tmp_path / "data.json").write_text(content)
        with pytest.raises(DataError, match=r"data.json` is not valid JSON: a number has too many digits\.$"):
            read_file(tmp_path / "data.json")


def test_many_brackets_are_not_deep() -> None:
    assert len(parse_json("[" + ",".join(["[1]"] * 200) + "]")) == 200


@given(st.recursive(ANY_TEXT | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)))
def test_every_value_can_be_written_as_utf8(value: object) -> None:
    log = ReadLog()
    read = parse_json(json.dumps(value), log)
    json.dumps(read, ensure_ascii=False).encode()
    if log.n_surrogates == 0:
        assert read == json.loads(json.dumps(value))


def test_surrogates_are_counted() -> None:
    log = ReadLog()
    assert parse_json(r'{"a\ud83d": ["\ud83d\ude00", "b\udc00\ud800"]}', log) == {
        "a\ufffd": ["\U0001f600", "b\ufffd\ufffd"]
    }
    assert log.n_surrogates == 3
    assert replace_surrogates(("a\ud800", 1)) == ("a\ud800", 1)  # JSON has no tuples


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
def test_files_with_halves_of_characters(tmp_path: Path, suffix: str) -> None:
    rows = [*ROWS, {"text": "good \ud83d", "label": "pos"}, {"text": "x", "label": "ne\udc00w"}]
    path = tmp_path / f"data{suffix}"
    path.write_text("\n".join(map(json.dumps, rows)) if suffix == ".jsonl" else json.dumps(rows))
    read = read_file(path)
    assert read.frame.rows()[-2:] == [("good \ufffd", "pos"), ("x", "ne\ufffdw")]
    assert f"`{path}`: 2 lone surrogates, of characters cut in half, replaced by U+FFFD." in read.notes
    batches = list(read_texts(path))
    assert [text for batch in batches for text in batch.texts][-2] == "good \ufffd"


def test_deep_lines_are_rejected_and_deep_documents_refused(tmp_path: Path) -> None:
    lines = tmp_path / "data.jsonl"
    deep = f'{{"text": "kept", "x": {nested(500)}, "label": "pos"}}'
    lines.write_text("\n".join([*map(json.dumps, ROWS), deep, "{}"]))
    read = read_file(lines)
    assert read.frame.height == 301  # an empty object is a row without a text
    assert [(row.line, row.reason) for row in read.rejected] == [
        (301, "the line is not valid JSON (nested deeper than 64 levels)")
    ]
    (batch,) = read_texts(lines)
    assert (batch.texts[300], batch.reasons[300]) == ("kept", read.rejected[0].reason)
    document = tmp_path / "data.json"
    document.write_text(json.dumps([*ROWS, {"x": json.loads(nested(500))}]))
    with pytest.raises(DataError, match=r"data.json` is not valid JSON: nested deeper than 64 levels"):
        read_file(document)


def test_halves_of_characters_in_cells_and_from_python(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    labels = [r'"[""a\ud800"",""c""]"', "\"['b\\udc00']\""]
    path.write_text("text,label\n" + "".join(f"text {i},{labels[i % 2]}\n" for i in range(40)))
    assert load_dataset(path).classes == ["a\ufffd", "b\ufffd", "c"]
    pairs = [(f"text {i} \ud800", ["a\udc00", "b"][i % 2]) for i in range(40)]
    read = load_dataset(pairs)
    assert (read.classes, read.train.texts.str.ends_with("\ufffd").all()) == (["a\ufffd", "b"], True)
    assert load_dataset([{"t\ud800": text, "label": [label, "c"]} for text, label in pairs]).classes[0] == "a\ufffd"
