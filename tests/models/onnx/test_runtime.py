"""A network's bundle holds its graph, and the classifier can answer by it; all others answer as they did."""

import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tagline import InputError, TextClassifier, explain_text
from tagline.explain import top_features
from tagline.models import Network, OnnxModel
from tests.drawn_networks import SMALL, drawn
from tests.synthetic_texts import made_up

GOLDEN = Path(__file__).parents[2] / "golden"
GOLDEN_BUNDLES = [f"bundle-v{version}{kind}" for version in (1, 2, 3, 4) for kind in ("", "-network")]
ASKED = ["", "the film was good", "dull", "a joy, a joy!", "never seen words"]


@pytest.mark.parametrize("recipe", SMALL)
def test_a_loaded_network_answers_by_its_graph(recipe: str, tmp_path: Path) -> None:
    clf = drawn(recipe, temperature=0.6)
    assert clf.on_onnx_runtime() is clf  # it has no bundle yet
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    other = loaded.on_onnx_runtime()
    assert isinstance(other.model_, OnnxModel)
    assert isinstance(loaded.model_, Network)
    np.testing.assert_allclose(other.predict_proba(ASKED), clf.predict_proba(ASKED), atol=1e-5)
    np.testing.assert_allclose(other.logits(ASKED), clf.logits(ASKED), atol=1e-4)
    assert other.predict(ASKED).tolist() == clf.predict(ASKED).tolist()
    assert other.on_onnx_runtime() is other
    loaded.save(tmp_path / "again")
    for path in (tmp_path / "model").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_fitting_again_forgets_the_graph(tmp_path: Path) -> None:
    drawn("gru").save(tmp_path / "model")
    clf = TextClassifier.load(tmp_path / "model")
    texts, labels = made_up(40)
    clf.set_params(recipe="naive-bayes").fit(texts, labels)
    assert clf.on_onnx_runtime() is clf


def test_what_runs_in_onnx_runtime_is_not_explained_or_saved(tmp_path: Path) -> None:
    drawn("cnn").save(tmp_path / "model")
    clf = TextClassifier.load(tmp_path / "model").on_onnx_runtime()
    with pytest.raises(InputError, match="cannot be explained"):
        explain_text(clf, "good")
    with pytest.raises(InputError, match="cannot be explained"):
        top_features(clf)
    with pytest.raises(InputError, match="cannot be saved"):
        clf.save(tmp_path / "again")
    assert "word ids" in clf._repr_html_()


def test_threads_share_one_and_a_copy_goes_to_another_process(tmp_path: Path) -> None:
    drawn("bilstm").save(tmp_path / "model")
    clf = TextClassifier.load(tmp_path / "model").on_onnx_runtime()
    expected = clf.predict_proba(ASKED)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: clf.predict_proba(ASKED), range(64)))
    assert all((found == expected).all() for found in answers)
    again = pickle.loads(pickle.dumps(clf))
    assert (again.predict_proba(ASKED) == expected).all()


@pytest.mark.parametrize("version", GOLDEN_BUNDLES)
def test_golden_bundles(version: str) -> None:
    expected = json.loads((GOLDEN / version / "expected.json").read_text(encoding="utf-8"))
    clf = TextClassifier.load(GOLDEN / version / "model")
    other = clf.on_onnx_runtime()
    assert (other is clf) == (version not in [f"bundle-v{with_graph}-network" for with_graph in (2, 3, 4)])
    np.testing.assert_allclose(other.predict_proba(expected["texts"]), expected["proba"], rtol=0, atol=1e-5)


_WITHOUT = """
import sys
sys.modules["torch"] = sys.modules["onnx"] = None
from tagline import TextClassifier
clf = TextClassifier.load(sys.argv[1])
clf.save(sys.argv[2])
print("onnxruntime" in sys.modules, clf.on_onnx_runtime().predict(["a joy"])[0])
"""


def test_onnx_runtime_sends_no_telemetry(tmp_path: Path) -> None:
    code = (
        "import sys; from tagline import TextClassifier\n"
        "TextClassifier.load(sys.argv[1]).on_onnx_runtime().predict(['good'])\n"
        "assert 'onnxruntime' in sys.modules"
    )
    unset = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, str(GOLDEN / "bundle-v3-network")], check=True, env=environment)
    assert list(tmp_path.iterdir()) == []  # it keeps an identifier and the events that it has not sent yet


@pytest.mark.slow
def test_a_server_needs_neither_torch_nor_onnx(tmp_path: Path) -> None:
    drawn("lstm").save(tmp_path / "model")
    command = [sys.executable, "-c", _WITHOUT, str(tmp_path / "model"), str(tmp_path / "again")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("False c")
