"""``tagline explain``."""

import json
import re

import pytest

from tagline.classifier import TextClassifier
from tests.cli.cli_data import names


def test_explanations_add_up(call, run_folder):
    text = "a superb but dull film"
    status, out, _ = call("explain", run_folder, text, "--json", "-q")
    answer = json.loads(out)
    assert status == 0
    total = answer["intercept"] + sum(part["value"] for part in answer["contributions"])
    assert total == pytest.approx(answer["score"])
    assert answer["intercept"] + sum(word["value"] for word in answer["by_word"]) == pytest.approx(answer["score"])
    assert answer["intercept"] + sum(value for _, _, value in answer["words"]) == pytest.approx(answer["score"])
    logit = TextClassifier.load(run_folder / "model").decision_function([text])[0]
    assert answer["score"] == pytest.approx(logit if answer["class"] == "pos" else -logit)
    status, out, _ = call("explain", run_folder, text, "--class", "pos", "--top", "2", "-q")
    values = [float(value) for value in re.findall(r"^([+-]\d+\.\d{4})", out, re.MULTILINE)]
    assert len(values) == 2 + 1 + 1 + 1  # two, the rest, the intercept and the score
    assert sum(values[:-1]) == pytest.approx(values[-1], abs=3e-4)
    assert out.rstrip().endswith("logit of pos")
    assert "“" not in out
    _, out, _ = call("explain", run_folder, text, "--ngrams", "-q")
    assert re.search(r"^\s+[+-]\d\.\d{4}  “", out, re.MULTILINE)


def test_a_model_is_explained_without_a_text(call, run_folder, here):
    status, out, _ = call("explain", run_folder, "-q")
    assert status == 0
    assert re.search(r"^pos +\S", out, re.MULTILINE)
    assert re.search(r"^neg +\S", out, re.MULTILINE)
    _, out, _ = call("explain", run_folder, "--json", "--top", "2", "--class", "pos", "-q")
    (found,) = json.loads(out)["classes"]
    assert found["class"] == "pos"
    assert [part["weight"] > 0 for part in found["features"]] == [True, True]
    assert call("explain", run_folder, "--html", "model.html", "--top", "3")[0] == 0
    page = (here / "model.html").read_text(encoding="utf-8")
    assert re.findall(r"<h2><bdi>(\w+)</bdi></h2>", page) == ["neg", "pos"]
    assert page.count('<tr><th scope="row">') == 6
    weight = f"{found['features'][0]['weight']:+.4f}"
    assert f"<bdi>{found['features'][0]['name']}</bdi></th><td>{weight}</td>" in page


def test_explanation_page(call, run_folder, here):
    text = "<b>superb</b> & dull \x1b[31m film"
    status, out, err = call("explain", run_folder, text, "--html", "why.html", "-q")
    assert (status, err) == (0, "")
    assert "\x1b" not in out
    page = (here / "why.html").read_text(encoding="utf-8")
    assert "<b>superb" not in page
    assert "&lt;" in page
    assert '<mark class="for"' in page
    assert '<mark class="against"' in page
    assert '<details class="ngrams"><summary><bdi>superb</bdi></summary>' in page
    assert re.search(r"<b>logit of <bdi>(pos|neg)</bdi></b>", page)
    assert not re.search(r'(?:src|href)="http', page)
    assert names(here) == ["why.html"]


def test_a_text_without_a_known_word_says_so(call, run_folder):
    status, out, err = call("explain", run_folder, " ")
    assert (status, out) == (2, "")
    assert err.endswith("error: The text is empty: it has no prediction to explain.\n")
    status, _, err = call("explain", run_folder, "日本")
    assert status == 0
    assert "warning: The model knows no word of this text" in err
    assert "warning" not in call("explain", run_folder, "a superb film")[2]
