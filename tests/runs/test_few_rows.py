"""Small data is cross-validated by default."""

import json
from pathlib import Path

import polars as pl
import pytest

from tagline.cli import main
from tagline.data import ReadOptions, read_dataset
from tagline.run_folder import RunFolder
from tagline.runs.reading.data import reload_data
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run

WORDS = {"neg": "bad", "pos": "good", "meh": "so so"}


def rows_of(**n_of_class: int) -> pl.DataFrame:
    rows = [(f"{WORDS[label]} film {i}", label) for label, n in n_of_class.items() for i in range(n)]
    return pl.DataFrame(rows, ["text", "label"], orient="row")


def n_folds(rows: pl.DataFrame, **options: object) -> int | None:
    dataset = read_dataset(rows, ReadOptions(**options), 0, fold_few=True)  # type: ignore[arg-type]
    assert (dataset.test is None) == (dataset.n_folds is not None)
    assert any("--folds 0" in warning for warning in dataset.facts.warnings) == (
        dataset.n_folds is not None and options.get("folds") is None
    )
    return dataset.n_folds


@pytest.mark.usefixtures("few_rows")
def test_few_rows_without_a_test_split_are_folded(few_rows: int) -> None:
    half = few_rows // 2
    assert n_folds(rows_of(neg=half, pos=half - 1)) == 5
    assert n_folds(rows_of(neg=half, pos=half)) is None
    assert n_folds(rows_of(neg=40, pos=40), folds=3) == 3
    assert n_folds(rows_of(neg=40, pos=40), test=rows_of(neg=4, pos=4)) is None
    split = pl.Series("split", ["train", "train", "test"] * 20)
    assert n_folds(rows_of(neg=30, pos=30).with_columns(split)) is None
    assert n_folds(rows_of(neg=40, pos=40, meh=2)) == 5
    # A single odd label hardly changes the figures of the folds, and a tenth of the rows says less than all of them.
    assert n_folds(rows_of(neg=40, pos=40, meh=1)) == 5
    # Its fold would have nothing but one class to learn from.
    assert n_folds(rows_of(neg=40, pos=1)) is None
    # Of a class with one distinct text, its fold would have nothing to learn from, and its copies weigh.
    copies = pl.concat([rows_of(neg=40, pos=40), *[rows_of(meh=1)] * 30])
    assert n_folds(copies) is None
    assert n_folds(rows_of(neg=2, pos=2)) == 4


@pytest.mark.usefixtures("few_rows")
def test_the_run_says_so_and_reads_its_data_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows_of(neg=30, pos=30).write_csv(tmp_path / "data.csv")
    command = ["train", str(tmp_path / "data.csv"), "--recipe", "naive-bayes", "--out", str(tmp_path / "run")]
    assert main(command) == 0
    out, err = capfd.readouterr()
    assert "5-fold cross-validation, 60 rows" in out
    assert err.count("--folds 0") == 1
    run = RunFolder(tmp_path / "run")
    assert (run.metrics["folds"], run.data.folds, run.record["data"]["folds"]) == (5, 5, 5)
    dataset = reload_data(run)
    assert dataset is not None
    assert dataset.n_folds == 5
    rows = pl.read_parquet(tmp_path / "run" / "predictions.parquet")
    assert rows["line"].to_list() == list(range(2, 62))
    held = train_run(rows_of(neg=30, pos=30), TrainSettings(recipe="naive-bayes", folds=0), out=tmp_path / "held")
    assert held.metrics["rows"]["test"] == 6
    assert "folds" not in held.metrics
    assert json.loads((tmp_path / "held" / "run.json").read_text())["data"]["folds"] is None
