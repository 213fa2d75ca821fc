"""``tagline export``, and what the other commands do with an export."""

import io
import json
from contextlib import redirect_stdout

import numpy as np
import pytest

from tagline import TextClassifier
from tagline.export.replay import HOSTILE


@pytest.fixture(scope="module")
def exported(run_folder, tmp_path_factory):
    from tagline.cli import main

    folder = tmp_path_factory.mktemp("exports") / "out"
    with redirect_stdout(io.StringIO()) as printed:
        assert main(["export", str(run_folder), "--format", "onnx", "--out", str(folder), "--quiet"]) == 0
    assert "24 test rows" in printed.getvalue()
    assert "every label is the same" in printed.getvalue()
    return folder


def test_only_a_page_has_a_title(call, run_folder, here):
    status, _, err = call("export", run_folder, "--format", "onnx", "--out", "out", "--title", "Reviews")
    assert status == 2
    assert "use it with `--format page`" in err


def test_the_export_of_a_run_replays_its_test_rows(call, run_folder, exported):
    # The folder has an export already, which is replaced.
    status, out, err = call("export", run_folder, "--format", "onnx", "--out", exported, "--json")
    assert status == 0, err
    about = json.loads(out)
    assert about["replay"]["texts"]["held_out"] == 24
    assert about["replay"]["rows"] == 1_000 + len(HOSTILE)
    assert about["replay"]["largest"] < 1e-9
    assert "replaying" in err
    card = json.loads((exported / "card.json").read_text())
    assert about == {"format": "onnx", "path": str(exported), "bytes": about["bytes"], **card}
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert card["figures"]["accuracy"] == metrics["test"]["accuracy"]


def test_predict_and_evaluate_take_an_export(call, run_folder, exported, reviews):
    texts = ["a superb film", "dull and boring", ""]
    answers = [json.loads(call("predict", model, *texts, "--proba", "--json")[1]) for model in (run_folder, exported)]
    assert [row["prediction"] for row in answers[0]] == [row["prediction"] for row in answers[1]]
    for ours, theirs in zip(*answers, strict=True):
        assert theirs["probability"] == pytest.approx(ours["probability"], abs=1e-9)
    figures = [json.loads(call("evaluate", model, reviews, "--json")[1])["test"] for model in (run_folder, exported)]
    assert figures[0]["confusion_matrix"] == figures[1]["confusion_matrix"]
    np.testing.assert_allclose(figures[0]["log_loss"], figures[1]["log_loss"], atol=1e-9)


def test_what_cannot_be_done_is_said_in_a_line(fails, run_folder, exported, tmp_path):
    assert "is an ONNX graph already" in fails("export", exported, "--format", "onnx", "--out", tmp_path / "out")
    assert "explain the original model" in fails("explain", exported, "a superb film")
    assert "is not an export" in fails("export", run_folder, "--format", "onnx", "--out", run_folder)
    assert "does not exist" in fails("export", tmp_path / "none", "--format", "onnx", "--out", tmp_path / "out")
    assert "does not exist" in fails(
        "export", run_folder, "--format", "onnx", "--out", tmp_path / "out", "--replay", tmp_path / "none.csv"
    )
    assert "--format" in fails("export", run_folder, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_is_an_ordinary_classifier(exported):
    clf = TextClassifier.load(exported)
    assert clf.task_ == "binary"
    assert clf.predict(["a superb film", "dull and boring"]).tolist() == ["pos", "neg"]
