"""Errors of `export_page`, and the files that it leaves."""

import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from tagline.calibration import TemperatureScaling
from tagline.classifier import TextClassifier
from tagline.errors import InputError, MissingExtraError
from tagline.export.base import ExportRequest
from tagline.export.formats import EXPORT_FORMATS
from tagline.export.html import export_page
from tagline.export.html.accuracy_loss import known_truth, measure
from tagline.export.html.compose import model_script
from tagline.export.html.javascript import V8
from tagline.export.html.sizing import pack
from tagline.export.replay import Replay
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.synthetic_texts import made_up

TEXTS, LABELS = made_up(400)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = list(zip(TEXTS, LABELS, strict=True))
    return train_run(rows, TrainSettings(recipe="linear-svm"), out=tmp_path_factory.mktemp("run") / "run").folder


def test_a_tree_is_sent_to_onnx(tmp_path: Path) -> None:
    TextClassifier("decision-tree").fit(TEXTS, LABELS).save(tmp_path / "model")
    with pytest.raises(InputError, match="`decision-tree` is not one: export it with `--format onnx`"):
        export_page(tmp_path / "model", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_target_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "missing" / "page.html"):
        with pytest.raises(InputError, match="cannot be written"):
            export_page(run / "model", target)


def test_without_v8_nothing_is_exported(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.export.html.javascript.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"tagline\[page\]"):
        export_page(run / "model", tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n", [0, 2])
def test_the_texts_that_a_page_shows_are_counted(
    run: Path, tmp_path: Path, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagline.export.html.export.make_replay", lambda *_: Replay(TEXTS[:100], 0, 100, 0, 0))
    shutil.copytree(run, tmp_path / "run")
    wrong = {"label": "c0", "prediction": "c1", "probability": 0.9, "spans": []}
    mistakes = [{"text": f"confidential {k}", **wrong} for k in range(n)]
    (tmp_path / "run" / "mistakes.json").write_text(json.dumps(mistakes))
    made = EXPORT_FORMATS["page"].export(ExportRequest(tmp_path / "run" / "model", tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_text().count("confidential ") == made.facts["n_examples"] == n
    assert [said for said in made.sentences if "--no-texts" in said] == (
        ["The page shows 2 texts of the test rows as examples; that of a run trained with `--no-texts` shows none."]
        if n
        else []
    )


def test_truth_is_known_of_the_runs_own_test_rows_only(run: Path) -> None:
    clf = TextClassifier.load(run / "model")
    predictions = pl.read_parquet(run / "predictions.parquet")
    proba = predictions.select("^proba:.*$").to_numpy()
    assert known_truth(run / "model", clf, proba) == predictions["label"].to_list()
    assert known_truth(run / "model", clf, proba[::-1]) is None
    assert known_truth(run / "model", clf, proba[:-1]) is None
    assert known_truth(run / "elsewhere" / "model", clf, proba) is None


def test_losses_count_labels_and_accuracy(run: Path) -> None:
    clf = TextClassifier.load(run / "model")
    same = measure(clf, clf, TEXTS, LABELS[:100], len(TEXTS))
    assert (same.largest, same.different, same.acceptable) == (0.0, 0, True)
    assert same.accuracy == same.page_accuracy == clf.score(TEXTS[:100], LABELS[:100])
    other = TextClassifier("linear-svm").fit(TEXTS, LABELS[::-1])
    lost = measure(clf, other, TEXTS, None, len(TEXTS))
    assert lost.different == (clf.predict(TEXTS) != other.predict(TEXTS)).sum() > 0
    assert lost.lost == lost.different / len(TEXTS)
    assert not lost.acceptable
    assert measure(clf, other, TEXTS, None, 0).lost == 0.0


def test_losses_count_texts_that_only_one_of_both_answers(run: Path) -> None:
    clf, other = TextClassifier.load(run / "model"), TextClassifier("linear-svm").fit(TEXTS, LABELS[::-1])
    assert measure(clf, other, TEXTS, None, 100).unsure is None
    unsure = [each.predict_proba(TEXTS[:100]).max(axis=1)[:, np.newaxis] < [0.7, 0.9] for each in (clf, other)]
    expected = (unsure[0] != unsure[1]).sum(axis=0).max()
    assert measure(clf, other, TEXTS, None, 100, [0.7, 0.9]).unsure == expected > 0
    assert measure(clf, clf, TEXTS, None, 100, [0.7, 0.9]).unsure == 0


@dataclass(frozen=True)
class _Unknown(TemperatureScaling):
    kind: ClassVar[str] = "unknown"


def test_a_calibration_that_the_page_does_not_know(run: Path) -> None:
    clf = TextClassifier.load(run / "model")
    clf.calibrator_ = _Unknown(2.0)
    packed = pack(clf, 8, 10**9, pl.Series(TEXTS))
    with pytest.raises(InputError, match=r"no calibration method unknown\. Export it with `--format onnx`"):
        V8(model_script(), gzip.decompress(packed.payload))
