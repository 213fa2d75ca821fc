"""A graph goes with the model it was made of, and with no other."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagline import TextClassifier
from tagline.calibration import TemperatureScaling
from tagline.models import Network
from tests.drawn_networks import drawn

ASKED = ["the film was good", "dull", ""]


def warmer(clf: TextClassifier) -> None:
    clf.calibrator_ = TemperatureScaling(3.0)


def shifted(clf: TextClassifier) -> None:
    assert isinstance(clf.model_, Network)
    *others, (kernel, bias) = clf.model_.weights
    clf.model_ = replace(clf.model_, weights=(*others, (kernel, bias + 1)))


@pytest.mark.parametrize("change", [warmer, shifted])
@pytest.mark.parametrize("loaded", [False, True])
def test_a_network_changed_by_hand_gets_a_graph_of_its_own(change, loaded: bool, tmp_path: Path) -> None:
    clf = drawn("gru")
    clf.save(tmp_path / "model")
    if loaded:
        clf = TextClassifier.load(tmp_path / "model")
    change(clf)
    assert clf.on_onnx_runtime() is clf
    clf.save(tmp_path / "changed")
    again = TextClassifier.load(tmp_path / "changed")
    assert (
        np.abs(again.predict_proba(ASKED) - TextClassifier.load(tmp_path / "model").predict_proba(ASKED)).max() > 0.01
    )
    np.testing.assert_allclose(again.on_onnx_runtime().predict_proba(ASKED), again.predict_proba(ASKED), atol=1e-5)


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_training_says_at_once_what_it_or_saving_needs(missing: str) -> None:
    code = (
        f"import sys\nsys.modules[{missing!r}] = None\n"
        "try:\n import tagline.training\nexcept ImportError as error:\n print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "Training a network needs an optional part: run `pip install 'tagline[neural]'`.\n"
