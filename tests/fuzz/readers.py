"""The data readers: files of every format, as users have them, damaged, and generated from bytes.

The first byte of an input chooses its kind, the second the options, and the others are the content.
"""

import bz2
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock
from xml.sax.saxutils import escape

import polars as pl
import xlsxwriter

from tagline import TextClassifier
from tagline.data import Dataset, load_dataset, read_texts
from tagline.data.reading import ReadLog
from tagline.data.rows import REPEATED_HEADER, is_blank
from tagline.data.sources import files
from tagline.data.sources.files import read_file
from tagline.errors import TaglineError
from tagline.runs.predicting.predict import FileOptions, predict_file
from tests.fuzz.inputs import NUMBERS, STRINGS, Choices, has, places
from tests.fuzz.target import Target

GOLDEN = Path(__file__).parents[1] / "golden"
_SHEET = "xl/worksheets/sheet1.xml"
_SEPARATORS = (",", "\t", ";", "|")
_NAMES = (
    "text", "label", "labels", "data", "id", "answer", "accept", "options", "annotations", "completions", "cats",
    "source", "job", "job-metadata", "fields", "responses", "status", "annotation", "prediction", "annotation_id",
    "annotator", "lead_time", "meta", "split", "group", "reason", "probability", "text.en", "q", "q-suggestion",
    "q.responses", "q.responses.users", "", " ", "\0line", "json", "0", "1", "Text", "text ", "x" * 300, "_task_hash",
)  # fmt: skip
_KEYS = (
    "text", "label", "value", "choices", "taxonomy", "rating", "from_name", "result", "was_cancelled", "ground_truth",
    "id", "user_id", "name", "start", "end", "class-name", "class-map", "rows", "data", "fields", "values", "status",
    "columns", "index", "schema", "names", "score", "", "a.b",
)  # fmt: skip
_NUMBERS_OF_CELLS = ("0", "1", "-1", "1.5", "45000", "45000.75", "2958466", "-1e9", "1e308", "1e999", "NaN", "#DIV/0!")
_ANSWERS = ("accept", "reject", "ignore", "pos", "neg", "good", "bad", "0", "1", "submitted")
_TEXTS = ("a good film", "a bad film", "the plot was dull, and the actors were lovely", "no", "A good film")


# Each function makes the files of an input: contents by name.


def _plain(suffix: str) -> Callable[[bytes], Mapping[str, bytes]]:
    return lambda content: {f"data{suffix}": content}


def _packed(suffix: str, pack: Callable[[bytes], bytes]) -> Callable[[bytes], Mapping[str, bytes]]:
    return lambda content: {f"data{suffix}": pack(content)}


