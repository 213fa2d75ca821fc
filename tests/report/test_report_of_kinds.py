"""Reports of runs of every kind: many classes, several labels, cross-validated, without texts."""

import json
import re

import pytest

from tagline.report import write_report
from tagline.report.sections import plots as report_plots
from tagline.report.sections.rows import mistake_cards
from tests.report.pages import Page, page_of
from tests.report.synthetic_runs import write_run


def test_very_many_classes(tmp_path):
    names = [f"topic {k}" for k in range(501)]
    page = page_of(write_run(tmp_path, names, "multiclass", n=400))
    assert "Most confused pairs" in page.words("confusion")
    words = page.words("classes")
    assert "All 501 are in metrics.json" in words
    best, worst = (words[words.index(title) :].count("topic ") for title in ("Highest F1", "Lowest F1"))
    assert (words.count("topic "), best, worst) == (60, 40, 20)
    assert "The 50 most frequent of 501 classes" in page.words("data")
    assert len(page.pictures()) == 2


def test_of_very_many_labels_nothing_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(report_plots, "_indices", lambda *_: pytest.fail("builds large arrays and draws nothing"))
    page = page_of(write_run(tmp_path, [f"topic {k}" for k in range(501)], "multilabel", n=100))
    assert "All 501 are in metrics.json" in page.words("classes")
    assert not page.pictures()


def test_of_more_than_50_classes_all_but_the_30_worst_are_folded_away(tmp_path):
    names = [f"topic {k}" for k in range(51)]
    html = write_report(write_run(tmp_path, names, "multiclass", n=400)).read_text(encoding="utf-8")
    section = html[html.index('<section id="classes">') : html.index('<section id="plots">')]
    shown, folded = section.split("<details>")
    assert (shown.count("topic "), folded.count("topic ")) == (30, 21)
    assert re.search(r">\d+\.\d\N{NO-BREAK SPACE}%<", html)  # no line breaks before the sign
    assert "The other 21 classes" in folded
    page = Page(html)
    assert not [attrs for attrs in page.all("table") if "matrix" in attrs.get("class", "")]
    [heat_map] = [attrs for attrs in page.pictures() if attrs.get("class") == "heat"]
    assert heat_map["aria-label"].startswith("Confusion matrix of 51 classes as a heat map.")
    confusion = html[html.index('<section id="confusion">') : html.index("Most confused pairs")]
    assert [confusion.count(f">{name}</text>") for name in names] == [2] * 51
    cells = sum(map(len, (re.findall("M", path) for path in re.findall(r'<path d="([^"]*)"', confusion))))
    block = json.loads((tmp_path / "metrics.json").read_text())["test"]
    assert cells == sum(n > 0 for row in block["confusion_matrix"] for n in row)


def test_many_classes(tmp_path):
    names = [f"topic {k}" for k in range(46)]
    page = page_of(write_run(tmp_path, names, "multiclass", n=800))
    assert "Most confused pairs" in page.words("confusion")
    assert "the lowest F1 first" in page.words("classes")
    assert all(name in page.words("classes") for name in names)
    assert "matrix small" in [attrs.get("class") for attrs in page.all("table")]
    block = json.loads((tmp_path / "metrics.json").read_text())["test"]
    counts = [n for row in block["confusion_matrix"] for n in row]
    titles = [attrs["title"] for attrs in page.all("td") if "title" in attrs]
    assert len(titles) == sum(n > 0 for n in counts)
    first = block["confusion_matrix"][0]
    assert f"topic 0 → topic 0: {first[0]} ({100 * first[0] / sum(first):.1f} %)" in titles
    assert len([attrs for attrs in page.all("th") if attrs.get("title") in names]) == 2 * 46
    assert "calibration temperature" in page.words("making")
    assert "decision threshold" not in page.words("making")  # the most probable class is the answer


@pytest.mark.usefixtures("drawn_plots")
def test_multilabel(tmp_path):
    page = page_of(write_run(tmp_path, ["joy", "fear", "rage"], "multilabel"))
    assert "test texts with exactly the right labels" in page.words("top")
    assert "Metrics by label" in page.words("classes")
    said = "Predicted joy and fear, labelled rage; most confident wrong label: 99.8 %"
    assert said in page.words("mistakes")


def test_labels_with_thresholds_of_their_own_show_them(tmp_path):
    def classes(threshold, folder):
        chosen = {"threshold": threshold}
        return page_of(write_run(folder, ["joy", "fear", "rage"], "multilabel", chosen=chosen)).words("classes")

    own = classes([0.25, 0.1, 0.55], tmp_path / "own")
    for name, threshold in (("joy", "0.25"), ("fear", "0.1"), ("rage", "0.55")):
        assert re.search(rf"{name} (?:[\d.]+ +){{4}}[\d.]+ to [\d.]+ {threshold} ", own)
    assert "Threshold: the probability above which the label is assigned." in own
    # An evaluation may have labels that the model does not know, after its own.
    assert re.search(r"rage .* to [\d.]+ – ", classes([0.25, 0.1], tmp_path / "two"))
    for one in (0.3, [0.3, 0.3, 0.3]):
        assert "Threshold" not in classes(one, tmp_path / "one")


def test_the_per_cent_of_a_multilabel_mistake_is_of_the_label_that_is_wrong():
    def wrong(label, prediction, **more):
        mistake = {"text": "a", "label": label, "prediction": prediction, "probability": 0.993, **more}
        return mistake_cards([mistake])[0]["wrong"]

    assert wrong(["Billing", "Returns"], ["Billing"]) == {"name": "Returns", "how": "missing"}
    assert wrong([], ["Billing"]) == {"name": "Billing", "how": "wrong"}
    assert wrong("Billing", "Returns") is None
    assert wrong(["Billing"], ["Returns"], about="Returns") == {"name": "Returns", "how": "wrong"}
    assert wrong(["Billing"], ["Returns"]) == {"name": "", "how": ""}  # of a run of an earlier version
    decision = {"text": "paid twice", "probability": 0.976, "spans": [[0, 4, -0.5], [5, 10, 1.0]]}
    [card] = mistake_cards([decision | {"label": ["Billing", "Contract"], "prediction": ["Tech"], "about": "Billing"}])
    assert card["probability"] == "2.4 %"  # of the label, and so is the evidence
    assert [(piece.text, piece.contribution) for piece in card["pieces"]] == [
        ("paid", 0.5),
        (" ", 0.0),
        ("twice", -1.0),
    ]


def test_a_cross_validated_run_says_so(tmp_path):
    page = page_of(write_run(tmp_path, ["neg", "pos"], "binary", folds=5))
    assert "5-fold cross-validation: each text was predicted by a model trained on the other folds." in page.words(
        "top"
    )
    assert "pooled over 5 folds" in page.words("making")
    assert "test rows once" not in page.words("making")


def test_without_texts_the_report_says_so(tmp_path):
    page = page_of(write_run(tmp_path, ["neg", "pos"], "binary", mistakes=[]))
    assert "This run stores no texts" in page.words("mistakes")


def test_a_run_that_lacks_almost_everything_still_has_a_report(tmp_path):
    write_run(tmp_path, ["neg", "pos"], "binary", n=50)
    for name in ("predictions.parquet", "mistakes.json"):
        (tmp_path / name).unlink()
    (tmp_path / "run.json").write_text("{}")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    (tmp_path / "metrics.json").write_text(
        json.dumps({"task": "binary", "test": None, "validation": metrics["validation"]})
    )
    page = page_of(tmp_path)
    assert "There is no test split" in page.words("top")
