"""The test ledger: every reading counted once, whatever happens to the processes that read."""

import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tagline.data import Split, load_dataset
from tagline.errors import InputError
from tagline.report import write_report
from tagline.runs.evaluate import evaluate_model
from tagline.runs.settings import TrainSettings
from tagline.runs.test_ledger import LEDGER, Entry, fingerprint, looks, record_reading, rows_measured
from tagline.runs.train import train_run

ROWS = pl.DataFrame({"text": [f"{w} {i}" for i in range(40) for w in ("good", "bad")], "label": ["pos", "neg"] * 40})
SPLIT = Split(pl.Series(["a", "b", "c"]), pl.Series(["x", "y", "x"]))
ENTRY = Entry("train", "data", "run")
QUICK = TrainSettings(recipe="naive-bayes")


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / LEDGER).read_text(encoding="utf-8").splitlines()]


def test_a_fingerprint_is_of_the_rows_and_not_of_their_order():
    mixed = Split(pl.Series(["c", "a", "b"]), pl.Series(["x", "x", "y"]))
    same, moved = fingerprint(SPLIT), fingerprint(mixed)
    assert same.unordered == moved.unordered
    assert same.ordered != moved.ordered
    for texts, labels in (
        (["a", "b", "C"], ["x", "y", "x"]),
        (["a", "b", "c"], ["x", "x", "y"]),
        (["a", "b"], ["x", "y"]),
        (["a", "b", "c", "c"], ["x", "y", "x", "x"]),
        (["a\x00", "b", "c"], ["x", "y", "x"]),
    ):
        assert fingerprint(Split(pl.Series(texts), pl.Series(labels))).unordered != same.unordered
    listed = Split(pl.Series(["a", "b"]), pl.Series([["y", "x"], ["x"]]))
    turned = Split(pl.Series(["b", "a"]), pl.Series([["x"], ["x", "y"]]))
    assert fingerprint(listed).unordered == fingerprint(turned).unordered


def test_fingerprints_stay_the_same():
    assert fingerprint(SPLIT).to_json() == {
        "fingerprint": "0daf31f397da967109fb9309bdcf8f68",
        "ordered": "8c73c1c49a4bce7b8d606ac192b30295",
        "rows": 3,
    }


def test_readings_are_counted_by_test_set(tmp_path):
    folder = tmp_path / "not" / "yet"
    other = Split(pl.Series(["z"]), pl.Series(["x"]))
    assert [record_reading(folder, ENTRY, split).times for split in (SPLIT, other, SPLIT)] == [1, 1, 2]
    assert looks(folder, fingerprint(SPLIT).unordered) == 2
    assert looks(folder, "0" * 32) == looks(tmp_path, fingerprint(SPLIT).unordered) == 0
    record_reading(folder, Entry("evaluate", "Daten ü", "r", folds=5), SPLIT)
    last = lines(folder)[-1]
    assert last.pop("time").endswith("Z")
    assert last == {
        "test": fingerprint(SPLIT).unordered,
        "rows": 3,
        "dataset": "Daten ü",
        "run": "r",
        "command": "evaluate",
        "folds": 5,
    }


def read_often(folder: Path, times: int) -> None:
    for _ in range(times):
        record_reading(folder, ENTRY, SPLIT)


