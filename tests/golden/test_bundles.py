"""Bundles and exports of earlier versions load and say the same, and a damaged one is refused.

`make_bundle.py` and `make_runs.py` made them, once. Only public names and the command line are used.
"""

import json
import os
import shutil
from pathlib import Path

import pytest
from comparing import GOLDEN, read, same, without
from make_bundle import CLASSIFIERS, DECIDING, KINDS, expected_of

from tagline import BundleError, TextClassifier, explain_text

NETWORK_KINDS = ("multihot-dense", "newswire-dense", "embedding-average", "cnn", "gru", "lstm-masked", "ids")


def tolerance_of(kind: str) -> float:
    return 1e-6 if kind in NETWORK_KINDS else 1e-12


def test_there_is_a_bundle_of_each_kind() -> None:
    found = {path.name.removeprefix("bundle-v2-") for path in GOLDEN.glob("bundle-v2-*")}
    assert found == {*KINDS, "network"}
    assert {"ngrams", "network"} == set(CLASSIFIERS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_says_what_it_said(kind: str) -> None:
    folder, tolerance = GOLDEN / f"bundle-v2-{kind}", tolerance_of(kind)
    clf, expected = TextClassifier.load(folder / "model"), read(folder / "expected.json")
    requested = expected["texts"]
    for name in ("task", "threshold", "positive", "n_features"):
        assert getattr(clf, f"{name}_") == expected[name]
    same(clf.classes_.tolist(), expected["classes"], 0)
    same(clf.predict_proba(requested).tolist(), expected["proba"], tolerance)
    same(clf.decision_function(requested).tolist(), expected["decision_function"], 10 * tolerance)
    same(clf.predict(requested).tolist(), expected["predict"], 0)
    assert clf.card_ == {"made_by": "tests/golden/make_bundle.py"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ids"])
def test_a_bundle_explains_itself_as_it_did(kind: str) -> None:
    folder, tolerance = GOLDEN / f"bundle-v2-{kind}", 10 * tolerance_of(kind)
    clf, expected = TextClassifier.load(folder / "model"), read(folder / "expected.json")
    said, told = explain_text(clf, expected["texts"][1]), expected["explanation"]
    assert (said.class_name, said.scale) == (told["class"], told["scale"])
    same([said.intercept, said.score], [told["intercept"], told["score"]], tolerance)
    parts = sorted([part.name, part.value] for part in said.contributions)
    same(parts, sorted(told["contributions"]), tolerance)
    same([list(word) for word in said.words()], told["words"], tolerance)


@pytest.mark.parametrize("kind", DECIDING)
def test_a_bundle_decides_as_it_did(kind: str) -> None:
    folder = GOLDEN / f"bundle-v4-{kind}"
    clf, expected = TextClassifier.load(folder / "model"), read(folder / "expected.json")
    found = json.loads(json.dumps(expected_of(clf, expected["texts"])))
    assert {"novelty", "threshold"} < set(expected)
    assert ("decisions" in expected) == (kind == "abstaining")
    assert isinstance(expected["threshold"], list) == (kind == "labels")
    same(without(found, {"explanation"}), without(expected, {"explanation"}), 1e-12)


@pytest.mark.parametrize("name", [f"bundle-v2-{kind}" for kind in KINDS] + [f"bundle-v4-{kind}" for kind in DECIDING])
def test_a_bundle_saved_again_has_the_same_parts(name: str, tmp_path: Path) -> None:
    folder = GOLDEN / name / "model"
    clf = TextClassifier.load(folder)
    clf.save(tmp_path / "model", clf.card_)
    parts = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "tagline.json"}
    assert {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir() if p.name != "tagline.json"} == parts


@pytest.mark.parametrize("kind", NETWORK_KINDS)
def test_a_bundle_of_a_network_says_the_same_in_onnx_runtime(kind: str) -> None:
    folder = GOLDEN / f"bundle-v2-{kind}"
    loaded, expected = TextClassifier.load(folder / "model"), read(folder / "expected.json")
    clf = loaded.on_onnx_runtime()
    assert clf is not loaded
    same(clf.predict_proba(expected["texts"]).tolist(), expected["proba"], 1e-5)


@pytest.mark.parametrize("name", ["onnx-v1", "onnx-v1-network"])
def test_an_export_says_what_it_said(name: str) -> None:
    clf, expected = TextClassifier.load(GOLDEN / name / "model"), read(GOLDEN / name / "expected.json")
    assert clf.classes_.tolist() == expected["classes"]
    same(clf.predict_proba(expected["texts"]).tolist(), expected["proba"], 1e-6)
    assert clf.predict(expected["texts"]).tolist() == expected["predict"]


@pytest.mark.parametrize(("name", "run"), [("onnx-v1", "run-v1"), ("onnx-v1-network", "run-v1-network")])
def test_a_run_is_exported_as_it_was(here: Path, say, name: str, run: str) -> None:
    say("export", run, "--format", "onnx", "--out", "again", "--quiet")
    parts = {path.name for path in (here / name / "model").iterdir()}
    assert {path.name for path in (here / "again").iterdir()} == parts
    for part in parts & {"ngrams.safetensors", "words.txt", "model.onnx"}:
        assert (here / "again" / part).read_bytes() == (here / name / "model" / part).read_bytes(), part
    expected = read(here / name / "expected.json")
    same(TextClassifier.load("again").predict_proba(expected["texts"]).tolist(), expected["proba"], 1e-6)


def test_a_damaged_bundle_is_refused(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "bundle-v2-cnn" / "model", tmp_path / "model")
    with (tmp_path / "model" / "weights.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    with pytest.raises(BundleError, match="is damaged: its checksum does not match"):
        TextClassifier.load(tmp_path / "model")
