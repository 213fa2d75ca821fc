"""``--weight`` on the command line."""

import json

import polars as pl
import pytest

from tests.cli.cli_data import write_reviews


@pytest.fixture
def weighted(tmp_path):
    path = write_reviews(tmp_path / "reviews.csv")
    pl.read_csv(path).with_columns(trust=pl.col("id") % 3).write_csv(path)
    return path


def test_a_run_has_weights(call, here, weighted):
    status, out, _ = call("train", weighted, "--recipe", "naive-bayes", "--weight", "trust", "--out", "run", "--json")
    assert status == 0
    assert json.loads(out)["test"]["n"] == 24
    record = json.loads((here / "run" / "run.json").read_text())
    assert record["data"]["weight"] == "trust"
    assert record["dataset"]["facts"]["weights"]["most"] == 2.0
    _, _, err = call("train", weighted, "--recipe", "naive-bayes", "--weight", "trust", "--out", "again")
    assert "of weight 0" in err


@pytest.mark.parametrize("command", [("train",), ("sweep", "--grid", "model.C=0.1,1"), ("tune", "--budget", "5s")])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("turst", "has no column `turst`. Did you mean `trust`?"),
        ("review", "column `review` cannot be both text and weight"),
        ("stars", "column `stars` cannot be both label and weight"),
    ],
)
def test_a_column_that_is_not_there_or_taken_is_an_error(fails, here, weighted, command, name, said):
    columns = ("--text", "review", "--label", "stars")
    assert said in fails(command[0], weighted, *command[1:], *columns, "--weight", name, "--out", "run")
    assert not list(here.iterdir())


@pytest.mark.parametrize("cell", ["", "much", "-1", "nan", "inf"])
def test_a_cell_that_is_no_weight_is_an_error_with_its_line(fails, here, weighted, cell):
    lines = weighted.read_text().splitlines()
    lines[7] = lines[7].rpartition(",")[0] + "," + cell
    weighted.write_text("\n".join(lines) + "\n")
    said = fails("train", weighted, "--recipe", "naive-bayes", "--weight", "trust")
    assert f"(line 8 of `{weighted}`). Give each row a number of 0 or more" in said
    assert not list(here.iterdir())


def test_weights_that_are_all_zero_are_an_error(fails, here, weighted):
    pl.read_csv(weighted).with_columns(trust=pl.lit(0)).write_csv(weighted)
    assert "all weights of the train rows in column `trust` are 0" in fails("train", weighted, "--weight", "trust")
    assert not list(here.iterdir())
