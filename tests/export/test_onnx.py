"""Exports to ONNX say what the model says, to tagline and to programs that are not tagline, or are not written."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tagline import BundleError, InputError, TextClassifier, explain_text
from tagline.export import onnx as export_module
from tagline.export.onnx import export_onnx
from tagline.export.onnx_preprocessing import describe
from tagline.export.replay import HOSTILE, make_replay
from tagline.models import LinearModel, OnnxModel
from tagline.run_folder import load_model
from tagline.runs.evaluate import evaluate_model
from tests.drawn_networks import SMALL, drawn
from tests.export.reader import answer
from tests.synthetic_texts import made_up, several

TEXTS, LABELS = made_up(120)
ASKED = ["", "a good film, good!", "dull<br />and BORING", "never seen", *TEXTS[:20], *HOSTILE[1:10]]
CLASSIC = {
    "fast": ("fast", ["model.C=1"]),
    "characters": ("fast", ["features.words=2", "features.characters=[2, 4]", "model.C=1"]),
    "naive-bayes": ("naive-bayes", []),
    "decision-tree": ("decision-tree", []),
    "random-forest": ("random-forest", ["model.n_trees=5"]),
}


def trained(name: str, n_classes: int = 2) -> TextClassifier:
    recipe, settings = CLASSIC[name]
    texts, labels = made_up(120, n_classes)
    return TextClassifier(recipe, settings=settings).fit(texts, labels)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_answers(clf: TextClassifier, folder: Path) -> None:
    expected = clf.predict_proba(ASKED)
    again = load_model(folder)
    assert isinstance(again.model_, OnnxModel)
    np.testing.assert_allclose(again.predict_proba(ASKED), expected, atol=1e-5)
    np.testing.assert_allclose(again.logits(ASKED), clf.logits(ASKED), atol=1e-3)
    assert list(again.predict(ASKED)) == list(clf.predict(ASKED))
    np.testing.assert_allclose(answer(folder, ASKED), expected, atol=1e-5)
    if clf.novelty_ is not None:
        np.testing.assert_allclose(again.novelty_p_values(ASKED, expected), clf.novelty_p_values(ASKED), atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", CLASSIC)
def test_a_model_of_ngrams(name: str, n_classes: int, tmp_path: Path) -> None:
    clf = trained(name, n_classes)
    clf.save(tmp_path / "model")
    made = export_onnx(tmp_path / "model", tmp_path / "out")
    assert made.verification.largest < 1e-6
    assert made.verification.rows >= 1_000 + len(HOSTILE)
    assert made.bytes == sum(map(len, contents(tmp_path / "out").values()))
    assert_answers(clf, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("recipe", SMALL)
def test_a_network(recipe: str, n_classes: int, tmp_path: Path) -> None:
    clf = drawn(recipe, n_classes=n_classes, temperature=1.7)
    clf.save(tmp_path / "model")
    made = export_onnx(tmp_path / "model", tmp_path / "out")
    assert made.verification.largest < 1e-5
    assert_answers(clf, tmp_path / "out")


@pytest.mark.parametrize("side", ["pre", "post"])
def test_a_network_that_leaves_out_stop_words_and_cuts_at_either_side(side: str, tmp_path: Path) -> None:
    settings = {"features__padding": side, "features__truncating": side, "features__stop_words": True}
    clf = drawn("lstm-masked", maxlen=5, **settings)
    clf.save(tmp_path / "model")
    export_onnx(tmp_path / "model", tmp_path / "out")
    assert_answers(clf, tmp_path / "out")


@pytest.mark.slow
def test_several_labels(tmp_path: Path) -> None:
    texts, labels = several(120)
    clf = TextClassifier().fit(texts, labels)
    clf.save(tmp_path / "model")
    export_onnx(tmp_path / "model", tmp_path / "out")
    again = TextClassifier.load(tmp_path / "out")
    np.testing.assert_allclose(again.predict_proba(texts), clf.predict_proba(texts), atol=1e-6)
    assert [*again.predict(texts)] == [*clf.predict(texts)]
    assert json.loads((tmp_path / "out" / "card.json").read_text())["guarantees"] is None
    assert "Prediction sets" not in (tmp_path / "out" / "card.md").read_text()


def test_a_model_of_ids(tmp_path: Path) -> None:
    clf = drawn("lstm-masked", words=False)
    clf.save(tmp_path / "model")
    assert export_onnx(tmp_path / "model", tmp_path / "out").verification.largest < 1e-5
    ids = [[1, 5, 6], [], [0, 0], list(range(16))]
    np.testing.assert_allclose(
        TextClassifier.load(tmp_path / "out").predict_proba(ids), clf.predict_proba(ids), atol=1e-5
    )
    assert "words" not in json.loads((tmp_path / "out" / "tokens.json").read_text())["preprocessing"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "model"
    settings = ["features.min_df=2", "model.C=1"]
    TextClassifier("fast", settings=settings).fit(
        [f"{text} secret{i} of row{i}" for i, text in enumerate(TEXTS)], LABELS
    ).save(folder)
    return folder


@pytest.fixture(scope="module")
def exported(model: Path) -> Path:
    export_onnx(model, model.parent / "out")
    return model.parent / "out"


def test_the_same_bundle_gives_the_same_bytes(model: Path, exported: Path, tmp_path: Path) -> None:
    export_onnx(model, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(exported)
    assert contents(exported).keys() == {
        "card.json", "card.md", "model.onnx", "ngrams.safetensors", "tokens.json", "words.txt",
    }  # fmt: skip


def test_no_text_of_the_data_is_in_it(exported: Path) -> None:
    assert all(b"secret7" not in content and b"row7" not in content for content in contents(exported).values())


def test_the_card_says_what_was_replayed(exported: Path) -> None:
    card = json.loads((exported / "card.json").read_text(encoding="utf-8"))
    assert card["replay"]["largest"] <= card["replay"]["bound"] == 1e-4
    assert card["replay"]["rows"] == sum(card["replay"]["texts"].values())
    assert card["classes"] == ["c0", "c1"]
    page = (exported / "card.md").read_text(encoding="utf-8")
    assert card["replay"]["sentence"] in page
    assert card["novelty"] == {"held_out_rows": 120, "share": 0.04}
    assert "the 120 held-out rows" in page
    assert "`counts`: float32" in page


def test_another_program_abstains_and_makes_sets_by_the_card(exported: Path, model: Path) -> None:
    clf, card = TextClassifier.load(model), json.loads((exported / "card.json").read_text(encoding="utf-8"))
    page = (exported / "card.md").read_text(encoding="utf-8")
    guarantees, classes = card["guarantees"], np.array(card["classes"])
    assert guarantees["held_out_rows"] == len(clf.held_out_) == 120
    assert [level["accuracy"] for level in guarantees["abstention"]] == [0.9]  # 120 rows support no other
    assert [level["coverage"] for level in guarantees["sets"]] == [0.9, 0.95]
    proba = answer(exported, ASKED)
    predicted = np.where(proba[:, 1] > card["threshold"], 1, 0)
    for level in guarantees["abstention"]:
        sure = proba[np.arange(len(proba)), predicted] >= level["threshold"]
        expected = clf.predict_selective(ASKED, accuracy=level["accuracy"])
        assert [name if each else None for name, each in zip(classes[predicted], sure, strict=True)] == [*expected]
        assert level["answered"] == np.mean(clf.held_out_.confidence >= level["threshold"])
        assert f"| {level['accuracy']:g} | {level['threshold']:.6g} | {100 * level['answered']:.1f} % |" in page
    for level in guarantees["sets"]:
        inside = (proba >= level["threshold"]) | (np.arange(2) == predicted[:, None])
        expected = clf.predict_sets(ASKED, level["coverage"])
        assert [set(classes[row]) for row in inside] == [set(names) for names in expected]
        assert f"| {level['coverage']:g} | {level['threshold']:.6g} |" in page


def test_what_differs_is_not_written(
    model: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(exported)
    real = export_module.graph_of

    def other(clf: TextClassifier) -> bytes:
        assert isinstance(clf.model_, LinearModel)
        clf.model_ = replace(clf.model_, intercept=clf.model_.intercept + 1e-3)
        graph = real(clf)
        clf.model_ = replace(clf.model_, intercept=clf.model_.intercept - 1e-3)
        return graph

    monkeypatch.setattr(export_module, "graph_of", other)
    for target in (exported, tmp_path / "new"):
        with pytest.raises(InputError, match="differs from the model"):
            export_onnx(model, target)
    assert contents(exported) == before
    assert not (tmp_path / "new").exists()


def test_nothing_else_is_replaced(model: Path, exported: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not an export"):
        export_onnx(model, model)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is not an export"):
        export_onnx(model, tmp_path / "file")
    with pytest.raises(InputError, match="is an ONNX graph already"):
        export_onnx(exported, tmp_path / "out")


def test_an_export_measures_but_does_not_explain_and_is_not_saved(exported: Path, tmp_path: Path) -> None:
    clf = TextClassifier.load(exported)
    rows = list(zip(TEXTS, LABELS, strict=True))
    assert evaluate_model(exported, rows).metrics["test"]["accuracy"] > 0.8
    assert clf.on_onnx_runtime() is clf
    with pytest.raises(InputError, match="explain the original model"):
        explain_text(clf, "a good film")
    with pytest.raises(InputError, match="copy the folder"):
        clf.save(tmp_path / "model")


@pytest.mark.parametrize("part", ["model.onnx", "ngrams.safetensors", "tokens.json", "words.txt", "card.json"])
def test_a_damaged_export_is_refused_by_name(exported: Path, tmp_path: Path, part: str) -> None:
    (tmp_path / "copy").mkdir()
    for name, content in contents(exported).items():
        (tmp_path / "copy" / name).write_bytes(content[:-9] if name == part else content)
    with pytest.raises(BundleError, match=part):
        TextClassifier.load(tmp_path / "copy")


_WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from tagline import MissingExtraError, TextClassifier
from tagline.export.onnx import export_onnx
from tagline.export.onnx_preprocessing import describe
try:
    export_onnx(sys.argv[2], sys.argv[3]) if sys.argv[1] == "onnx" else TextClassifier.load(sys.argv[3]).predict(["x"])
except MissingExtraError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ["onnx", "onnxruntime"])
def test_what_is_not_installed_is_named(module: str, model: Path, exported: Path) -> None:
    command = [sys.executable, "-c", _WITHOUT, module, str(model), str(exported)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "pip install 'tagline[onnx]'" in said


def test_a_replay_of_a_given_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("one line\nanother\n")
    made = export_onnx(model, tmp_path / "out", replay=tmp_path / "mine.txt")
    assert made.replay == make_replay(model, tmp_path / "mine.txt")
    assert "2 rows of the given file" in (tmp_path / "out" / "card.md").read_text()


def test_features_that_other_programs_cannot_compute_are_rejected() -> None:
    with pytest.raises(InputError, match="Models of hashed n-grams have no ONNX form"):
        describe(SimpleNamespace(kind="hashed", unit_name="hashed n-grams"))
