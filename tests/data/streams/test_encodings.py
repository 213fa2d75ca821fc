"""Encodings are detected, announced, and read as the text that was written."""

import io
from pathlib import Path

import pytest

from tagline.data.reading import FileLayout, ReadLog
from tagline.data.sources.files import read_file, read_texts
from tagline.data.streams.encodings import checked_encoding, to_utf8
from tagline.data.streams.plausibility import implausible_share
from tagline.errors import InputError

SENTENCES = {
    "cp1252": "Die Rechnung für März ist überhöht, naïve Façade für 5 €",
    "cp1250": "Proszę o zwrot pieniędzy, przesyłka nie dotarła, dziękuję",
    "cp1251": "Пожалуйста, верните деньги, посылка не пришла вовремя",
    "koi8-r": "Пожалуйста, верните деньги, посылка не пришла вовремя",
    "cp1253": "Παρακαλώ επιστρέψτε τα χρήματα, το δέμα δεν έφτασε",
    "cp1254": "Lütfen paramı iade edin, kargo zamanında gelmedi, teşekkürler şimdi",
    "cp932": "返金してください。荷物が時間通りに届きませんでした。",
    "gb18030": "请退款，包裹没有按时到达，服务很差",
    "big5": "請退款，包裹沒有按時到達，服務很差",
    "cp949": "환불해 주세요. 소포가 제시간에 도착하지 않았습니다.",
    "mac-roman": "Die Rechnung für März ist überhöht, bitte prüfen",
    "cp850": "Die Rechnung für März ist überhöht, bitte prüfen",
}
OTHERS = {
    "iso8859-2": "Velmi špatná obsluha, žádám odpověď, zásilka nedorazila",
    "cp852": "Przesyłka nie dotarła, żądam zwrotu pieniędzy, dziękuję",
    "cp857": "Lütfen paramı iade edin, çok kötü hizmet, teşekkürler şimdi",
    "cp850": "Hur ändrar jag mitt lösenord, skärmen är på väg",
    "iso8859-5": "Пожалуйста, верните деньги, посылка не пришла вовремя",
    "iso8859-6": "يرجى إعادة المال الطرد لم يصل في الوقت المحدد",
    "big5": "請求書電話配送",
    "gb18030": "請求書電話配送",
    "iso2022_jp": "請求書が届きません。配送が遅いです",
    "iso2022_kr": "환불해 주세요. 소포가 제시간에 도착하지 않았습니다.",
    "hz": "请退款，包裹没有按时到达，服务很差",
}


def table(sentence: str) -> list[tuple[str, str]]:
    return [(f"{i} {sentence}", "ab"[i % 2]) for i in range(60)]


def written(rows: list[tuple[str, str]], encoding: str) -> bytes:
    return ("text;label\r\n" + "".join(f"{text};{label}\r\n" for text, label in rows)).encode(encoding)


@pytest.mark.parametrize(("encoding", "sentence"), [*SENTENCES.items(), *OTHERS.items()])
def test_an_encoding_is_detected_and_announced(tmp_path: Path, encoding: str, sentence: str) -> None:
    path = tmp_path / "data.csv"
    rows = table(sentence)
    path.write_bytes(written(rows, encoding))
    read = read_file(path)
    assert read.frame.rows() == rows
    assert "not UTF-8, read as" in read.notes[0]
    log = ReadLog()
    assert [text for batch in read_texts(path, log=log) for text in batch.texts] == [text for text, _ in rows]
    assert log.notes == list(read.notes)


@pytest.mark.parametrize("letters", ["don’t", "20 °C", "café", "é", "£5", "“so”", "§ 5", "niño", "5 € –"])
@pytest.mark.parametrize("n", [1, 5, 50])
def test_a_few_letters_are_windows_1252(tmp_path: Path, letters: str, n: int) -> None:
    path = tmp_path / "data.csv"
    rows = [(f"a text {i} {letters if i % 2 else 'plain'}", "a") for i in range(2 * n)]
    path.write_bytes(written(rows, "cp1252"))
    assert read_file(path).frame.rows() == rows


def test_ascii_is_not_taken_for_shifts(tmp_path: Path) -> None:
    texts = ["call +1-555-0100-", "C++ and A+B-C+D", "+49170123456-", "~{x~}", "\x1b[31mred\x1b[0m", "+Abc- +1 +Zz"]
    for i, text in enumerate([*texts, "cat+dog", "neu+pos", "C+API", "a ~~ b ~{", "{~} ~{~}"]):
        path = tmp_path / f"{i}.csv"
        rows = [(f"text {i}", "ab"[i % 2]) for i in range(20)] + 10 * [(text, text)]
        path.write_bytes(written(rows, "ascii"))
        read = read_file(path)
        assert (read.frame.rows(), read.notes) == (rows, ())
        assert [text for batch in read_texts(path) for text in batch.texts] == [text for text, _ in rows]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-8"])
def test_unicode_of_any_width_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "data.csv"
    rows = table("an ordinary text, naïve façade")
    path.write_bytes(written(rows, encoding))
    read = read_file(path)
    assert read.frame.rows() == rows
    assert len(read.notes) == (encoding in ("utf-16-le", "utf-16-be"))


