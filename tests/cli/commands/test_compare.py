"""``compare``."""

import json

import polars as pl
import pytest

from tagline.cli import main
from tests.cli.cli_data import names, write_reviews


@pytest.fixture(scope="session")
def other_run(run_folder):
    """Another run on the same reviews."""
    command = ["train", str(run_folder.parent / "reviews.csv"), "--recipe", "naive-bayes"]
    assert main([*command, "--out", str(run_folder.parent / "other"), "--quiet", "--json"]) == 0
    return run_folder.parent / "other"


def test_a_table_a_sentence_and_a_page(call, run_folder, other_run):
    status, out, err = call("compare", run_folder, other_run)
    assert status == 0
    lines = out.splitlines()
    columns = ("run", "accuracy", "95 % interval", "macro F1", "ms/text", "MB")
    assert all(column in lines[0] for column in columns)
    assert [line.split()[:2] for line in lines[2:4]] == [["A", "run"], ["B", "other"]]
    assert any(line.startswith(("No difference that these 24 rows", "`run` ", "`other` ")) for line in lines)
    page = run_folder.parent / "compare-run-other.html"
    assert lines[-1] == f"Report: {page}"
    assert "Disagreements" in page.read_text(encoding="utf-8")
    assert "timing the models" in err
    page.unlink()


def test_json_is_one_document(call, run_folder, other_run, here):
    status, out, err = call("compare", run_folder, other_run, "--out", "page.html", "--json", "--quiet")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert [run["name"] for run in document["runs"]] == ["run", "other"]
    assert document["conclusion"]
    assert names(here) == ["page.html"]


def test_what_cannot_be_compared_is_one_line(fails, run_folder, other_run, topics_run, here):
    assert "two runs or more" in fails("compare", run_folder)
    assert "`RUN RUN…`" in fails("compare")
    assert "twice" in fails("compare", run_folder, run_folder)
    assert "`none` does not exist" in fails("compare", run_folder, "none")
    assert "task" in fails("compare", run_folder, topics_run)
    assert "is a folder" in fails("compare", run_folder, other_run, "--out", here)
    assert "does not exist" in fails("compare", run_folder, other_run, "--out", "no/page.html")
    assert names(here) == []


def test_runs_on_two_text_columns_are_compared_on_their_common_test_rows(call, here):
    rows = pl.read_csv(write_reviews(here / "reviews.csv", n=400))
    title = pl.col("review").str.split(" ").list.tail(5).list.join(" ")
    # An empty title and a copy make two units fewer, and so another random split.
    title = pl.when(pl.col("id") == 5).then(None).when(pl.col("id") == 100).then(title.shift(2)).otherwise(title)
    rows.with_columns(title=title).write_csv("reviews.csv")
    for column in ("review", "title"):
        command = ("train", "reviews.csv", "--text", column, "--label", "stars", "--recipe", "naive-bayes")
        assert call(*command, "--out", column, "--quiet")[0] == 0
    tested = [pl.read_parquet(here / name / "predictions.parquet") for name in ("review", "title")]
    both = tested[0].join(tested[1], on=["file", "line"])
    n = both.height
    assert 5 <= n < 20
    status, out, err = call("compare", "review", "title", "--json", "--quiet")
    document = json.loads(out)
    assert (status, err, document["rows"]) == (0, "", n)
    assert document["rows_left_out"] == [each.height - n for each in tested]
    for run, suffix in zip(document["runs"], ("", "_right"), strict=True):
        assert run["accuracy"] == (both["label"] == both[f"prediction{suffix}"]).mean()
    assert "--folds" in document["conclusion"][1]
    sentence = f"of the {n} test rows that the runs have in common"
    assert sentence in (here / "compare-review-title.html").read_text(encoding="utf-8")
