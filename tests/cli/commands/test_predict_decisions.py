"""Predictions that are withheld, or decided otherwise: novelty, abstention, prediction sets, costs."""

import json
import re
from pathlib import Path


def test_texts_unlike_the_training_texts_are_reported(call, fails, run_folder, here):
    usual = "the superb story of the actor with a good plot and the moving scene"
    (here / "in.csv").write_text(f'text,n\n{usual},1\nzxqw plok,2\n"",3\n')
    status, out, err = call("predict", run_folder, "--input", "in.csv", "--novelty", "0.05")
    assert status == 0
    assert out.splitlines()[2:] == ["zxqw plok,2,,,unlike the training texts", '"",3,,,the text is empty']
    assert out.splitlines()[1].startswith(f"{usual},1,pos,")
    assert out.splitlines()[1].endswith(",")
    assert "warning: 1 text is unlike the training texts and has no prediction." in err
    _, out, err = call("predict", run_folder, "superb", "zxqw", "plok", "--novelty", "0.05")
    assert out.count("unlike the training texts") == 2
    assert "warning: 2 texts are unlike the training texts and have no prediction." in err
    assert "unlike" not in "".join(call("predict", run_folder, "zxqw")[1:])
    assert "held-out rows" in fails("predict", run_folder, "superb", "--novelty", "0.0001")
    assert "above 0" in fails("predict", run_folder, "superb", "--novelty", "0")


def test_texts_of_which_the_model_is_unsure(call, fails, run_folder, here):
    (here / "in.csv").write_text('text,n\nsuperb superb moving,1\nplot,2\n"",3\n')
    status, out, err = call("predict", run_folder, "--input", "in.csv", "--unsure-below", "0.8")
    assert status == 0
    rows = [line.split(",") for line in out.splitlines()]
    assert rows[0] == ["text", "n", "prediction", "probability", "reason"]
    assert rows[1][2] == "pos"
    assert rows[1][4] == ""
    assert rows[2][2] == ""
    assert 0.5 <= float(rows[2][3]) < 0.8
    assert rows[2][4] == "unsure"
    assert rows[3][2:] == ["", "", "the text is empty"]
    assert "unsure of 1 of 3 rows" in err
    found = json.loads(call("predict", run_folder, "plot", "superb", "--unsure-below", "0.8", "--json")[1])
    assert [row["prediction"] for row in found] == [None, "pos"]
    assert [row.get("reason") for row in found] == ["unsure", None]
    assert "unsure" in call("predict", run_folder, "plot", "--unsure-below", "0.8")[1]
    assert "unsure" not in call("predict", run_folder, "plot")[1]


def test_abstention_and_sets_with_a_guarantee(call, fails, run_folder, here):
    status, out, err = call("predict", run_folder, "superb", "--abstain", "0.7", "--sets", "0.9", "--json")
    assert status == 0
    assert re.search(r"answers texts with a probability of at least 0\.\d{3} \(\d\d\.\d % of 216 held-out rows; ", err)
    assert json.loads(out)[0]["prediction_set"][0] == "pos"
    (here / "in.csv").write_text("text\nsuperb\nplot\n")
    call("predict", run_folder, "--input", "in.csv", "-o", "out.csv", "--sets", "0.9", "--by-class")
    assert (here / "out.csv").read_text().splitlines()[0] == "text,prediction,probability,prediction_set,reason"
    assert "needs at least 29,956 held-out rows" in fails("predict", run_folder, "superb", "--abstain", "0.9999")
    assert "need at least 10,000 held-out rows" in fails("predict", run_folder, "superb", "--sets", "0.9999")
    assert "not between 0 and 1" in fails("predict", run_folder, "superb", "--abstain", "95")
    assert "not between 0 and 1" in fails("predict", run_folder, "superb", "--sets", "90")
    assert "give one of them" in fails("predict", run_folder, "superb", "--by-class")
    message = fails("predict", run_folder, "superb", "--abstain", "0.7", "--threshold", "0.2")
    assert "leave out the threshold." in message
    message = fails("predict", run_folder, "superb", "--sets", "0.9", "--threshold", "0.2", "--positive", "pos")
    assert "leave out the threshold and the positive class." in message


def test_the_higher_of_two_thresholds_counts(call, run_folder):
    options = ("--abstain", "0.7", "--unsure-below", "0.8")
    status, _, err = call("predict", run_folder, "superb", *options)
    assert status == 0
    share = r"\(\d+\.\d % of \d+ held-out rows; \d+\.\d % of these are right\)"
    assert re.search(rf"answers texts with a probability of at least 0\.800 {share}", err)


def test_costs_decide(call, run_folder, fails, tmp_path):
    text, costs = "a superb film", tmp_path / "costs.csv"
    costs.write_text("true,neg,pos\nneg,0,1000000\npos,1,0\n", encoding="utf-8")
    assert json.loads(call("predict", run_folder, text, "--json", "-q")[1])[0]["prediction"] == "pos"
    assert json.loads(call("predict", run_folder, text, "--json", "-q", "--cost", costs)[1])[0]["prediction"] == "neg"
    assert "leave out" in fails("predict", run_folder, text, "--cost", costs, "--threshold", "0.3")
    costs.write_text("true,neg,post\nneg,0,1\npost,1,0\n", encoding="utf-8")
    assert "`post` is not a class of the model" in fails("predict", run_folder, text, "--cost", costs)
    multilabel = Path(__file__).parents[2] / "golden" / "bundle-v2-fast-multilabel" / "model"
    assert "one class a text" in fails("predict", multilabel, text, "--cost", costs)