def test_letters_that_come_late_decide(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [("plain " * 50, "a")] * 9000 + table(SENTENCES["cp1252"])
    path.write_bytes(written(rows, "cp1252"))
    log = ReadLog()
    assert [text for batch in read_texts(path, log=log) for text in batch.texts] == [text for text, _ in rows]
    assert len(log.notes) == 1


def test_lines_of_utf8_stay_utf8_in_a_file_of_another_encoding() -> None:
    lines = ["für März".encode("cp1252")] * 5 + ["für März".encode()] * 3
    said: list[str] = []
    stream = to_utf8(
        io.BufferedReader(io.BytesIO(b"\n".join(lines))), None, lambda encoding, in_part: said.append(encoding)
    )  # type: ignore[arg-type]
    assert stream.read().decode() == "\n".join(["für März"] * 8)
    assert said == ["Windows-1252"]


@pytest.mark.parametrize(("first", "n"), [(0, 3), (0, 20), (40, 20)])
def test_some_lines_of_another_encoding_are_read_in_it(tmp_path: Path, first: int, n: int) -> None:
    path = tmp_path / "data.csv"
    rows = table("für März")
    path.write_bytes(written([], "utf-8"))
    with path.open("ab") as file:
        for i, (text, label) in enumerate(rows):
            file.write(f"{text};{label}\r\n".encode("cp1252" if first <= i < first + n else "utf-8"))
    read = read_file(path)
    assert (read.frame.rows(), read.rejected) == (rows, ())
    assert "some lines are not UTF-8, read as Windows-1252" in read.notes[0]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["cp1251", "cp1253", "cp932", "gb18030", "cp949"])
def test_utf16_of_any_script_is_found_without_a_mark(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / "data.csv"
    rows = table(SENTENCES[name])
    path.write_bytes(written(rows, encoding))
    read = read_file(path)
    assert (read.frame.rows(), len(read.notes)) == (rows, 1)
    damaged = written(rows, name).replace(b"5", b"\0").replace(b"7", b"a\0")
    path.write_bytes(damaged)
    assert sum(text == first for text, (first, _) in zip(read_file(path).frame["text"], rows, strict=True)) == 40


@pytest.mark.parametrize(
    "data",
    [
        b'text,label\ra 1,b\r"a\n2",b\r',
        b"text,label\ra 1,b\ra 2,b\n",
        b"text,label\na 1,b\ra 2,b\r\n",
        b"text,label\r\r\na 1,b\r\r\na 2,b\r\r\n",
        b'text,label\na 1,b\n"a\r2",b\n',
        b"text,label\na 1,b\na\r2,b\n",
    ],
)
def test_carriage_returns_end_lines_unless_they_are_in_cells(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(data)
    frame = read_file(path).frame
    assert [" ".join(text.split()) for text in frame["text"]] == ["a 1", "a 2"]
    assert frame["label"].to_list() == ["b", "b"]


def test_the_marks_of_joined_files_are_no_text(tmp_path: Path) -> None:
    marked = "\ufeffx;a\n\ufeff\ufeffy;b\n"
    (tmp_path / "a.csv").write_text("\ufefftext;label\n" + marked, encoding="utf-8")
    assert read_file(tmp_path / "a.csv").frame.rows() == [("x", "a"), ("y", "b")]
    (tmp_path / "a.jsonl").write_text('\ufeff{"text": "x"}\n\ufeff{"text": "y"}\n', encoding="utf-8")
    assert read_file(tmp_path / "a.jsonl").frame["text"].to_list() == ["x", "y"]


def test_most_lines_decide_for_utf8(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(written(table("für März"), "utf-8") + b"cut f\xc3;b\n")
    assert [row.line for row in read_file(path).rejected] == [62]


def test_a_named_encoding_is_used(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(written([("½ ¤", "a"), ("¤", "b")], "latin-1"))
    read = read_file(path, layout=FileLayout(encoding="iso8859-15"))
    assert read.frame["text"].to_list() == ["œ €", "€"]
    assert read.notes == ()
    rows = table("Die Rechnung für März ist überhöht + bitte prüfen")
    path.write_bytes(written(rows, "utf-7"))
    read = read_file(path, layout=FileLayout(encoding="utf-7"))
    assert (read.frame.rows(), read.notes) == (rows, ())


def test_an_unknown_encoding_is_an_error() -> None:
    for name in ("utf-99", "hex", "rot13"):
        with pytest.raises(InputError, match=f"--encoding {name}`: unknown encoding"):
            checked_encoding(name)
    assert checked_encoding("latin1") == "iso8859-1"


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_named_encoding_without_a_byte_order_mark_is_read(tmp_path: Path, order: str) -> None:
    path = tmp_path / "data.csv"
    rows = table("an ordinary text, naïve façade")
    path.write_bytes(written(rows, order))
    assert read_file(path, layout=FileLayout(encoding=order[:6])).frame.rows() == rows


def test_utf7_that_writes_half_of_a_character_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"text,label\na +2AA- b,x\nc,y\n")
    assert read_file(path, layout=FileLayout(encoding="utf-7")).frame["text"].to_list() == ["a ? b", "c"]


def test_a_long_run_of_marks_takes_no_longer_than_other_text(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'ood film", "n"\xfc{\x7b\xcd\x82' + 40 * b"\xff" + b'\nxt{e"bad"}\n')
    assert len(read_file(path).rejected) == 2
    assert implausible_share("a" + 1000 * "˘") == 0
    assert implausible_share("a" + 1000 * "˘" + "b") > 0


@pytest.mark.parametrize("end", [b"\r", b"\n"])
def test_a_long_run_of_carriage_returns_takes_no_longer_than_other_text(end: bytes) -> None:
    content = b"text,label" + end + 500_000 * b"\r" + b"a,b" + end
    stream = io.BufferedReader(io.BytesIO(content))
    lines = to_utf8(stream, None, lambda encoding, in_part: None).read().split()
    assert lines == [b"text,label", b"a,b"]
