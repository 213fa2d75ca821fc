"""The files that ``predict`` writes: formats, styles, in place, and never half-written."""

import csv
import json
import subprocess
import sys

import polars as pl
import pytest

from tests.cli.cli_data import names


def test_a_folder_of_parts(call, fails, run_folder, reviews, here, monkeypatch):
    predict = ("predict", run_folder, "--input", reviews)
    in_parts = (*predict, "--format", "jsonl", "--part-rows", "30")
    assert call(*in_parts, "-o", "parts/")[0] == 0
    call(*predict, "-o", "whole.jsonl")
    parts = sorted((here / "parts").glob("part-*.jsonl"))
    assert "".join(part.read_text() for part in parts) == (here / "whole.jsonl").read_text()
    status, _, progress = call(*in_parts, "-o", "parts")
    assert (status, "rows written to parts" in progress) == (0, True)
    assert "`--part-rows` is for a folder of parts" in fails(*in_parts)
    monkeypatch.setattr("tagline.runs.predicting.parts._write", _interrupt)
    status, _, err = call(*in_parts, "-o", "others/", "-q")
    assert (status, err) == (130, "error: stopped; the same command resumes.\n")


def test_models_and_outputs_are_not_urls(fails, run_folder, reviews, here):
    predict = ("predict", run_folder, "--input", reviews, "--output")
    assert "`--output` is a file or a folder of this machine" in fails(*predict, "s3://bucket/new/")
    assert "less than or equal to 1000000000" in fails(*predict, "new/", "--part-rows", "1" + "0" * 20)
    assert "`--out` is a folder of this machine" in fails("train", reviews, "--out", "s3://bucket/run")
    failure = fails("predict", "https://user:secret@host/model", "some text")
    assert "A model is read from the disk" in failure
    assert "secret" not in failure
    assert names(here) == []


def test_the_input_is_not_overwritten(call, run_folder, here):
    (here / "in.csv").write_bytes(content := b"text,n\nsuperb,1\ndull,2,b\n")
    (here / "link.csv").symlink_to("in.csv")
    (here / "hard.csv").hardlink_to(here / "in.csv")
    (here / "folder").mkdir()
    (here / "in.csv.rejected.csv").write_text("text\ndull\n")
    refused = dict.fromkeys(("in.csv", "link.csv", "hard.csv", "folder/../in.csv", str(here / "in.csv")), "in.csv")
    for target, source in (*refused.items(), ("in.csv", "in.csv.rejected.csv")):
        status, out, err = call("predict", run_folder, "--input", source, "--output", target, "-q")
        written = "in.csv.rejected.csv" if source != "in.csv" else target
        assert (status, out) == (2, "")
        assert err == f"error: `{written}` is the file that is read: write the predictions to another one.\n"
    assert (here / "in.csv").read_bytes() == content
    command = [sys.executable, "-m", "tagline", "predict", str(run_folder), "--input", "in.csv", "-q"]
    with (here / "in.csv").open("ab") as stream:
        appended = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, text=True, check=False)
    assert (appended.returncode, appended.stderr.partition(":")[2]) == (
        2,
        " Standard output is the file that is read: write the predictions to another one.\n",
    )
    assert (here / "in.csv").read_bytes() == content


