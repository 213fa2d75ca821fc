"""Findings of a run: what an accuracy hides."""

from pathlib import Path

from tagline.runs.findings import never_predicted
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run


def figures(tp: int, fp: int, support: int) -> dict[str, int]:
    return {"tp": tp, "fp": fp, "support": support}


def test_classes_without_a_prediction_are_named() -> None:
    block = {
        "per_class": {"a": figures(9, 3, 9), "b": figures(0, 0, 3), "c": figures(0, 0, 0), "d": figures(0, 1, 2)},
    }
    said = "`b` is never predicted, though 3 rows have this label."
    assert never_predicted(block, ["a", "b", "c", "d"], balanced=True) == [said]
    [advised] = never_predicted(block, ["a", "b", "c", "d"], balanced=False)
    assert advised.startswith(f"{said} `--balance`")
    block["per_class"]["b"] = figures(1, 0, 3)
    assert never_predicted(block, ["a", "b", "c", "d"], balanced=False) == []


def test_a_rare_class_that_is_never_predicted_is_a_warning(tmp_path: Path) -> None:
    rows = [(f"an ordinary text of kind {i} with w{i % 7}", "ok") for i in range(380)]
    rows += [(f"an ordinary text of kind {i} with w{i % 7}", "fraud") for i in range(380, 400)]
    run = train_run(rows, TrainSettings("naive-bayes"), out=tmp_path / "run")
    assert run.metrics["test"]["accuracy"] == 0.95
    assert run.warnings == (
        "`fraud` is never predicted, though 2 rows have this label. `--balance` gives every class the same weight in "
        "training.",
    )