def test_readings_at_the_same_time_are_all_counted(tmp_path):
    processes = [multiprocessing.get_context("fork").Process(target=read_often, args=(tmp_path, 40)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert looks(tmp_path, fingerprint(SPLIT).unordered) == len(lines(tmp_path)) == 160


@pytest.mark.parametrize("left", ['{"time": "2026-01-01T00:00:00Z", "te', '{"test": ', "\x00\xff", "[]\n", "7"])
def test_a_line_that_a_killed_process_left_harms_no_other(left, tmp_path):
    record_reading(tmp_path, ENTRY, SPLIT)
    with (tmp_path / LEDGER).open("ab") as file:
        file.write(left.encode("latin-1"))
    assert record_reading(tmp_path, ENTRY, SPLIT).times == 2
    assert looks(tmp_path, fingerprint(SPLIT).unordered) == 2


def test_a_line_that_lacks_only_its_end_counts(tmp_path):
    record_reading(tmp_path, ENTRY, SPLIT)
    (tmp_path / LEDGER).write_bytes((tmp_path / LEDGER).read_bytes().rstrip(b"\n"))
    assert record_reading(tmp_path, ENTRY, SPLIT).times == 2
    assert len(lines(tmp_path)) == 2


KILLED = """
import fcntl, os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_APPEND)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.write(descriptor, b'{"half')
print("locked", flush=True)
time.sleep(60)
"""


def test_a_process_killed_while_it_writes_lets_the_others_go_on(tmp_path):
    record_reading(tmp_path, ENTRY, SPLIT)
    command = [sys.executable, "-c", KILLED, str(tmp_path / LEDGER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.kill()
        process.wait()
    assert record_reading(tmp_path, ENTRY, SPLIT).times == 2


def test_a_ledger_that_cannot_be_written_still_tells_what_was_counted(tmp_path):
    record_reading(tmp_path, ENTRY, SPLIT)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / LEDGER).stat().st_size, hard))  # no file may grow beyond
    try:
        found = record_reading(tmp_path, ENTRY, SPLIT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert found.times == 2
    assert len(found.warnings) == len(lines(tmp_path)) == 1


def test_a_ledger_that_cannot_be_written_is_warned_of_and_stops_nothing(tmp_path):
    (tmp_path / LEDGER).mkdir()
    run = train_run(ROWS, QUICK, out=tmp_path / "run")
    [warning] = run.warnings
    assert LEDGER in warning
    assert "not counted" in warning
    assert run.metrics["test_looks"] == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs on the same data, the model of the first measured once more; the reports are as training left them."""
    folder = tmp_path_factory.mktemp("runs")
    train_run(ROWS, QUICK, out=folder / "one")
    train_run(ROWS, TrainSettings(recipe="complement-nb"), out=folder / "two")
    evaluation = evaluate_model(folder / "one" / "model", ROWS)
    (folder / "evaluated.json").write_text(json.dumps(evaluation.metrics))
    return folder


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_training_and_evaluating_count_and_the_difference_that_counts_grows(folder):
    metrics = [load(folder / name) for name in ("one/metrics.json", "two/metrics.json", "evaluated.json")]
    assert [each["test_looks"] for each in metrics] == [1, 2, 3]
    assert [(line["run"], line["command"]) for line in lines(folder)] == [
        ("one", "train"),
        ("two", "train"),
        ("one", "evaluate"),
    ]
    about = [load(folder / name / "run.json")["test"] for name in ("one", "two")]
    assert about[0] == about[1]
    assert about[0]["fingerprint"] == lines(folder)[0]["test"]
    assert [each["smallest_difference"]["comparisons"] for each in metrics] == [1, 2, 3]
    # Eight rows, none wrong: five of them to one side are p = 1/32, six 1/64.
    assert [each["smallest_difference"]["points"] for each in metrics] == [62.5, 75.0, 75.0]


def test_the_report_tells_what_the_run_recorded(folder):
    before = (folder / "one" / "report.html").read_text(encoding="utf-8")
    assert "This test set has been used once. Differences in accuracy below 62.5 points may be chance." in before
    assert write_report(folder / "one").read_text(encoding="utf-8") == before  # whatever was read since
    assert "test set has been used twice" in (folder / "two" / "report.html").read_text(encoding="utf-8")


def test_a_bundle_by_itself_has_no_ledger(folder, tmp_path):
    alone = shutil.copytree(folder / "one" / "model", tmp_path / "alone")
    assert "test_looks" not in evaluate_model(alone, ROWS).metrics
    assert [path.name for path in tmp_path.iterdir()] == ["alone"]


def test_the_ledger_does_not_change_the_bundle(folder, tmp_path):
    again = train_run(ROWS, QUICK, out=tmp_path / "again").model
    for path in (folder / "one" / "model").iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_folds_are_one_reading_of_all_rows(tmp_path):
    folded = train_run(ROWS, TrainSettings(recipe="naive-bayes", folds=2), out=tmp_path / "one")
    [line] = lines(tmp_path)
    assert (line["rows"], line["folds"]) == (80, 2)
    assert folded.metrics["test_looks"] == 1
    otherwise = rows_measured(load_dataset(ROWS, folds=5, seed=7))
    assert looks(tmp_path, fingerprint(otherwise).unordered) == 1  # the same rows, whatever the folds


def test_a_run_that_fails_before_it_reads_is_not_counted(tmp_path):
    test = pl.DataFrame({"text": ["good 99"], "label": ["other"]})
    with pytest.raises(InputError, match="No label of the test rows"):
        train_run(ROWS, TrainSettings(recipe="naive-bayes", test=test), out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
