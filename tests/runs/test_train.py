"""Training runs from Python."""

import json

import polars as pl
import pytest

from tagline.errors import InputError
from tagline.runs.listing import list_runs
from tagline.runs.settings import TrainSettings
from tagline.runs.test_ledger import LEDGER
from tagline.runs.train import train_run

ROWS = pl.DataFrame({"text": [f"{w} {i}" for i in range(40) for w in ("good", "bad")], "label": ["pos", "neg"] * 40})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("drawn_plots")
def test_data_too_small_to_measure_is_refused_before_training(tmp_path):
    stages = []
    rows = [("good", "pos"), ("bad", "neg")]
    with pytest.raises(InputError, match="too few rows"):
        train_run(rows, out=tmp_path / "run", log=stages.append)
    assert stages == ["reading the data"]
    with pytest.raises(InputError, match="too few"):
        train_run([("same", "pos"), ("same", "neg")] * 20, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    assert names(tmp_path) == []
    assert train_run(rows, TrainSettings(test=rows), out=tmp_path / "run").metrics["test"]["n"] == 2


def test_training_from_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stages = []
    run = train_run(ROWS, TrainSettings(recipe="naive-bayes"), log=stages.append)
    assert run.folder.parent.name == "runs"
    assert run.model.is_dir()
    assert run.metrics == json.loads((run.folder / "metrics.json").read_text())
    assert run.metrics["test"]["accuracy"] == 1
    assert run.metrics["seconds"]["total"] < 60
    assert stages[0] == "reading the data"
    assert f'"run": "{run.folder.name}"' in (tmp_path / "runs" / LEDGER).read_text()
    [summary], damaged = list_runs()
    assert summary.n_rows == 80
    assert damaged == []
    again = train_run(ROWS, TrainSettings(recipe="naive-bayes"))
    assert again.folder != run.folder


@pytest.mark.usefixtures("drawn_plots")
def test_a_class_that_only_some_folds_have(tmp_path):
    rows = pl.concat([ROWS, pl.DataFrame({"text": ["odd one"], "label": ["odd"]})])
    run = train_run(rows, TrainSettings(recipe="naive-bayes", folds=3), out=tmp_path / "run")
    assert run.metrics["classes"] == ["neg", "odd", "pos"]
    assert run.metrics["test"]["n"] == 81
    assert run.metrics["test"]["per_class"]["odd"]["recall"] == 0
    assert len(json.loads((tmp_path / "run" / "mistakes.json").read_text())) == 1


def test_numbers_as_classes_keep_their_order(tmp_path):
    rows = pl.DataFrame({"text": [f"w{i % 12} x{i}" for i in range(240)], "label": [i % 12 for i in range(240)]})
    run = train_run(rows, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    assert run.metrics["classes"] == [str(i) for i in range(12)]
    assert run.metrics["test"]["accuracy"] == 1
    predictions = pl.read_parquet(tmp_path / "run" / "predictions.parquet")
    assert (predictions["proba:10"] > 0.5).to_list() == (predictions["label"] == "10").to_list()


def test_data_without_test_rows_is_measured_on_held_out_ones(tmp_path):
    # Copies stay together: a handful of distinct texts cannot be split.
    rows = pl.DataFrame({"text": ["good", "bad", "fine", "poor"] * 25, "label": ["pos", "neg"] * 50})
    run = train_run(rows, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    assert run.metrics["test"] is None
    assert run.metrics["rows"] == {"train": 100, "validation": 0, "test": 0}
    assert not (tmp_path / "run" / "predictions.parquet").exists()
    assert (tmp_path / "run" / "report.html").exists()