def test_predictions_in_place(call, run_folder, here, monkeypatch):
    """The file is replaced as a whole at the end, keeps its permissions, and what would be lost in it is an error."""
    rows = "n;text\n1;a superb film\n2;dull\n"
    (here / "in.csv").write_text(rows)
    (here / "in.csv").chmod(0o640)
    (here / "link.csv").symlink_to("in.csv")
    assert call("predict", run_folder, "--input", "in.csv", "--output", "out.csv", "-q")[0] == 0
    expected = (here / "out.csv").read_bytes()

    with monkeypatch.context() as patched:
        patched.setattr("tagline.runs.predicting.tables._CsvWriter.__call__", _interrupt)
        status, _, err = call("predict", run_folder, "--input", "in.csv", "--in-place", "-q")
    assert (status, err) == (130, "error: stopped; nothing was written.\n")
    assert (here / "in.csv").read_text() == rows
    assert call("predict", run_folder, "--input", "link.csv", "--in-place", "-q") == (0, "", "")
    assert (here / "in.csv").read_bytes() == expected
    assert (here / "in.csv").stat().st_mode & 0o777 == 0o640
    assert (here / "link.csv").is_symlink()
    refused = {
        "bad.csv": (rows + "3;dull;4;5\n" + "4;fine\n" * 97, "strict reading allows none"),
        "title.csv": ("Our films\n\n" + rows, "`title.csv` has lines above its table, which `--in-place` would lose"),
        "sep.csv": ("sep=;\n" + rows, "`--in-place` would change the separator or the header of `sep.csv`"),
        "tabs.csv": (rows.replace(";", "\t"), "`--in-place` would change the separator or the header of `tabs.csv`"),
        "twice.csv": ("n;n;text\n1;2;dull\n", "`--in-place` would change the separator or the header"),
        "in.txt": ("dull\n", "`in.txt` has no suffix of a known format"),
        "in.xlsx": ("", "`--in-place` would lose the layout and other sheets of `in.xlsx`"),
        "https://user:secret@host/a.csv?b=secret": (None, "that is read, and `https://host/a.csv` is not a file"),
        "-": (None, "`--in-place` writes to the file that is read, and `-` is not a file"),
    }
    for name, (content, message) in refused.items():
        if content is not None:
            (here / name).write_text(content)
        status, _, err = call("predict", run_folder, "--input", name, "--in-place", "-q")
        assert (status, message in err) == (2, True), err
        assert content is None or (here / name).read_text() == content
    for more in (("--output", "x.csv"), ("--format", "jsonl")):
        assert call("predict", run_folder, "--input", "in.csv", "--in-place", *more, "-q")[0] == 2
    assert names(here) == sorted(
        ["in.csv", "link.csv", "out.csv", *(name for name in refused if (here / name).exists())]
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("separator", [",", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_separator_and_the_byte_order_mark_of_csv_are_kept(separator, encoding, call, run_folder, here):
    content = "n,text\n1,a superb film\n2,dull\n".replace(",", separator)
    (here / "in.csv").write_text(content, encoding=encoding)
    assert call("predict", run_folder, "--input", "in.csv", "--output", "out.csv", "-q")[0] == 0
    written = (here / "out.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    rows = list(csv.reader(written.decode("utf-8-sig").splitlines(), delimiter=separator))
    assert rows[0] == ["n", "text", "prediction", "probability", "reason"]
    assert [row[1] for row in rows[1:]] == ["a superb film", "dull"]
    assert call("predict", run_folder, "--input", "in.csv", "--output", "out.tsv", "-q")[0] == 0
    assert (here / "out.tsv").read_text(encoding=encoding).startswith("n\ttext\tprediction")


def test_formulas_are_escaped_on_request(call, fails, run_folder, here):
    (here / "in.csv").write_text("text,=n\n=superb,-1\n@dull,+x\n+dull,1,2\n" + "fine,1\n" * 9)
    given = ("predict", run_folder, "--input", "in.csv")
    assert call(*given, "--escape-formulas", "--output", "out.csv", "-q")[0] == 0
    cells = [line.split(",")[:2] for line in (here / "out.csv").read_text().splitlines()]
    assert cells[:4] == [["text", "'=n"], ["'=superb", "-1"], ["'@dull", "'+x"], ["'+dull", "1"]]
    [rejected] = csv.DictReader((here / "out.csv.rejected.csv").read_text().splitlines())
    assert rejected["excerpt"].startswith("'+dull")  # a list for people to open, always
    assert call(*given, "-q")[1].splitlines()[1].startswith("=superb,-1,pos")
    assert call("predict", run_folder, "=superb", "--escape-formulas", "--format", "csv", "-q")[1].splitlines()[1][
        :9
    ] == ("'=superb,")
    for more in (["--json"], []):
        assert "`--output FILE.csv`" in fails("predict", run_folder, "superb", "--escape-formulas", *more)
    assert "is for CSV and TSV" in fails(*given, "--escape-formulas", "--output", "out.xlsx")
    assert names(here) == ["in.csv", "out.csv", "out.csv.rejected.csv"]


def test_an_excel_file_is_written(call, fails, run_folder, here):
    (here / "in.csv").write_text('text,n\n"=1+1, a superb film",1\n,2\nhttp://dull.example,3\n')
    assert call("predict", run_folder, "--input", "in.csv", "--output", "out.xlsx", "--top-k", "2", "-q")[0] == 0
    sheet = pl.read_excel(here / "out.xlsx", engine="calamine")
    assert sheet.columns[:3] == ["text", "n", "prediction"]
    assert sheet["text"].to_list() == ["=1+1, a superb film", None, "http://dull.example"]
    assert sheet["prediction"].is_null().to_list() == [False, True, False]
    (here / "long.csv").write_text(f"text\nshort\n{'long ' * 10_000}\n")
    assert "Row 2 has a text of more than 32,767 characters" in fails(
        "predict", run_folder, "--input", "long.csv", "--output", "long.xlsx"
    )
    assert "long.xlsx" not in names(here)


def test_json_lines_keep_their_values(call, run_folder, here, monkeypatch):
    monkeypatch.setattr("tagline.runs.predicting.predict.BATCH_ROWS", 2)
    lines = [
        '{"text": "a superb film", "list": ["a", 1, [2.50]], "deep": {"b": {"c": null}}, "big": 12345678901234567890}',
        '  { "text":"dull", "list": "text", "float": 0.1000000000000000055, "prediction": "mine", "t": true }  \r',
        "",
        '{"text": "dull", "line": "a\\nb \u2028 c", "big": 1e400}',
        '{"text": ["a", "b"]}',
    ]
    (here / "in.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    status, _, err = call("predict", run_folder, "--input", "in.jsonl", "--output", "out.jsonl", "-q")
    assert (status, err) == (0, "")
    written = (here / "out.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    given, found = ([json.loads(line, parse_float=str) for line in part if line] for part in (lines, written))
    assert [list(row)[: len(row) - 3] for row in found] == [list(row) for row in given]
    for row, before in zip(found, given, strict=True):
        assert {"prediction_2", "probability", "reason"} <= row.keys()
        assert {key: row[key] for key in before} == before


def test_a_later_column_with_the_name_of_a_prediction_column(fails, run_folder, here, monkeypatch):
    monkeypatch.setattr("tagline.data.sources.files.SAMPLE_BYTES", 64)
    monkeypatch.setattr("tagline.data.sources.files.BLOCK_BYTES", 64)
    rows = ['{"text": "a film"}'] * 50 + ['{"text": "a film", "prediction": "mine"}']
    (here / "in.jsonl").write_text("\n".join(rows))
    assert "`prediction`" in fails("predict", run_folder, "--input", "in.jsonl", "--output", "out.jsonl")
    assert names(here) == ["in.jsonl"]


def test_an_old_output_stays_when_something_goes_wrong(fails, run_folder, here):
    (here / "out.csv").write_text("old")
    (here / "in.jsonl").write_text('{"text": "a"}\n{"text": "b", "more": 1}\n')
    fails("predict", run_folder, "--input", "in.jsonl", "--output", "out.csv", "--text", "body")
    assert (here / "out.csv").read_text() == "old"
    assert names(here) == ["in.jsonl", "out.csv"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_later_column_is_an_error_where_a_table_cannot_hold_it(kind, fails, run_folder, here, monkeypatch):
    monkeypatch.setattr("tagline.data.sources.files.SAMPLE_BYTES", 64)
    monkeypatch.setattr("tagline.data.sources.files.BLOCK_BYTES", 64)
    (here / "in.jsonl").write_text("\n".join(['{"text": "a film"}'] * 50 + ['{"text": "a film", "more": 1}']))
    assert "a column `more`" in fails("predict", run_folder, "--input", "in.jsonl", "--output", f"out.{kind}")
    assert names(here) == ["in.jsonl"]


def test_dates_are_written_to_excel(call, run_folder, here):
    when = pl.datetime(2026, 3, 1, 12, time_zone="UTC")
    pl.DataFrame({"text": ["a superb film"]}).with_columns(when=when).write_parquet("in.parquet")
    assert call("predict", run_folder, "--input", "in.parquet", "--output", "out.xlsx", "-q")[0] == 0
    assert pl.read_excel(here / "out.xlsx", engine="calamine")["when"][0].startswith("2026-03-01 12:00")
