"""More than 3,000 classes: a run from the file of rows to reports, predictions, explanations and the service."""

import json

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier, explain_text
from tagline.errors import InputError
from tagline.explain import top_features
from tagline.export.html import export_page
from tagline.export.onnx import export_onnx
from tagline.many_classes import OneHot, TopProbabilities
from tagline.metrics import measure
from tagline.report import write_report
from tagline.report.comparison import write_comparison
from tagline.run_folder import RunFolder, probabilities
from tagline.runs.compare import compare_runs
from tagline.runs.evaluate import evaluate_model
from tagline.runs.predicting.predict import predict_file, predict_texts
from tagline.runs.predicting.prediction_row import CommandOptions, PredictionOptions
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.serve.service import serving

N_CLASSES, N_TRAIN, N_TEST = 3_200, 16_000, 1_500


def titles(n: int, seed: int, n_classes: int = N_CLASSES) -> pl.DataFrame:
    """Return titles of two of the three words of a class, one of its shelf of 40 classes, and two of all."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    words = [3 * y + rng.integers(3, size=n), 3 * y + rng.integers(3, size=n), y // 40, *rng.integers(200, size=(2, n))]
    marked = [pl.Series(name, column).cast(pl.String) for name, column in zip("abstw", words, strict=True)]
    text = pl.DataFrame(marked).select(
        pl.concat_str(*(pl.lit({"b": "a"}.get(c, c)) + pl.col(c) for c in "abstw"), separator=" ")
    )
    return pl.DataFrame({"text": text.to_series(), "label": "item " + pl.Series(y).cast(pl.String)})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    titles(N_TRAIN, 0).write_csv(folder / "train.csv")
    titles(N_TEST, 1, 500).write_csv(folder / "test.csv")
    return train_run(folder / "train.csv", TrainSettings(test=folder / "test.csv"), out=folder / "run")


@pytest.fixture(scope="module")
def clf(run):
    return TextClassifier.load(run.model)


@pytest.mark.slow
def test_a_run_has_a_label_tree_and_says_so(run):
    block = run.metrics["test"]
    assert block["accuracy"] > 0.85
    assert block["top5_accuracy"] > block["accuracy"]
    assert block["ece"] < 0.1
    assert "roc_auc" not in block
    chosen = json.loads((run.folder / "run.json").read_text())["chosen"]
    assert chosen["model"] == "label-tree"
    assert np.prod(chosen["children"]) == pytest.approx(N_CLASSES, rel=0.1)
    assert run.decided[0].startswith("A label tree (")
    assert run.metrics["guarantees"]["sets"] == []
    assert any(level["threshold"] for level in run.metrics["guarantees"]["abstention"])
    report = write_report(run.folder).read_text()
    assert "A label tree (" in report
    assert "classes.parquet" in report
    assert "Top-5 accuracy" in report


@pytest.mark.slow
def test_predictions_hold_the_most_probable_classes(run, clf):
    frame = RunFolder(run.folder).predictions
    assert [name for name in frame.columns if name.startswith("proba:")] == []
    assert frame["top_1"].to_list() == frame["prediction"].to_list()
    stored = probabilities(frame, run.metrics["classes"])
    assert isinstance(stored, TopProbabilities)
    again = clf.probabilities(titles(N_TEST, 1, 500)["text"])
    assert (stored.values == again.values).all()
    evaluated = evaluate_model(run.model, run.folder.parent / "test.csv")
    assert evaluated.metrics["test"]["accuracy"] == run.metrics["test"]["accuracy"]
    assert evaluated.metrics["test"]["log_loss"] == pytest.approx(run.metrics["test"]["log_loss"])


@pytest.mark.slow
def test_python_predicts_the_best_classes(clf):
    texts = titles(40, 2)["text"].to_list()
    labels, proba = clf.predict_top(texts, 3)
    assert labels.shape == proba.shape == (40, 3)
    assert labels[:, 0].tolist() == clf.predict(texts).tolist()
    dense = clf.predict_proba(texts)
    assert dense.shape == (40, N_CLASSES)
    np.testing.assert_allclose(dense.sum(axis=1), 1)
    assert (clf.classes_[dense.argmax(axis=1)] == labels[:, 0]).all()
    np.testing.assert_allclose(dense.max(axis=1), proba[:, 0])
    explanation = explain_text(clf, texts[7])
    strongest = max(explanation.contributions, key=lambda part: part.value)
    assert strongest.name.startswith("a")  # a word of the class
    assert (explanation.scale, explanation.quantity) == ("path-score", "path score")
    with pytest.raises(InputError, match="from 1 on, not `0`"):
        clf.predict_top(texts, 0)


@pytest.mark.slow
def test_files_are_predicted(run, clf):
    source, target = run.folder.parent / "test.csv", run.folder.parent / "predicted.csv"
    predict_file(clf, source, target, PredictionOptions(top_k=2, abstain=0.9, novelty=0.04))
    found = pl.read_csv(target)
    assert {"top_1", "top_2_probability", "reason"} <= set(found.columns)
    answered = found.filter(pl.col("prediction").is_not_null())
    assert (answered["prediction"] == answered["label"]).mean() > 0.9


@pytest.mark.slow
def test_what_does_not_work_says_so(run, clf, tmp_path):
    with pytest.raises(InputError, match="has no ONNX graph"):
        export_onnx(run.model, tmp_path / "graph")
    with pytest.raises(InputError, match="A label tree of 3,200 classes has no page"):
        export_page(run.model, tmp_path / "page.html")
    with pytest.raises(InputError, match="Prediction sets are for up to 3,000 classes, and there are 3,200"):
        predict_texts(clf, ["a1"], CommandOptions(sets=0.9))
    with pytest.raises(InputError, match=r"probability of each class are for up to 3,000 .* 3,200: take `top_k`"):
        predict_texts(clf, ["a1"], CommandOptions(probabilities=True))
    with pytest.raises(InputError, match="Costs are for up to 3,000 classes"):
        clf.decide(clf.probabilities(["a1"]), costs={"item 1": {"item 2": 5}})
    with pytest.raises(InputError, match="explain a text"):
        top_features(clf)
    with pytest.raises(InputError, match="A label tree, of 3,200 classes, cannot be continued"):
        clf.partial_fit(["a1"], ["item 1"])
    labels = [f"item {k}" for k in range(3_100)] * 2
    with pytest.raises(InputError, match="Levels of precision and recall are for up to 3,000 classes"):
        TextClassifier(precision={"item 1": 0.9}).fit([f"a {label}" for label in labels], labels)


@pytest.mark.slow
def test_runs_of_many_classes_are_compared(run, tmp_path):
    other = train_run(
        run.folder.parent / "train.csv", TrainSettings(test=run.folder.parent / "test.csv"), out=tmp_path / "other"
    )
    document = compare_runs([run.folder, other.folder])
    for each, measured in zip(document["runs"], (run, other), strict=True):
        assert each["accuracy"] == measured.metrics["test"]["accuracy"]
        assert each["macro_f1"] == pytest.approx(measured.metrics["test"]["macro_f1"])
    assert "item 1" in write_comparison(tmp_path / "comparison.html", document).read_text()


@pytest.mark.slow
def test_the_service_answers(run, tmp_path):
    text = titles(8, 3)["text"][7]
    with serving(tmp_path, run.folder) as running, running.client() as client:
        answer = client.post("/v1/predict", json={"text": text, "top_k": 3, "probabilities": True}).json()
        (found,) = answer["predictions"]
        assert found["top"][0]["class"] == found["prediction"] == "item 7"
        assert len(found["probabilities"]) == 10
        explained = client.post("/v1/explain", json={"text": text}).json()
        assert (explained["prediction"], explained["scale"]) == ("item 7", "path-score")
        model = client.get("/v1/model").json()
        assert "label tree" in model["recipe"]["summary"]
        assert not any("linear SVM" in sentence for sentence in model["card"])
        assert len(explained["probabilities"]) == 10
        assert client.post("/v1/predict", json={"text": text, "sets": 0.9}).status_code == 422


def test_metrics_of_the_most_probable_classes_are_those_of_all_probabilities() -> None:
    rng = np.random.default_rng(0)
    values = np.sort(rng.dirichlet(np.ones(12), 400), axis=1)[:, :-7:-1]
    classes = np.argsort(rng.random((400, 12)), axis=1)[:, :6]
    proba = TopProbabilities(classes, values, 12)
    truth = np.where(rng.random(400) < 0.6, classes[:, 0], rng.integers(12, size=400))
    names = [f"k{k}" for k in range(12)]
    of_top = measure(truth, classes[:, 0], proba, names, task="multiclass")
    of_all = measure(truth, classes[:, 0], proba.dense(), names, task="multiclass")
    for name in ("log_loss", "brier", "ece", "accuracy", "macro_f1"):
        assert of_top[name] == pytest.approx(of_all[name], rel=1e-9)
    assert of_top["top5_accuracy"] == pytest.approx((classes[:, :5] == truth[:, np.newaxis]).any(axis=1).mean())


def test_a_class_matrix_of_indices_is_that_of_booleans() -> None:
    matrix = OneHot(np.array([2, 0, 1, 2]), 3)
    dense = matrix.dense()
    assert matrix.shape == dense.shape
    assert (matrix[[0, 3]].dense() == dense[[0, 3]]).all()
    assert (matrix.argmax(axis=1) == dense.argmax(axis=1)).all()
