"""Input errors of `tagline tune` before the first trial, and what it prints of few rows."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tagline.cli.commands.tune import _of_few_rows
from tagline.data.splits import folds


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--budget", "soon"], "`--budget soon` is invalid: use a number and a unit (`s`, `m`, `min`, `h`)"),
        (["--budget", "0s"], "`--budget 0s` is invalid"),
        (["--budget", "2"], "`--budget 2` is too short"),
        (["--max-size", "5 apples"], "such as `5MB`"),
        (["--max-latency", "fast"], "such as `2ms`"),
        (["--metric", "macrof1"], "`--metric macrof1` is not known. Did you mean `macro_f1`?"),
        (["--label", "no"], "no"),
        (["--resume", "nothing"], "`--budget` cannot be given with `--resume`"),
    ],
)
def test_invalid_arguments(fails, here, reviews, arguments, said):
    given = arguments if "--budget" in arguments else ["--budget", "10s", *arguments]
    assert said in fails("tune", *([] if "--resume" in arguments else [reviews]), *given)
    assert not list(here.iterdir())


def test_nothing_to_resume(fails, here, run_folder):
    assert "is not an unfinished search" in fails("tune", "--resume", "nothing")
    assert "is finished" in fails("tune", "--resume", run_folder)


def test_too_few_rows(fails, here):
    (here / "few.csv").write_text("text,label\n" + "".join(f"text {k},{'ab'[k % 2]}\n" for k in range(10)))
    assert "too few distinct rows" in fails("tune", "few.csv", "--budget", "10s")
    assert [path.name for path in here.iterdir()] == ["few.csv"]


def test_test_rows_of_another_kind_are_refused_before_the_search(fails, here, reviews):
    (here / "other.csv").write_text("text,label\na film,spam\na book,ham\n")
    said = fails("tune", reviews, "--test", "other.csv", "--budget", "10m")
    assert "No label of the test rows occurs in the train rows" in said
    assert [path.name for path in here.iterdir()] == ["other.csv"]


@pytest.mark.parametrize(("n_train", "official", "said"), [(80, False, True), (80, True, False), (300, False, False)])
def test_few_rows_are_held_out_by_a_search_but_not_in_training(monkeypatch, n_train, official, said):
    monkeypatch.setattr(folds, "FEW_ROWS", 300)
    metrics = {"rows": {"train": n_train, "validation": 10, "test": 10}, "test": {"n": 10}}
    dataset = SimpleNamespace(facts=SimpleNamespace(official=official))
    lines = _of_few_rows(SimpleNamespace(metrics=metrics, dataset=dataset, folder=Path("best")))
    recipe = Path("best", "recipe.toml")
    assert bool(lines) == said == any(f"`--recipe {recipe} --folds 0`" in line for line in lines)
