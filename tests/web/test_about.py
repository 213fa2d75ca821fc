"""The description of a model on the page, checked against the files of its run."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from tagline import TextClassifier
from tagline.metrics import expected_calibration_error
from tagline.run_folder import load_model
from tagline.runs.predicting.prediction_row import PredictionOptions, prediction_rows
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tagline.web import ASSETS, about_model, asset
from tests.synthetic_texts import made_up, several, unclear


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts, labels = made_up(400, noise=0.2)
    pairs = list(zip(texts, labels, strict=True))
    return train_run(pairs, TrainSettings(), out=tmp_path_factory.mktemp("about") / "run").folder


def about(path: Path) -> dict[str, Any]:
    description = about_model(path, load_model(path))
    assert json.loads(json.dumps(description, allow_nan=False)) == description
    return description


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def copy(run: Path, target: Path) -> Path:
    return Path(shutil.copytree(run, target))


def test_figures_are_those_of_the_run(run: Path) -> None:
    test = read(run / "metrics.json")["test"]
    description = about(run / "model")
    assert description == about(run)
    figures = description["figures"]
    assert figures["rows"] == test["n"] == 40
    assert figures["split"] == "test"
    for name in ("accuracy", "macro_f1", "log_loss", "roc_auc", "ece"):
        assert figures[name] == test[name]
        assert figures[f"{name}_ci95"] == test[f"{name}_ci95"]
    tile = {tile["key"]: tile for tile in figures["tiles"]}["accuracy"]
    assert (tile["name"], tile["value"]) == ("Accuracy", f"{100 * test['accuracy']:.1f} %")
    assert figures["confusion_matrix"] == test["confusion_matrix"]
    assert figures["per_class"] == test["per_class"]
    assert (description["task"], description["classes"], description["positive"]) == ("binary", ["c0", "c1"], "c1")
    assert description["trained"] == read(run / "run.json")["created"]


def test_calibration_adds_up_to_the_calibration_error(run: Path) -> None:
    bins = about(run)["calibration"]
    predictions = pl.read_parquet(run / "predictions.parquet")
    n = predictions.height
    assert sum(each["rows"] for each in bins) == n
    error = sum(each["rows"] * abs(each["share_right"] - each["confidence"]) for each in bins) / n
    proba = predictions.select("proba:c0", "proba:c1").to_numpy()
    truth = (predictions["label"] == "c1").to_numpy().astype(int)
    assert error == pytest.approx(expected_calibration_error(truth, proba))
    assert all(each["low"] <= each["confidence"] <= each["high"] for each in bins)


def test_the_roc_curve_has_scikit_learns_area(run: Path) -> None:
    points = np.array(about(run)["curves"]["roc"])
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    predictions = pl.read_parquet(run / "predictions.parquet")
    area = roc_auc_score((predictions["label"] == "c1").to_numpy(), predictions["proba:c1"].to_numpy())
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(area, abs=1e-4)


def test_a_long_roc_curve_is_thinned(run: Path, tmp_path: Path) -> None:
    folder = copy(run, tmp_path / "run")
    rng = np.random.default_rng(0)
    score = rng.random(5000)
    label = rng.random(5000) < score
    names = np.array(["c0", "c1"])
    frame = {"row": np.arange(5000), "label": names[label.astype(int)], "prediction": names[(score > 0.5).astype(int)]}
    pl.DataFrame(frame | {"proba:c0": 1 - score, "proba:c1": score}).write_parquet(folder / "predictions.parquet")
    points = np.array(about(folder)["curves"]["roc"])
    assert len(points) == 200
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(roc_auc_score(label, score), abs=1e-3)


def test_examples_are_texts_that_the_run_kept(run: Path, tmp_path: Path) -> None:
    mistakes = read(run / "mistakes.json")
    examples = about(run)["examples"]
    assert 0 < len(examples) <= 6
    assert {(each["text"], each["label"]) for each in examples} <= {(m["text"], m["label"]) for m in mistakes}
    folder = copy(run, tmp_path / "run")
    (folder / "mistakes.json").write_text("[]")
    assert about(folder)["examples"] == []
    (folder / "mistakes.json").write_text(json.dumps([dict(mistakes[0], text="long " * 300)]))
    assert about(folder)["examples"] == []


def test_a_bundle_alone_says_what_it_remembers(run: Path, tmp_path: Path) -> None:
    description = about(copy(run / "model", tmp_path / "alone"))
    assert (
        description["figures"] is description["calibration"] is description["curves"] is description["trained"] is None
    )
    assert description["examples"] == []
    assert description["data"]["rows"] == {"train": 320, "validation": 40, "test": 40}
    assert description["title"] == "data · fast"
    assert any("texts as `c0` or `c1`" in sentence for sentence in description["card"])


def test_a_run_on_other_data_is_not_its_run(run: Path, tmp_path: Path) -> None:
    folder = copy(run, tmp_path / "run")
    content = read(folder / "run.json")
    content["dataset"]["fingerprint"] = "0" * 64
    (folder / "run.json").write_text(json.dumps(content))
    assert about(folder)["figures"] is None


@pytest.mark.parametrize("name", ["metrics.json", "mistakes.json", "predictions.parquet", "history.csv"])
def test_a_damaged_file_counts_as_missing(run: Path, tmp_path: Path, name: str) -> None:
    folder = copy(run, tmp_path / "run")
    (folder / name).write_bytes(b"\xff{")
    description = about(folder)
    assert description["classes"] == ["c0", "c1"]
    assert (description["figures"] is None) == (name == "metrics.json")
    assert (description["calibration"] is None) == (name in ("metrics.json", "predictions.parquet"))


def test_a_comparison_with_a_level_is_the_decision_of_predict(tmp_path: Path) -> None:
    TextClassifier().fit(*unclear(600)).save(tmp_path / "model")
    clf = load_model(tmp_path / "model")
    found = about(tmp_path / "model")["guarantees"]
    assert found["held_out_rows"] == 600
    assert found["sets"][0] == {"coverage": 0.9, "threshold": clf.set_threshold(0.9)}
    assert len(found["abstention"]) >= 2
    proba = clf.predict_proba(unclear(300, seed=1)[0])
    for level in found["abstention"]:
        rows = prediction_rows(clf, list(clf.classes_), proba, PredictionOptions(abstain=level["accuracy"]))
        unsure = np.array([label is None for label in rows.labels])
        assert np.array_equal(unsure, proba.max(axis=1) < level["threshold"])
        assert level["answered"] == pytest.approx(1 - unsure.mean(), abs=0.1)


def test_several_labels(tmp_path: Path) -> None:
    texts, labels = several(300)
    run = train_run(list(zip(texts, labels, strict=True)), TrainSettings(), out=tmp_path / "run").folder
    description = about(run)
    n_test = description["figures"]["rows"]
    assert sum(each["rows"] for each in description["calibration"]) == n_test * len(description["classes"])
    assert description["curves"] is None
    assert description["guarantees"] is None
    assert any("assigns any of" in sentence for sentence in description["card"])
    assert description["text_columns"] == ["text"]
    assert [each["class"] for each in description["features"]] == description["classes"]


def test_a_network_has_its_history(run: Path, tmp_path: Path) -> None:
    folder = copy(run, tmp_path / "run")
    (folder / "history.csv").write_text("epoch,loss,accuracy,val_loss\n1,0.7,0.5,\n2,0.6,0.75,0.65\n")
    history = about(folder)["curves"]["history"]
    assert history == {"epoch": [1, 2], "loss": [0.7, 0.6], "accuracy": [0.5, 0.75], "val_loss": [None, 0.65]}


def test_a_model_that_was_never_saved_by_a_run(tmp_path: Path) -> None:
    clf = TextClassifier().fit(["good film", "a joy", "bad film", "a bore"], ["pos", "pos", "neg", "neg"])
    clf.save(tmp_path / "model")
    description = about(tmp_path / "model")
    assert description["title"] == "fast"
    assert description["data"] == {"name": "", "rows": {}, "facts": []}


def test_assets_are_whole_and_ask_for_nothing_outside() -> None:
    for name in ASSETS:
        text = asset(name)
        assert text.strip()
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("backend-http.js", "")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in asset("ui.js") + asset("backend-http.js")
    assert "style=" not in asset("index.html")
    with pytest.raises(KeyError):
        asset("../about.py")
