"""Findings of a run: what an accuracy hides."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.cli.commands.train import show_run
from tagline.cli.terminal import Session
from tagline.data import load_dataset
from tagline.key_findings import KeyFinding, Kind, most_serious_first, shown_first
from tagline.metrics import measure
from tagline.recipes.load import load_recipe
from tagline.runs.findings import (
    few_test_rows,
    hardly_found,
    never_predicted,
    no_better_than_guessing,
    one_class,
    positive_is_frequent,
    small_test,
    splits_disagree,
)
from tagline.runs.reading.data import read_for_run
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tagline.runs.writing.run import findings_of_run


def figures(tp: int, fp: int, support: int) -> dict[str, int]:
    return {"tp": tp, "fp": fp, "support": support}


def test_classes_without_a_prediction_are_named() -> None:
    block = {
        "per_class": {"a": figures(50, 3, 90), "b": figures(0, 0, 3), "c": figures(0, 0, 0), "d": figures(0, 1, 2)},
    }
    said = "`b` is never predicted, though 3 rows have this label."
    assert never_predicted(block, ["a", "b", "c", "d"], balanced=True) == [said]
    [advised] = never_predicted(block, ["a", "b", "c", "d"], balanced=False)
    assert advised.startswith(f"{said} `--balance`")
    of_one_size = {"per_class": {name: figures(0 if name == "b" else 3, 0, 3) for name in "abcd"}}
    assert never_predicted(of_one_size, ["a", "b", "c", "d"], balanced=False) == [said]
    block["per_class"]["b"] = figures(1, 0, 3)
    assert never_predicted(block, ["a", "b", "c", "d"], balanced=False) == []


def test_classes_that_are_hardly_ever_found_are_named() -> None:
    block = {
        "per_class": {"a": figures(50, 3, 90), "b": figures(0, 0, 3), "c": figures(0, 1, 14), "d": figures(1, 1, 9)}
    }
    said = "`c` is hardly ever found: of 14 rows with this label, 0 are predicted correctly."
    assert hardly_found(block, ["a", "b", "c", "d"], balanced=True) == [said]
    [advised] = hardly_found(block, ["a", "b", "c", "d"], balanced=False)
    assert advised == f"{said} `--balance` gives every class the same weight in training."
    assert hardly_found(block, ["a", "b", "d"], balanced=False) == []
    for positive, change in (("c", "lower"), ("a", "higher")):
        [of_two] = hardly_found(block | {"positive": positive}, ["a", "c"], balanced=True)
        assert of_two == f"{said} A {change} `--threshold` predicts `c` more often."


def test_what_few_rows_of_a_class_or_a_frequent_positive_class_hide_is_named() -> None:
    truth, predicted = np.array([0] * 198 + [1] * 2), np.array([0] * 198 + [1] * 2)
    test = measure(truth, predicted, None, ["ok", "rare"], task="binary", positive="ok", n_bootstrap=100)
    validation = measure(truth, 0 * truth, None, ["ok", "rare"], task="binary", positive="ok", n_bootstrap=100)
    assert few_test_rows(test, ["ok", "rare"], folds=5) == [
        "`rare` was measured on 2 rows only: its figures say little. `--folds 5` measures on all rows."
    ]
    assert few_test_rows(test, ["ok"], folds=5) == few_test_rows({"per_class": {}}, ["ok"], folds=None) == []
    per_class = {"a": figures(1, 0, 4), "b": figures(0, 0, 1), "c": figures(0, 0, 0), "d": figures(5, 0, 5)}
    assert few_test_rows({"per_class": per_class}, list(per_class), folds=None) == [
        "`b`, `a` were measured on fewer than 5 rows each: their figures say little.",
        "`c` has no row here: how well it would be found was not measured.",
    ]
    assert splits_disagree(validation, test, folds=3) == [
        "Validation and test disagree: macro F1 is 0.497 on the validation rows and 1.000 on the test rows. "
        "`--folds 3` measures on all rows."
    ]
    assert splits_disagree(test, test, folds=3) == splits_disagree(None, test, folds=3) == []
    assert positive_is_frequent(test) == [
        "Precision, recall and F1 are those of the frequent label, `ok`, which 99.0 % of the rows have: "
        "`--positive rare` gives those of the rare one."
    ]
    other = measure(truth, predicted, None, ["ok", "rare"], task="binary", positive="rare", n_bootstrap=100)
    assert positive_is_frequent(other) == []


def test_an_accuracy_of_one_class_is_named() -> None:
    truth = np.array([0, 1] * 2 + [0] * 6)
    block = measure(truth, np.zeros(10, int), None, ["ok", "fraud"], task="binary", n_bootstrap=100)
    [said] = one_class(block)
    assert said.startswith("Every row is predicted as `ok`: the accuracy of 80.0 % is the share of this class")
    assert block["mcc"] == 0
    assert one_class(measure(truth, truth, None, ["ok", "fraud"], task="binary", n_bootstrap=100)) == []
    none = np.zeros((10, 2), bool)
    assert one_class(measure(none, none, None, ["ok", "fraud"], task="multilabel", n_bootstrap=100)) == []


def test_an_accuracy_that_is_not_above_that_of_guessing_is_named() -> None:
    def said(n: int, n_right: int) -> list[str]:
        """Half of the rows are of class a; those behind the first ``n_right`` are predicted wrongly."""
        truth = np.arange(n) % 2 * (1 + np.arange(n) // 2 % 2)
        predicted = np.where(np.arange(n) < n_right, truth, (truth + 1) % 3)
        return no_better_than_guessing(
            measure(truth, predicted, None, ["a", "b", "c"], task="multiclass", n_bootstrap=100)
        )

    assert said(400, 200) == [
        "The model is no better than guessing: its accuracy is 50.0 %, and always predicting the most frequent label, "
        "`a`, is right in 50.0 % of the rows."
    ]
    [maybe] = said(400, 210)
    assert maybe.startswith(
        "The model may be no better than guessing: the 95 % interval of its accuracy of 52.5 % is 4"
    )
    assert maybe.endswith("and always predicting the most frequent label, `a`, is right in 50.0 % of the rows.")
    assert said(400, 260) == []
    all_ok = np.zeros(10, int)
    for truth in (all_ok, np.array([0, 1] * 5)):  # which `one_class` says
        block = measure(truth, all_ok, None, ["ok", "fraud"], task="binary", n_bootstrap=100)
        assert no_better_than_guessing(block) == []
        assert len(one_class(block)) == 1
    assert next(iter(Kind)) is Kind.NO_BETTER_THAN_GUESSING


def test_a_test_set_too_small_to_say_anything_is_named() -> None:
    def said(n: int, *, folds: int | None = None) -> list[str]:
        truth = np.arange(n) % 2
        predicted = np.where(np.arange(n) % 3, truth, 1 - truth)
        block = measure(truth, predicted, None, ["a", "b"], task="binary", n_bootstrap=100)
        return small_test(block, folds=folds)

    assert said(3000) == []
    [one] = said(30)
    assert one.startswith("The accuracy was measured on 30 rows only: its 95 % interval is 48.6")
    [other] = said(30, folds=5)
    assert other == f"{one} `--folds 5` measures on all rows."
    few = {"n": 40, "positive": "a", "accuracy_ci95": [0.925, 1.0]}
    assert small_test(few, folds=None) == [
        "The accuracy was measured on 40 rows only: its 95 % interval is 92.5 to 100.0."
    ]
    assert small_test(few | {"n": 100}, folds=None) == []
    assert small_test(few | {"n": 200, "n_units": 99, "unit": "text"}, folds=None)
    block = {"n": 40, "n_units": 8, "unit": "text", "accuracy_ci95": [0.0, 1.0], "positive": "a"}
    assert small_test(block, folds=None) == [
        "The accuracy was measured on 40 rows with 8 distinct texts only: that is too few for an interval."
    ]


def test_the_most_serious_come_first_and_hardly_any_row_last() -> None:
    found = [
        KeyFinding(Kind.TINY_CLASSES, "tiny"),
        KeyFinding(Kind.COPIES_ACROSS_SPLITS, "three of a thousand", 0.003),
        KeyFinding(Kind.MERGED_LABELS, "merged"),
        KeyFinding(Kind.NEVER_PREDICTED, "never"),
        KeyFinding(Kind.CONFLICTING_LABELS, "conflicting", 0.2),
    ]
    ranked = most_serious_first(found)
    assert [one.sentence for one in ranked] == ["never", "conflicting", "merged", "tiny", "three of a thousand"]
    metrics = {"findings": [one.to_json() for one in most_serious_first(2 * found)]}
    assert len(shown_first(metrics)) == 5
    assert metrics["findings"][0] == {"kind": "never_predicted", "sentence": "never"}
    assert shown_first({}) == []  # of an earlier version


@pytest.mark.usefixtures("drawn_plots")
def test_what_is_shown_first_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"an ordinary text of kind {i} with w{i % 7}", "ok") for i in range(980)]  # 100 test rows are not few
    rows += [(f"an ordinary text of kind {i} with w{i % 7}", "Fraud" if i % 3 else "fraud") for i in range(980, 1030)]
    rows += [("Donâ€™t", " ok"), ("", "ok"), ("an ordinary text of kind 1 with w1", "fraud"), ("Itâ€™s", "ok")]
    run = train_run(rows, TrainSettings("naive-bayes", positive="ok"), out=tmp_path / "run")
    kinds = [finding["kind"] for finding in run.metrics["findings"]]
    assert kinds == [
        "one_class",
        "never_predicted",
        "merged_labels",
        "encoding",
        "conflicting_labels",
        "rows_left_out",
    ]
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    show_run(Session([]), run, as_json=False)
    out, err = capsys.readouterr()
    first = out.split("Look at this first:\n")[1].split("\n\n")[0].splitlines()
    assert [line.removeprefix("  • ") for line in first] == shown_first(run.metrics)
    assert "such as `â€™` (first: row 1,030)" in out
    assert "1 row was left out: empty text" in err  # the sixth
    assert "Spaces around the label were trimmed in 1 row." in err  # not a key finding
    assert not [line for line in first if line.removeprefix("  • ") in err]
    top, rest = page.split("</header>")
    assert page.count("keeps them apart") == top.count("keeps them apart") == 1
    assert (
        "1 text has conflicting labels (row 1 is <code>ok</code>, row 1,032 is <code>Fraud</code>): correct" in top,
        '<p class="warning">1 text has' in rest,
    ) == (True, False)
    assert '<p class="warning">1 row was left out: empty text' in rest
    capsys.readouterr()
    show_run(Session([]), replace(run, warnings=()), as_json=True)
    assert "Spellings of one label were merged" in capsys.readouterr().err  # for who reads JSON by machine


def test_only_runs_name_the_file_that_lists_all_copies() -> None:
    rows = [(f"text {i % 38}", f"c{i % 2 if i < 38 else 2}") for i in range(40)]
    settings = TrainSettings("naive-bayes", folds=2)
    facts = read_for_run(rows, load_recipe("naive-bayes"), settings, lambda _: None).dataset.facts
    (sentence,) = [one for one in load_dataset(rows, folds=2).facts.warnings if "conflicting" in one]
    assert "copies.csv" not in sentence
    assert f"{sentence} All are in `copies.csv` of the run." in facts.warnings
    assert f"{sentence} All are in `copies.csv` of the run." in [one.sentence for one in facts.key_findings]


def test_a_rare_class_that_is_never_predicted_is_a_warning(tmp_path: Path) -> None:
    rows = [(f"an ordinary text of kind {i} with w{i % 7}", "ok") for i in range(380)]
    rows += [(f"an ordinary text of kind {i} with w{i % 7}", "fraud") for i in range(380, 400)]
    run = train_run(rows, TrainSettings("naive-bayes"), out=tmp_path / "run")
    assert run.metrics["test"]["accuracy"] == 0.95
    assert run.warnings == (
        "`fraud` is never predicted, though 2 rows have this label. `--balance` gives every class the same weight in "
        "training. A higher `--threshold` predicts `fraud` more often.",
    )
    kinds = [finding["kind"] for finding in run.metrics["findings"]]
    assert kinds == ["one_class", "never_predicted", "small_test", "few_test_rows", "positive_is_frequent"]
    inputs = read_for_run(rows, load_recipe("naive-bayes"), TrainSettings(), lambda _: None)
    for searched in (False, True):
        sentences = " ".join(one.sentence for one in findings_of_run(run.metrics, inputs, searched=searched))
        assert [option in sentences for option in ("`--balance`", "`--folds 5`")] == 2 * [not searched]


def test_a_class_without_train_rows_is_not_said_to_be_too_light(tmp_path: Path) -> None:
    splits = ["train"] * 60 + ["test"] * 30
    frame = pl.DataFrame(
        {
            "text": [f"text of kind {i} with w{i % 2}" for i in range(90)],
            "label": [("a", "b")[i % 2] if i < 80 else "new" for i in range(90)],
            "split": splits,
        }
    )
    run = train_run(frame, TrainSettings("naive-bayes"), out=tmp_path / "run")
    assert "never_predicted" not in [finding["kind"] for finding in run.metrics["findings"]]
    assert run.warnings == ()
