"""Every recipe of a network: from a file to a run, predictions and explanations; the figures of the tutorials."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier, explain_text, load_recipe
from tagline.data.builtin.download import data_folders
from tagline.recipes import recipe_names
from tagline.runs.evaluate import evaluate_model
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.synthetic_texts import made_up, several

NETWORKS = [name for name in recipe_names() if load_recipe(name).training is not None]
TASKS = ("binary", "multiclass", "multilabel")
# Each recipe with one task in turn, and one recipe with all: recipes and tasks meet in the last layer only.
PAIRS = sorted(
    {(recipe, TASKS[number % 3]) for number, recipe in enumerate(NETWORKS)}
    | {("embedding-average", task) for task in TASKS}
)


def file_of(folder: Path, task: str) -> Path:
    texts, labels = several(120) if task == "multilabel" else made_up(120, 2 if task == "binary" else 3)
    path = folder / "rows.parquet"
    pl.DataFrame({"text": texts, "label": labels}).write_parquet(path)
    return path


def small(recipe: str) -> tuple[str, ...]:
    sequence = load_recipe(recipe).features.kind == "sequence"
    return ("training.epochs=2", "training.batch_size=32", *(["features.maxlen=20"] if sequence else []))


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "task"), PAIRS)
def test_a_file_to_a_run_predictions_and_explanations(tmp_path: Path, recipe: str, task: str) -> None:
    run = train_run(file_of(tmp_path, task), TrainSettings(recipe=recipe, settings=small(recipe)), out=tmp_path / "run")
    assert run.metrics["task"] == task
    assert run.metrics["validation"]["accuracy"] >= 0
    about = json.loads((run.folder / "run.json").read_text())
    assert about["network"]["parameters"] == sum(layer["parameters"] for layer in about["network"]["layers"])
    history = pl.read_csv(run.folder / "history.csv")
    assert {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= set(history.columns)
    assert history["epoch"].to_list() == [1, 2]
    page = (run.folder / "report.html").read_text()
    assert "<h2>Training</h2>" in page
    assert "<h2>First rows</h2>" in page
    evaluated = evaluate_model(run.model, tmp_path / "rows.parquet")
    assert evaluated.metrics["test"]["n"] > 0
    clf = TextClassifier.load(run.model)
    proba = clf.predict_proba(["good film", "", "我喜欢 👍🏽"])
    assert np.isfinite(proba).all()
    if task != "multilabel":
        np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-9)
    explanation = explain_text(clf, "a good film, and a bore")
    added = explanation.intercept + sum(part.value for part in explanation.contributions)
    assert added == pytest.approx(
        explanation.score, abs=0.01 * max(0.1, abs(explanation.score - explanation.intercept))
    )


# The rows of the tutorials that take seconds; `benchmarks/tutorials.py` has them all.
ROWS = {
    "multihot-dense": ("imdb", 0.873, 0.889),
    "embedding-average": ("imdb", 0.865, 0.885),
    "embedding-average-slow": ("imdb", 0.70, 0.77),
    "newswire-dense": ("reuters", 0.77, 0.815),  # 78 to 80.5 % on average; single seeds differ by up to 1.5 points
}


@pytest.mark.original_data
@pytest.mark.parametrize("recipe", ROWS)
def test_the_figures_of_the_tutorials(tmp_path: Path, recipe: str) -> None:
    assert data_folders()
    data, least, most = ROWS[recipe]
    run = train_run(data, TrainSettings(recipe=recipe), out=tmp_path / "run")
    assert least <= run.metrics["test"]["accuracy"] <= most
    assert run.training is not None
    if recipe == "multihot-dense":
        assert 3 <= run.training.best_epoch <= 6
        assert any("overfits" in finding for finding in run.training.findings)
    if recipe == "embedding-average-slow":
        assert any("underfits" in finding for finding in run.training.findings)
        assert "underfits" in (run.folder / "report.html").read_text()