def _zip(content: bytes, name: str = "data.csv") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _gzip_and_rest(content: bytes) -> bytes:
    """Return a gzip stream of the first half, followed by the second half as it is."""
    return gzip.compress(content[: len(content) // 2], 1) + content[len(content) // 2 :]


def _folder(content: bytes) -> Mapping[str, bytes]:
    """Return a file for each part between NUL bytes: its name, up to the first line break, and its content."""
    parts = [part.partition(b"\n") for part in content.split(b"\0")[:12]]
    found = {name.decode("utf-8", "ignore").strip("/ .")[:60]: text for name, _, text in parts}
    return {f"data/{name}": text for name, text in found.items() if name and ".." not in name}


def _sheet(content: bytes) -> Mapping[str, bytes]:
    """Return a workbook with this XML as its sheet."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_workbook())) as book, zipfile.ZipFile(file, "w") as changed:
        for name in book.namelist():
            changed.writestr(name, content if name == _SHEET else book.read(name))
    return {"data.xlsx": file.getvalue()}


@cache
def _workbook() -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    days = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet()
    for row, cells in enumerate([("text", "label", "n", "day"), *((t, "ab"[i % 2], i / 2, "") for i, t in _rows(6))]):
        sheet.write_row(row, 0, cells)
        if row:
            sheet.write_number(row, 3, 45000 + row, days)
            sheet.write_boolean(row, 4, row % 2 == 0)
    sheet.write_formula(3, 5, "=1/0", None, "#DIV/0!")
    book.close()
    return file.getvalue()


def _rows(n: int) -> list[tuple[int, str]]:
    return [(i, f"{_TEXTS[i % 4]} {i // 4}") for i in range(n)]


def _cell(choices: Choices, depth: int = 0) -> Any:
    """Return a JSON value."""
    kind = choices.below(12 if depth < 5 else 8)
    if kind < 3:
        return choices.pick(_TEXTS)
    if kind == 3:
        return choices.pick(_ANSWERS)
    if kind < 6:
        return choices.pick((*STRINGS, "\ud83d", "a\udc4d"))
    if kind == 6:
        return choices.pick((*NUMBERS, float("nan"), float("inf"), 10**400))
    if kind == 7:
        return choices.pick((None, True, False))
    if kind < 10:
        return [_cell(choices, depth + 1) for _ in range(choices.below(4))]
    return {choices.pick(_KEYS): _cell(choices, depth + 1) for _ in range(choices.below(5))}


def _made_rows(choices: Choices) -> list[Any]:
    """Return rows; a column holds values of one kind in most rows."""
    names = [choices.pick(_NAMES) for _ in range(1 + choices.below(5))]
    if not choices.once_in(4):
        names = ["text", "label", *names]
    rows = []
    for i in range(1 + choices.below(8)):
        row = {}
        for j, name in enumerate(names):
            usual = _TEXTS[i % len(_TEXTS)] if j == 0 else _ANSWERS[i % 3]
            row[name] = _cell(choices) if choices.once_in(3) or j > 1 else usual
        rows.append(_cell(choices) if choices.once_in(20) else row)
    return rows


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


def _made_jsonl(content: bytes) -> Mapping[str, bytes]:
    return {"data.jsonl": b"".join(_dumped(row) + b"\n" for row in _made_rows(Choices(content)))}


def _made_json(content: bytes) -> Mapping[str, bytes]:
    choices = Choices(content)
    layout = choices.below(6)
    rows = _made_rows(choices)
    columns = {str(key): [row.get(key) for row in rows if isinstance(row, dict)] for key in rows[0]} if (
        isinstance(rows[0], dict)
    ) else {}  # fmt: skip
    documents: list[Any] = [
        rows,
        {choices.pick(_KEYS): rows},
        columns,
        {name: {str(i): value for i, value in enumerate(values)} for name, values in columns.items()},
        {"columns": list(columns), "data": [list(row.values()) for row in rows if isinstance(row, dict)]},
        {choices.pick(_ANSWERS): [choices.pick(_TEXTS) for _ in range(4)], choices.pick(_ANSWERS): rows},
    ]
    return {"data.json": _dumped(documents[layout])}


def _changed_export(content: bytes) -> Mapping[str, bytes]:
    """Return rows of an annotation tool in which some values are others, in one row or in all."""
    choices = Choices(content)
    rows: list[Any] = deepcopy(choices.pick(_EXPORTS))
    for _ in range(1 + choices.below(3)):
        path = choices.pick(list(places(rows[0])))
        value = _cell(choices)
        for row in rows if choices.once_in(2) else [choices.pick(rows)]:
            place: Any = row
            for key in path[:-1]:
                if not has(place, key):
                    break
                place = place[key]
            if has(place, path[-1]):
                place[path[-1]] = value
    if choices.once_in(2):
        return {"data.jsonl": b"".join(_dumped(row) + b"\n" for row in rows)}
    return {"data.json": _dumped(rows)}


def _made_sheet(content: bytes) -> Mapping[str, bytes]:
    """Return a workbook of cells of all types, with numbers and dates at and beyond the limits of Excel."""
    choices = Choices(content)
    rows = []
    for i in range(1, 2 + choices.below(8)):
        cells = []
        for j, column in enumerate("ABCD"[: 1 + choices.below(4)]):
            usual = ("text", "label", "n", "day")[j] if i == 1 else (_TEXTS[i % 5], "ab"[i % 2])[j % 2]
            value = choices.pick((*_NUMBERS_OF_CELLS, *STRINGS[:30])) if choices.once_in(2) else usual
            kind = "n" if value in _NUMBERS_OF_CELLS else choices.pick(("str", "inlineStr"))
            if choices.once_in(64):
                kind = choices.pick(("n", "b", "d", "e", "s"))
            style = choices.below(3)  # 1 is that of dates
            text = escape("".join(sign for sign in value if sign.isprintable()))
            inside = f"<is><t>{text}</t></is>" if kind == "inlineStr" else f"<v>{text}</v>"
            cells.append(f'<c r="{column}{i}" s="{style}" t="{kind}">{inside}</c>')
        rows.append(f'<row r="{i}">{"".join(cells)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return _sheet(f'<worksheet xmlns="{main}"><sheetData>{"".join(rows)}</sheetData></worksheet>'.encode())


def _made_csv(content: bytes) -> Mapping[str, bytes]:
    choices = Choices(content)
    separator = choices.pick(_SEPARATORS)
    quoting = choices.below(3)

    def written(value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        if quoting == 0 or (quoting == 1 and any(sign in text for sign in (separator, '"', "\n"))):
            text = '"' + text.replace('"', '""') + '"'
        return text

    rows = [row if isinstance(row, dict) else {"text": row} for row in _made_rows(choices)]
    lines = [separator.join(map(written, rows[0])), *(separator.join(map(written, row.values())) for row in rows)]
    end = choices.pick(("\n", "\r\n", "\r"))
    encoding = choices.pick(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "gb18030"))
    return {"data.csv": end.join(lines).encode(encoding, "replace")}


_DTYPES: tuple[tuple[Any, Sequence[Any]], ...] = (
    (pl.String, (*_TEXTS, *STRINGS)), (pl.String, _ANSWERS), (pl.Int8, (0, 1, -128)), (pl.UInt64, (0, 2**64 - 1)),
    (pl.Int128, (0, 2**100)), (pl.Float32, (0.0, 1.5, float("nan"), float("inf"))), (pl.Float64, (0.0, 1e300, 2.0)),
    (pl.Boolean, (True, False)), (pl.Date, (date(1, 1, 1), date(2024, 1, 1), date(9999, 12, 31))),
    (pl.Datetime("ns"), (datetime(2024, 1, 1), datetime(1700, 1, 1, 1))), (pl.Time, (time(), time(23, 59, 59))),
    (pl.Datetime("us", "Asia/Tokyo"), (datetime(2024, 1, 1), datetime(2025, 1, 1))), (pl.Null, (None,)),
    (pl.Duration("ms"), (timedelta(0), timedelta(days=-1))), (pl.Binary, (b"", b"good", b"\xff\0")),
    (pl.Decimal(38, 10), (Decimal(0), Decimal("1.5"), Decimal(10) ** 20)), (pl.Categorical, ("a", "b")),
    (pl.Enum(["a", "b"]), ("a", "b")), (pl.List(pl.String), ([], ["a"], ["a", "b"], [None])),
    (pl.List(pl.List(pl.Int64)), ([], [[1], []], [[2, None]])), (pl.Array(pl.Int8, 2), ([0, 1], [1, 1])),
    (pl.Array(pl.Float32, 0), ([],)), (pl.List(pl.Binary), ([b"\xff"], [])), (pl.List(pl.Null), ([], [None])),
    (pl.Struct({"text": pl.String, "n": pl.Int64}), ({"text": "a", "n": 1}, {"text": None, "n": None})),
    (pl.List(pl.Struct({"label": pl.String})), ([], [{"label": "a"}])), (pl.Struct({}), ({},)),
    (pl.Struct({"a": pl.Float64, "b": pl.Float64}), ({"a": 1.0, "b": 0.0}, {"a": float("nan"), "b": 0.4})),
)  # fmt: skip


def _made_parquet(content: bytes) -> Mapping[str, bytes]:
    choices = Choices(content)
    n_rows = choices.below(9)
    columns: dict[str, pl.Series] = {}
    if not choices.once_in(4):
        columns["text"] = pl.Series([_TEXTS[i % 5] for i in range(n_rows)], dtype=pl.String)
    for _ in range(1 + choices.below(4)):
        name = choices.pick(_NAMES)
        dtype, values = choices.pick(_DTYPES)
        cells = [None if choices.once_in(5) else choices.pick(values) for _ in range(n_rows)]
        columns[name] = pl.Series(cells, dtype=dtype, strict=False)
    file = io.BytesIO()
    names = choices.pick((None, '["a", "b"]', "[]", "3", '["a", "a"]'))
    features = f'{{"info": {{"features": {{"label": {{"names": {names}, "_type": "ClassLabel"}}}}}}}}'
    try:
        pl.DataFrame([column.alias(name) for name, column in columns.items()]).write_parquet(
            file, metadata=None if names is None else {"huggingface": features}
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):  # what polars cannot write is no input
        return {"data.parquet": b"PAR1"}
    return {"data.parquet": file.getvalue()}


_KINDS: tuple[Callable[[bytes], Mapping[str, bytes]], ...] = (
    *map(_plain, (".csv", ".tsv", ".json", ".jsonl", ".txt", "", ".parquet", ".xlsx")),
    *map(_plain, (".csv.gz", ".zip", ".csv.xz", ".csv.bz2", ".jsonl.zst")),
    _packed(".csv.gz", lambda content: gzip.compress(content, 1)),
    _packed(".csv.gz", _gzip_and_rest),
    _packed(".jsonl.xz", lambda content: lzma.compress(content, preset=0)),
    _packed(".json.bz2", lambda content: bz2.compress(content, 1)),
    _packed(".zip", _zip),
    _packed("", lambda content: _zip(content, "data.json")),
    _folder, _sheet, _made_jsonl, _made_json, _made_csv, _made_parquet, _changed_export,
    _made_sheet,
)  # fmt: skip
_FIRST_MADE = len(_KINDS) - 6
_OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {"max_unreadable": 1.0}, {"max_unreadable": 1.0, "text": "text"}, {"text": "text", "label": "label"},
    {"strict": True}, {"label_separator": ",", "multilabel": True}, {"keep_label_spelling": True, "folds": 2},
    {"group": "group"}, {"separator": "|", "max_unreadable": 1.0}, {"quote": ""}, {"encoding": "utf-16"},
    {"label_prefix": "__label__"}, {"label": ("a", "b")}, {"text": ("text", "id"), "encoding": "latin-1"},
)  # fmt: skip


def check(data: bytes) -> bool:
    """Read an input as training and prediction do."""
    choices = Choices(data)
    made, options = choices.pick(_KINDS), choices.pick(_OPTIONS)
    with tempfile.TemporaryDirectory() as folder:
        contents = made(choices.rest())
        paths = [Path(folder, name) for name in contents]
        for path, content in zip(paths, contents.values(), strict=True):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except (OSError, ValueError):  # no name of a file, or a folder and a file of one name
                continue
        source = Path(folder, "data") if made is _folder else paths[0]
        if not source.exists():
            return False
        read = _is_read(source, options)
        if source.is_file():
            _predict(source, Path(folder), options)
    return read


def _is_read(source: Path, options: dict[str, Any]) -> bool:
    try:
        dataset = load_dataset(source, **options)
    except TaglineError as error:
        _check_message(error)
        return False
    _check_dataset(dataset)
    return True


def _check_message(error: TaglineError) -> None:
    assert str(error).strip()
    assert error.exit_status in (1, 2)


def _check_dataset(dataset: Dataset) -> None:
    """Every row that was read is in a split or counted as left out, and all values are sound."""
    splits = [split for split in (dataset.train, dataset.validation, dataset.test) if split is not None]
    assert sum(map(len, splits)) + dataset.facts.left_out.height == dataset.facts.rows_read
    for split in splits:
        assert len(split.texts) == len(split.labels)
        assert split.texts.dtype == pl.String
        assert not split.texts.has_nulls()
        assert not split.labels.has_nulls()
        assert not is_blank(split.texts).any()
        labels = split.labels.explode().drop_nulls() if isinstance(split.labels.dtype, pl.List) else split.labels
        assert set(labels) <= set(dataset.classes)
        assert split.origin is not None
    assert dataset.classes == sorted(set(dataset.classes), key=dataset.classes.index)
    assert len(dataset.fingerprint) == 64
    assert dataset._repr_html_()


@cache
def _model() -> TextClassifier:
    return TextClassifier.load(GOLDEN / "bundle-v2-fast-multiclass" / "model")


def _predict(source: Path, folder: Path, options: dict[str, Any]) -> None:
    """Rows read whole and in small blocks are as many, and as many are written with predictions."""
    text = options.get("text") or ()
    text = (text,) if isinstance(text, str) else tuple(text)
    layout = files.FileLayout(**{name: options[name] for name in ("separator", "quote", "encoding") if name in options})
    try:
        whole = read_file(source, layout=layout)
        log = ReadLog()
        with mock.patch.object(files, "BLOCK_BYTES", 64):
            n_rows = sum(
                len(batch.texts) for batch in read_texts(source, batch_rows=3, text=text, layout=layout, log=log)
            )
        n_repeated = sum(row.reason == REPEATED_HEADER for row in log.rejected)  # are no rows of training data
        assert n_rows - n_repeated == whole.frame.height + len(whole.rejected)
        assert len(log.rejected) - n_repeated == len(whole.rejected)
    except TaglineError as error:
        _check_message(error)
        n_rows = -1
    kind = ("csv", "jsonl", "parquet", "xlsx", "", "", "", "")[sum(source.read_bytes()) % 8]
    if not kind:  # predicting takes longer than reading
        return
    target = folder / f"predictions.{kind}"
    try:
        summary = predict_file(_model(), source, target, file_options=FileOptions(text=text, layout=layout))
    except TaglineError as error:
        _check_message(error)
        assert not target.exists()
        return
    assert n_rows in (-1, summary.rows)
    if kind == "parquet":
        written = pl.read_parquet(target)
        assert written.height == summary.rows
        names = [name for name in written.columns if name.startswith(("prediction", "reason"))][-2:]
        assert (written[names[0]].is_null() == written[names[1]].is_not_null()).all()
    elif kind == "jsonl":
        assert target.read_bytes().count(b"\n") == summary.rows


def seeds() -> list[bytes]:
    """Return small files of every kind."""
    lines = ["text,label", *(f'"{text}",{"ab"[i % 2]}' for i, text in _rows(8))]
    csv = "\n".join(lines).encode()
    jsonl = b"\n".join(_dumped({"text": text, "label": "ab"[i % 2], "id": i}) for i, text in _rows(8))
    folder = b"\0".join(b"%s/%d.txt\n%s" % (b"ab"[i % 2 : i % 2 + 1], i, text.encode()) for i, text in _rows(6))
    split_folder = b"\0".join(b"%s.csv\n%s" % (name, csv) for name in (b"train", b"test", b"dev"))
    parquet = io.BytesIO()
    pl.DataFrame({"text": [t for _, t in _rows(8)], "label": ["a", "b"] * 4, "l": [[1, 0]] * 8}).write_parquet(parquet)
    with zipfile.ZipFile(io.BytesIO(_workbook())) as book:
        sheet = book.read(_SHEET)
    fasttext = "".join(f"__label__{'ab'[i % 2]} {text}\n" for i, text in _rows(8)).encode()
    contents: dict[str, Sequence[bytes]] = {
        ".csv": [csv, csv.replace(b",", b";"), csv.replace(b'"', b""), csv.decode().encode("utf-16")],
        ".tsv": [csv.replace(b",", b"\t")],
        ".json": [b"[" + jsonl.replace(b"\n", b",") + b"]", *(_dumped(document) for document in _EXPORTS)],
        ".jsonl": [jsonl, *(b"\n".join(map(_dumped, document)) for document in _EXPORTS)],
        ".txt": [fasttext, csv, jsonl],
        "": [csv, parquet.getvalue(), _workbook(), gzip.compress(csv), b"[" + jsonl.replace(b"\n", b",") + b"]"],
        ".parquet": [parquet.getvalue()],
        ".xlsx": [_workbook()],
        ".csv.gz": [gzip.compress(csv)],
        ".zip": [_zip(csv)],
        ".csv.xz": [lzma.compress(csv)],
        ".csv.bz2": [bz2.compress(csv)],
        ".jsonl.zst": [b"\x28\xb5\x2f\xfd\x04\x00" + jsonl[:40]],
    }
    found = [bytes([number, 0]) + content for number, each in enumerate(contents.values()) for content in each]
    packed = [csv, csv, jsonl, b"[" + jsonl.replace(b"\n", b",") + b"]", csv, jsonl, folder, sheet]
    found += [bytes([len(contents) + number, 0]) + content for number, content in enumerate(packed)]
    found.append(bytes([_KINDS.index(_folder), 0]) + split_folder)
    draw = Random(0)
    made = [bytes([number, option]) for number in range(_FIRST_MADE, len(_KINDS)) for option in range(len(_OPTIONS))]
    return found + [start + draw.randbytes(300) for start in made for _ in range(3)]


#: Rows as annotation tools export them.
_EXPORTS: tuple[list[dict[str, Any]], ...] = (
    [
        {"text": t, "accept": ["ab"[i % 2]], "options": [{"id": "a", "text": "A"}], "answer": "accept"}
        for i, t in _rows(6)
    ],
    [{"text": t, "label": "a", "answer": ("accept", "reject")[i % 2], "_task_hash": i} for i, t in _rows(6)],
    [
        {
            "id": i,
            "data": {"text": t},
            "annotations": [
                {"result": [{"from_name": "c", "value": {"choices": ["ab"[i % 2]]}}], "was_cancelled": False}
            ],
        }
        for i, t in _rows(6)
    ],
    [{"text": t, "c": "ab"[i % 2], "annotation_id": i, "annotator": 1, "lead_time": 0.5, "id": i} for i, t in _rows(6)],
    [{"id": i, "text": t, "label": ["ab"[i % 2]], "Comments": []} for i, t in _rows(6)],
    [{"text": t, "cats": {"a": i % 2, "b": 1 - i % 2}} for i, t in _rows(6)],
    [{"source": t, "job": i % 2, "job-metadata": {"class-name": "ab"[i % 2], "confidence": 0.9}} for i, t in _rows(6)],
    [
        {"fields": {"text": t}, "responses": [{"values": {"q": {"value": "ab"[i % 2]}}, "status": "submitted"}]}
        for i, t in _rows(6)
    ],
    [
        {"text": t, "q": [{"user_id": "u", "value": "ab"[i % 2], "status": "submitted"}], "q-suggestion": None}
        for i, t in _rows(6)
    ],
    [{"text": t, "annotation": "ab"[i % 2], "prediction": None, "status": "Validated"} for i, t in _rows(6)],
    [{"text": t, "q.responses": ["ab"[i % 2]], "q.responses.users": ["u"]} for i, t in _rows(6)],
)
WORDS = (
    *(text.encode("utf-8", "ignore") for text in STRINGS if len(text) < 500), *(name.encode() for name in _NAMES),
    b"\r\n", b"\r", b'""', b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\\ud83d", b"1e400", b"[[[[[[[[", b'{"a":',
    b"\n\n\n",
    b"<c r=\"A1\" t=\"s\"><v>0</v></c>", b't="d"', b't="e"', b"<v>1e308</v>", b"<v>-1e9</v>", b'r="XFD1048576"',
    b"<v>2958466</v>", b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08\x00",
)  # fmt: skip

TARGET = Target("readers", check, seeds, WORDS)
