"""``predict``, ``evaluate`` and ``explain``."""

import csv
import io
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tagline.classifier import TextClassifier
from tests.cli.cli_data import names


def test_texts(call, run_folder):
    status, out, err = call("predict", run_folder / "model", "a superb film", "a dull [film]", "--quiet")
    assert (status, err) == (0, "")
    assert re.search(r"^pos +0\.\d{3} +a superb film", out, re.MULTILINE)
    assert re.search(r"^neg +0\.\d{3} +a dull \[film\]", out, re.MULTILINE)


def test_a_narrow_terminal_shows_every_column(call, topics_run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    _, out, _ = call("predict", topics_run, "one", "--proba", "-q")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 50
    names = TextClassifier.load(topics_run).classes_  # `load` takes a run too
    assert {"probability", "text", *(f"proba:{name}" for name in names)} <= set(out.split())
    assert len(re.findall(r"0\.\d{3}\b", out)) == 1 + len(names)


def test_a_text_without_a_label_shows_the_nearest(call):
    model = Path(__file__).parents[2] / "golden" / "bundle-v2-fast-multilabel" / "model"
    _, out, _ = call("predict", model, "nothing of it", "--threshold", "0.99", "-q")
    label, probability = re.search(r"^no label; nearest: (\S+) \((0\.\d{3})\)", out, re.MULTILINE).groups()
    clf = TextClassifier.load(model)
    [proba] = clf.predict_proba(["nothing of it"])
    assert (label, probability) == (clf.classes_[proba.argmax()], f"{proba.max():.3f}")
    assert "top_1" not in out


def test_texts_as_json(call, run_folder):
    _status, out, _err = call("predict", run_folder, "a superb film", "--json", "--proba", "--top-k", "9", "--quiet")
    [row] = json.loads(out)
    assert row["prediction"] == row["top_1"] == "pos"
    assert row["top_2"] == "neg"
    assert row["probability"] == row["proba:pos"] == row["top_1_probability"]
    assert row["proba:pos"] + row["proba:neg"] == pytest.approx(1)


@pytest.mark.parametrize("given", ["csv", "jsonl", "parquet", "tsv", "csv.gz"])
@pytest.mark.parametrize("written", ["csv", "jsonl", "parquet"])
def test_files_keep_rows_and_columns(given, written, call, run_folder, reviews, here):
    frame = pl.read_csv(reviews, infer_schema=False)
    match given:
        case "csv":
            frame.write_csv("in.csv")
        case "csv.gz":
            import gzip

            (here / "in.csv.gz").write_bytes(gzip.compress(frame.write_csv().encode()))
        case "tsv":
            frame.write_csv("in.tsv", separator="\t")
        case "jsonl":
            frame.write_ndjson("in.jsonl")
        case "parquet":
            frame.write_parquet("in.parquet")
    status, out, err = call("predict", run_folder, "--input", f"in.{given}", "--output", f"out.{written}", "-q")
    assert (status, out, err) == (0, "", "")
    readers = {"csv": lambda p: pl.read_csv(p, infer_schema=False), "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}
    result = readers[written](f"out.{written}")
    assert result.columns == ["id", "review", "stars", "prediction", "probability", "reason"]
    assert result.select(frame.columns).equals(frame)
    clf = TextClassifier.load(run_folder / "model")
    assert result["prediction"].to_list() == clf.predict(frame["review"]).tolist()
    expected = clf.predict_proba(frame["review"]).max(axis=1).tolist()
    decimals = 16 if written == "parquet" else 4
    assert result["probability"].cast(pl.Float64).to_list() == pytest.approx([round(p, decimals) for p in expected])
    assert result["reason"].null_count() == result.height
    assert names(here) == sorted([f"in.{given}", f"out.{written}"])


def test_the_text_column_is_reported(call, run_folder, reviews, here, monkeypatch):
    monkeypatch.setattr("tagline.runs.predicting.predict.BATCH_ROWS", 7)
    status, _, err = call("predict", run_folder, "--input", reviews, "--output", "out.csv")
    assert status == 0
    assert re.findall(r"text is .*", err) == ["text is `review`"]
    (here / "two.csv").write_text("subject,body,n\na superb film,moving,1\n")
    _, out, err = call("predict", run_folder, "--input", "two.csv", "--text", "subject", "--text", "body")
    assert re.findall(r"text is .*", err) == ["text is `subject`, `body`"]
    assert out.count("\n") == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_of_all_of_unicode_are_kept(encoding, call, run_folder, here):
    text = "text,n\na großartig superb film,1\na dull film from the Café,2\n" * 5
    bom = "\ufeff" if encoding == "utf-16-be" else ""
    (here / "in.csv").write_bytes((bom + text).encode(encoding))
    assert call("predict", run_folder, "--input", "in.csv", "--output", "out.csv", "-q")[0] == 0
    written = (here / "out.csv").read_bytes()
    start = (here / "in.csv").read_bytes()[:2]
    if encoding == "cp1252":  # which could not hold every class name; Excel takes UTF-8 without the mark for cp1252
        assert written.decode().startswith("\ufefftext,n,prediction")
    else:
        assert written[:2] == start
        assert written.decode(encoding).removeprefix("\ufeff").startswith("text,n,prediction")
        assert "großartig" in written.decode(encoding)
    _, out, _ = call("predict", run_folder, "--input", "in.csv", "-q")
    assert out.startswith("text,n,prediction")
    (here / "tabs.csv").write_bytes((bom + text.replace(",", "\t")).encode(encoding))
    assert call("predict", run_folder, "--input", "tabs.csv", "--output", "out.csv", "-q")[0] == 0
    header = (here / "out.csv").read_bytes().decode("utf-8-sig" if encoding == "cp1252" else encoding).split("\n")[0]
    assert ("\tn\tprediction" in header) == encoding.startswith("utf-16")  # as Excel saves Unicode text


def test_batches_are_seamless(call, run_folder, reviews, here, monkeypatch):
    assert call("predict", run_folder, "--input", reviews, "--output", "whole.csv", "-q")[0] == 0
    monkeypatch.setattr("tagline.runs.predicting.predict.BATCH_ROWS", 7)
    for name in ("parts.csv", "parts.parquet", "parts.jsonl"):
        assert call("predict", run_folder, "--input", reviews, "--output", name, "-q")[0] == 0
    assert (here / "parts.csv").read_bytes() == (here / "whole.csv").read_bytes()
    whole = pl.read_csv("whole.csv")
    for parts in (pl.read_parquet("parts.parquet"), pl.read_ndjson("parts.jsonl")):
        assert parts["review"].to_list() == whole["review"].to_list()
        assert parts["probability"].round(4).to_list() == pytest.approx(whole["probability"].to_list())


def test_standard_input_and_output(in_shell, run_folder):
    done = in_shell(
        "predict", run_folder, "--input", "-", "--format", "jsonl", "-q", input="a superb film\na dull one\n"
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["text"], row["prediction"]) for row in rows] == [("a superb film", "pos"), ("a dull one", "neg")]


def test_columns_that_share_a_name_are_both_kept(call, run_folder, here):
    (here / "in.csv").write_text('text,prediction\n"a superb, ""moving"" film",mine\n')
    _status, out, _ = call("predict", run_folder, "--input", "in.csv", "-q")
    [row] = csv.DictReader(io.StringIO(out))
    assert row["text"] == 'a superb, "moving" film'
    assert row["prediction"] == "mine"
    assert row["prediction_2"] == "pos"


def test_a_score_equal_to_the_threshold_is_negative(call, run_folder):
    text = "a superb film"
    p = float(TextClassifier.load(run_folder / "model").predict_proba([text])[0, 1])
    below = str(p - 1e-9)

    def answer(*options):
        status, out, _ = call("predict", run_folder, text, "--json", "-q", *options)
        assert status == 0
        return json.loads(out)[0]["prediction"]

    assert answer("--threshold", repr(p)) == "neg"
    assert answer("--threshold", below) == "pos"
    assert answer("--threshold", "0", "--positive", "neg") == "neg"


def test_every_row_comes_back(call, run_folder, here):
    (here / "in.csv").write_text("id,text\n1,superb\n,\n\n3,dull\n,\n", encoding="utf-8")
    out = call("predict", run_folder, "--input", "in.csv")[1].splitlines()
    assert [line.startswith('"","",,,') for line in out] == [False, False, True, False, True]
    (here / "in.csv").write_text("id,text\n", encoding="utf-8")
    assert call("predict", run_folder, "--input", "in.csv")[1] == "id,text,prediction,probability,reason\n"
    (here / "in.csv").write_text("a film with a plot\na superb one\na dull film to me\n", encoding="utf-8")
    assert len(call("predict", run_folder, "--input", "in.csv")[1].splitlines()) == 4


def test_empty_texts_are_reported(call, run_folder, here):
    (here / "in.csv").write_text('text,n\nsuperb,1\n"",2\n"  ",3\n')
    status, out, err = call("predict", run_folder, "--input", "in.csv")
    assert status == 0
    assert len(out.splitlines()) == 4
    assert "warning: 2 texts are empty and have no prediction." in err
    assert out.splitlines()[-1] == "  ,3,,,the text is empty"
    _, out, err = call("predict", run_folder, "superb", " ", "\x1c", "--json")
    assert "warning: 1 text is empty and has no prediction." in err
    first, second, separator = json.loads(out)
    assert second == {"text": " ", "prediction": None, "probability": None, "reason": "the text is empty"}
    assert list(first) == list(separator) == ["text", "prediction", "probability"]
    assert first["prediction"] == "pos"
    assert "the text is empty" in call("predict", run_folder, "superb", " ")[1]
    assert "empty" not in call("predict", run_folder, "superb")[2]


def test_rows_that_cannot_be_read(call, run_folder, here):
    """What there is of their cells is kept: it may say which row of the user's it is."""
    (here / "in.csv").write_bytes(b"text,n\nsuperb,1\ndull,2,b\n,3\nalone\n" + b"fine,4\n" * 97)
    status, out, err = call("predict", run_folder, "--input", "in.csv")
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "text,n,prediction,probability,reason"
    assert lines[2:4] == ['dull,2,,,"2 fields expected, 3 found"', '"",3,,,the text is empty']
    assert lines[4] == 'alone,,,,"2 fields expected, 1 found"'
    assert [line.split(",")[1] for line in lines[5:]] == ["4"] * 97
    assert all(line.split(",")[2] for line in lines[5:])
    assert "2 rows cannot be read and have no prediction; the first is `in.csv` line 3" in err
    assert "1 text is empty and has no prediction" in err
    status, _, err = call("predict", run_folder, "--input", "in.csv", "--strict", "--output", "out.csv", "-q")
    assert status == 2
    assert "line 3" in err
    assert names(here) == ["in.csv"]
    status, _, err = call("predict", run_folder, "--input", "in.csv", "--output", "out.csv")
    assert status == 0
    assert "`out.csv.rejected.csv`" in err
    row, other = csv.DictReader((here / "out.csv.rejected.csv").read_text().splitlines())
    assert (row["file"], row["line"], other["line"]) == ("in.csv", "3", "5")
    assert "2 fields" in row["reason"]
    assert names(here) == ["in.csv", "out.csv", "out.csv.rejected.csv"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_too_many_rows_that_cannot_be_read(kind, call, fails, run_folder, here):
    (here / "in.csv").write_bytes(b"text,n\nsuperb,1\n" + b"fine,4,5\n" * 99)
    assert "99 of 100 rows" in fails("predict", run_folder, "--input", "in.csv", "--output", f"out.{kind}")
    assert names(here) == ["in.csv"]
    status, out, err = call("predict", run_folder, "--input", "in.csv", "--format", "csv", "-q")
    assert status == 2
    assert len(out.splitlines()) == 101
    assert "99 of 100 rows" in err


# Polars reads ahead some row groups for each thread: of small ones, it soon holds all that it ever will.
PEAK = """
import os, sys
os.environ["POLARS_MAX_THREADS"] = "2"
from tagline.cli import main
from tagline.runs.predicting import predict as prediction
from tagline.runs.predicting import tables
from tagline.runs.environment import peak_rss_mb
prediction.BATCH_ROWS = tables._ROW_GROUP = 1_000
print(main(sys.argv[1:]), peak_rss_mb())
"""


@pytest.fixture(scope="module")
def large_files(tmp_path_factory):
    """Two files, of 40 and of 160 MB."""
    folder = tmp_path_factory.mktemp("large")
    # Not one note is like another, or Parquet would hold them in no space at all.
    notes = [random.randbytes(1000).hex() for _ in range(20_000)]
    paths = {n: folder / f"{n}.csv" for n in (20_000, 80_000)}
    for n, path in paths.items():
        with path.open("w") as stream:
            stream.write("review,note\n")
            for part in range(n // len(notes)):
                stream.writelines(f"a superb film,{part}{note[part:]}{note[:part]}\n" for note in notes)
    return paths


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_memory_is_bounded(kind, large_files, run_folder, tmp_path):
    peaks = {}
    for n, data in large_files.items():
        command = ["predict", str(run_folder), "--input", str(data), "--output", str(tmp_path / f"o.{kind}"), "-q"]
        done = subprocess.run([sys.executable, "-c", PEAK, *command], capture_output=True, text=True, check=True)
        status, peak = done.stdout.split()
        assert status == "0"
        peaks[n] = float(peak)
    # The input grows by 120 MB.
    assert peaks[80_000] < peaks[20_000] + 70


def test_copied_model_works_alone(call, run_folder, tmp_path):
    shutil.copytree(run_folder / "model", tmp_path / "elsewhere")
    _status, out, _ = call("predict", tmp_path / "elsewhere", "a superb film", "--json", "-q")
    assert json.loads(out)[0]["prediction"] == "pos"


def test_top_k_of_several_classes(call, topics_run):
    _status, out, _ = call("predict", topics_run, "the goal", "--top-k", "2", "--json", "-q")
    [row] = json.loads(out)
    assert row["top_1"] == "sport"
    assert "top_3" not in row
    assert row["top_1_probability"] > row["top_2_probability"]


def test_a_threshold_for_several_classes_is_rejected(fails, topics_run):
    assert "two classes" in fails("predict", topics_run, "the goal", "--threshold", "0.5")
    assert "two classes" in fails("predict", topics_run, "the goal", "--positive", "sport")


def test_the_text_column_of_the_model_comes_first(call, run_folder, here):
    (here / "in.csv").write_text("text,review\nnothing to see in this column,a superb film\n")
    assert "text is `review`" in call("predict", run_folder, "--input", "in.csv")[2]
    (here / "in.csv").write_text("text,other\na superb film in this column,1\n")
    assert "text is `text`" in call("predict", run_folder, "--input", "in.csv")[2]
