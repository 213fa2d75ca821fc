"""Runs with weights of rows: what the weights change, and what they leave alone."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tagline import InputError, TextClassifier, load_dataset
from tagline.run_folder import RunFolder
from tagline.runs.compare import compare_runs
from tagline.runs.evaluate import evaluate_model
from tagline.runs.reading.data import reload_data, seen_rows
from tagline.runs.resume import read_unfinished
from tagline.runs.settings import TrainSettings
from tagline.runs.train import resume_run, train_run
from tests.synthetic_texts import made_up

NETWORK = (
    "features.num_words=200",
    "features.maxlen=12",
    "model.embedding=4",
    "training.batch_size=32",
    "training.epochs=2",
)


def table(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """Every fourth row has the wrong label, and weight 0."""
    texts, labels = made_up(n, noise=0.05, seed=seed)
    rows = pl.DataFrame({"text": texts, "label": labels}).with_row_index("k")
    wrong = pl.when(pl.col("k") % 4 == 0)
    swapped = pl.when(pl.col("label") == "c0").then(pl.lit("c1")).otherwise(pl.lit("c0"))
    weight = wrong.then(0.0).when(pl.col("k") % 4 == 1).then(2.5).otherwise(1.0)
    return rows.select("text", label=wrong.then(swapped).otherwise("label"), w=weight)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weighted") / "rows.csv"
    table().write_csv(path)
    return path


def train(data: Any, out: Path, **settings: Any) -> RunFolder:
    return RunFolder(train_run(data, TrainSettings(**{"recipe": "naive-bayes"} | settings), out=out).folder)


@pytest.fixture(scope="module")
def weighted(data: Path) -> RunFolder:
    return train(data, data.parent / "weighted", weight="w")


@pytest.fixture(scope="module")
def plain(data: Path) -> RunFolder:
    return train(data, data.parent / "plain")


@pytest.mark.parametrize("balance", [False, True])
@pytest.mark.parametrize(("recipe", "changes"), [("naive-bayes", ()), ("fast", ()), ("embedding-average", NETWORK)])
def test_a_run_is_the_fit_with_its_weights(
    data: Path, tmp_path: Path, recipe: str, changes: tuple[str, ...], balance: bool
) -> None:
    run = train(data, tmp_path / "run", recipe=recipe, settings=changes, weight="w", balance=balance)
    rows = load_dataset(data, weight="w")
    assert rows.validation is not None
    assert rows.test is not None
    assert rows.train.weights is not None
    clf = TextClassifier(recipe, settings=list(changes), class_weight="balanced" if balance else None)
    clf.fit(
        rows.train.texts,
        rows.train.labels,
        np.append(rows.train.weights, rows.validation.weights),
        validation=(rows.validation.texts, rows.validation.labels),
    )
    stored = TextClassifier.load(run.path / "model").predict_proba(rows.test.texts)
    np.testing.assert_allclose(stored, clf.predict_proba(rows.test.texts), atol=1e-6)
    unweighted = TextClassifier(recipe, settings=list(changes), class_weight="balanced" if balance else None).fit(
        rows.train.texts, rows.train.labels, validation=(rows.validation.texts, rows.validation.labels)
    )
    assert np.abs(stored - unweighted.predict_proba(rows.test.texts)).max() > 1e-3


def test_test_rows_count_once(weighted: RunFolder, plain: RunFolder) -> None:
    assert weighted.predictions is not None
    assert plain.predictions is not None
    assert weighted.predictions["label"].to_list() == plain.predictions["label"].to_list()
    right = weighted.predictions["label"] == weighted.predictions["prediction"]
    assert weighted.metrics["test"]["accuracy"] == pytest.approx(right.mean())
    assert weighted.metrics["test"]["n"] == len(right)


def test_runs_that_differ_in_weights_are_compared_on_the_same_rows(weighted: RunFolder, plain: RunFolder) -> None:
    assert weighted.record["dataset"]["fingerprint"] != plain.record["dataset"]["fingerprint"]
    assert weighted.record["test"] == plain.record["test"]
    assert compare_runs([weighted.path, plain.path])["rows"] == weighted.metrics["test"]["n"]


def test_the_record_and_the_report_tell_of_the_weights(data: Path, weighted: RunFolder, plain: RunFolder) -> None:
    assert weighted.record["data"]["weight"] == "w"
    assert plain.record["data"]["weight"] is None
    assert weighted.record["dataset"]["facts"]["weights"]["column"] == "w"
    report = (weighted.path / "report.html").read_text()
    assert "rows, from 0 to 2.5, mean" in report
    assert "of weight 0 are not learned from" in report
    assert "each test row counts once in the figures" in report
    assert "each test row counts once" not in (plain.path / "report.html").read_text()
    again = reload_data(weighted)
    assert again is not None
    assert again.fingerprint == load_dataset(data, weight="w").fingerprint == weighted.record["dataset"]["fingerprint"]


def test_rows_of_weight_zero_are_not_seen_in_training(data: Path) -> None:
    rows = load_dataset(data, weight="w")
    assert rows.train.weights is not None
    seen = seen_rows(rows.train.texts, rows.training_hashes())
    assert seen.tolist() == np.flatnonzero(rows.train.weights).tolist()


def test_a_model_recognises_its_data_and_measures_each_row_once(data: Path, weighted: RunFolder) -> None:
    found = evaluate_model(weighted.path, data)
    assert "test rows of the data this model was trained on" in found.rows_used
    assert found.metrics["rows_seen_in_training"] == 0
    assert found.metrics["test"]["accuracy"] == weighted.metrics["test"]["accuracy"]
    assert "weights" not in found.dataset.facts.found
    other = table(60, seed=1)
    for rows in (other, other.drop("w"), other.with_columns(w=pl.lit("many"))):
        assert evaluate_model(weighted.path, rows).metrics["test"]["n"] == 60


def test_folds_measure_all_rows_and_learn_from_those_with_a_weight(data: Path, tmp_path: Path) -> None:
    run = train(data, tmp_path / "folds", weight="w", folds=3)
    assert run.metrics["test"]["n"] == 400
    rows = load_dataset(data, weight="w", folds=3)
    clf = TextClassifier("naive-bayes").fit(rows.train.texts, rows.train.labels, rows.train.weights)
    stored = TextClassifier.load(run.path / "model")
    np.testing.assert_allclose(
        stored.predict_proba(rows.train.texts[:9]), clf.predict_proba(rows.train.texts[:9]), atol=1e-6
    )


def test_a_class_of_weight_zero_is_not_learned(tmp_path: Path) -> None:
    texts, labels = made_up(400, 3)
    rows = pl.DataFrame({"text": texts, "label": labels})
    rows = rows.with_columns(w=pl.when(pl.col("label") == "c2").then(0).otherwise(1))
    run = train(rows, tmp_path / "three", weight="w")
    assert TextClassifier.load(run.path / "model").classes_.tolist() == ["c0", "c1"]
    assert run.metrics["test"]["per_class"]["c2"]["recall"] == 0
    one = rows.filter(pl.col("label") != "c1")
    with pytest.raises(InputError):
        train(one, tmp_path / "one", weight="w")
    assert not (tmp_path / "one").exists()


@pytest.mark.slow
def test_a_stopped_run_is_not_resumed_with_other_weights(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(data.read_bytes())
    settings = TrainSettings(recipe="embedding-average", settings=NETWORK, weight="w")

    ended: list[object] = []

    def stop(seen: object) -> None:
        if getattr(seen, "epoch_ended", False):
            ended.append(seen)
            if len(ended) == 2:  # after the checkpoint of the first epoch
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_run(path, settings, out=tmp_path / "run", progress=stop)
    assert read_unfinished(tmp_path / "run").settings.weight == "w"
    kept = path.read_bytes()
    table().with_columns(pl.col("w") * 2).write_csv(path)
    with pytest.raises(InputError, match="has changed since"):
        resume_run(tmp_path / "run")
    path.write_bytes(kept)
    resumed = resume_run(tmp_path / "run")
    whole = train_run(path, settings, out=tmp_path / "whole")
    assert resumed.metrics["test"] == whole.metrics["test"]
