"""The page: whole in itself, harmless, and with everything in it that a reader needs."""

import json
import re

import polars as pl
import pytest

from tagline.calibration import CALIBRATORS, TemperatureScaling
from tagline.errors import InputError
from tagline.report import write_report
from tagline.report.sections.provenance import provenance
from tagline.report.sections.rows import mistake_cards
from tagline.run_folder import RunFolder
from tests.plots_of_runs import drawn
from tests.report.pages import Page, page_of
from tests.report.synthetic_runs import write_run


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp("binary"), ["neg", "pos"], "binary")
    with drawn():
        html = write_report(folder).read_text(encoding="utf-8")
    return Page(html), html, json.loads((folder / "metrics.json").read_text())["test"]


def test_the_page_is_whole_in_itself(binary):
    page, html, _ = binary
    assert not page.all("script")
    assert not page.all("link")
    assert "@import" not in html
    assert "url(" not in html
    for _, attrs in page.tags:
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            assert (attrs.get(name) or "#").startswith(("#", "data:image/svg+xml;base64,"))
        assert not [name for name in attrs if name.startswith("on")]


def test_links_lead_somewhere_and_ids_are_unique(binary):
    page, _, _ = binary
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"].removeprefix("#") for attrs in page.all("a")} <= set(ids)


def test_the_verdict_and_the_figures(binary):
    page, _, block = binary
    low, high = block["accuracy_ci95"]
    top = page.words("top")
    assert f"{100 * block['accuracy']:.1f} % of 400 test texts correct" in top
    assert f"(95 % interval {100 * low:.1f} to {100 * high:.1f})" in top
    assert "Baseline: always predicting" in top
    figures = page.words("figures")
    for key in ("mcc", "log_loss", "brier", "ece", "roc_auc", "pr_auc", "macro_f1"):
        low, high = block[f"{key}_ci95"]
        assert f"{block[key]:.3f} {low:.3f} to {high:.3f}" in figures, key
    assert "The positive class is pos" in figures


def test_the_confusion_matrix_is_a_table_with_named_cells(binary):
    page, _, block = binary
    words = page.words("confusion").replace(" ", "")
    for name in ("tp", "fp", "fn", "tn"):
        assert f"{name.upper()}{block[name]}" in words
    assert {"scope": "colgroup", "colspan": "2"} in page.all("th")


def test_plots_have_alternative_text(binary):
    page, _, _ = binary
    images = page.pictures()
    assert len(images) == 5  # the sixth, the confusion matrix, is a table
    assert all(len(image["aria-label"]) > 40 and image["width"] and image["height"] for image in images)
    assert len(page.all("figcaption")) == 5
    assert not page.all("img")


def test_plots_have_the_colours_of_the_page(binary):
    _, html, _ = binary
    plots = html[html.index('<section id="plots">') : html.index('<section id="first">')]
    assert "var(--blue)" in plots
    assert "var(--card)" in plots  # the background
    assert not re.search(r"#[0-9a-f]{6}\b", plots)
    defined = set(re.findall(r"(--[a-z-]+):", html[: html.index("</style>")]))
    assert set(re.findall(r"var\((--[a-z-]+)\)", plots)) <= defined


def test_mistakes_show_the_words_that_caused_them(binary):
    page, html, _ = binary
    assert "Predicted neg (99.8 %), labelled pos" in page.words("mistakes")
    assert re.search(r'<mark class="for" style="--a:1.00" title="\+1.300">terrible mess</mark>', html)
    assert re.search(r'<mark class="against" style="--a:0.62" title="-0.800">wonderful</mark>', html)


def test_the_data_and_how_it_was_made(binary):
    page, _, _ = binary
    data = page.words("data")
    for sentence in (
        "4 test texts also in the training rows",
        "96 rows with the text of an earlier row",
        "2 texts hold control characters",
        "3 rows: empty text",
        "1 row could not be read",
        "reviews.csv, line 812: a quote is never closed",
        "20,000 1,325 979 3,391 13,704",
    ):
        assert sentence in data, sentence
    assert "no label" not in data  # nothing was left out for that
    made = page.words("making")
    assert (
        "Tuned on 20,000 held-out rows (5-fold cross-validation of the train rows): C and whether to use "
        "character n-grams; the calibration temperature was fitted on them." in made
    )
    assert "The final model was trained on 20,200 rows." in made
    assert "The validation metrics are those of models that were not trained on these rows." in made  # refit is "no"
    for setting in (
        "word n-grams, length 1 to 2",
        "character n-grams, length 3",
        "minimum texts per n-gram 2",
        "C 0.3",
        "calibration temperature 1.183",
        "decision threshold 0.5",
    ):
        assert setting in made, setting
    assert not [key for key in ("held_out", "tried", "learnt_from") if key in made]
    assert "This run used the 400 test rows once, for these metrics." in made
    assert "peak memory 612 MB" in made
    again = page.words("again")
    for part in (
        "tagline train movie-reviews --seed 0",
        "sha256:9f2c1d7e5b",
        "numpy 2.4.6",
        "system Linux",
        "seed 0",
    ):
        assert part in again, part


def test_hostile_words_stay_words(tmp_path):
    evil = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\x00\x1b\u202e \"'`{{ 7*7 }}"
    classes = ["<b>a</b>", 'x" onmouseover="alert(1)', "\u202egnp.exe\x00"]
    mistake = {
        "text": evil,
        "label": classes[0],
        "prediction": classes[1],
        "probability": 0.9,
        "spans": [[3, 30, 1.0]],
    }
    folder = write_run(tmp_path, classes, "multiclass", n=60, mistakes=[mistake], name=evil, command=evil)
    run = json.loads((folder / "run.json").read_text())
    run["dataset"] |= {"name": evil, "source": evil}
    run["dataset"]["facts"] |= {
        "warnings": [evil],
        "chosen": evil,
        "text_columns": [evil],
        "label_column": evil,
    }
    run["versions"][evil] = evil
    (folder / "run.json").write_text(json.dumps(run))
    html = write_report(folder).read_text(encoding="utf-8")
    page = Page(html)
    assert not page.all("script")
    assert not page.all("img")
    assert len(page.pictures()) == 5
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert not set(html) & set("\x00\x1b\u202e")
    assert "49" not in page.words("mistakes")
    assert "<b>a</b>" in page.words("classes")


def test_names_of_classes_may_break_after_an_underscore(tmp_path):
    html = write_report(write_run(tmp_path, ["card_not_working", "w" * 30, "c"], "multiclass", n=60)).read_text()
    section = html[html.index('<section id="classes">') : html.index('<section id="plots">')]
    assert '<bdi class="whole">card_<wbr>not_<wbr>working</bdi>' in section
    assert f"<bdi>{'w' * 30}</bdi>" in section


def decisions(chosen, protocol, task="binary", **metrics):
    return provenance({"chosen": chosen, "recipe": {"protocol": protocol}}, {"task": task, **metrics})["decisions"]


def test_what_held_out_rows_decided_is_said_as_it_was():
    held = {"rows": 2500, "how": "10% of the train rows, set aside before the final fit"}
    on = f"2,500 held-out rows ({held['how']})"
    temperature, none = {"calibration": "temperature", "refit": "all"}, {"calibration": "none"}
    assert decisions({"held_out": held, "tried": [], "strength": 1.0}, temperature) == [
        f"No setting was tuned; the calibration temperature was fitted on {on}."
    ]
    assert decisions({"held_out": held, "tried": []}, temperature, search={"metric": "accuracy"}) == [
        f"The search selected all settings; the calibration temperature was fitted on {on}."
    ]
    assert decisions({"held_out": held, "tried": []}, none) == [
        f"No setting was tuned: {on} were used for evaluation only."
    ]
    assert decisions({"held_out": held, "tried": ["strength"]}, none) == [f"Tuned on {on}: the strength."]
    assert decisions({"held_out": held, "tried": []}, temperature, "multilabel") == [
        f"No setting was tuned; the calibration temperature and the threshold were fitted on {on}."
    ]
    assert decisions({"held_out": None, "learnt_from": 22500}, temperature, rows={"train": 20000, "test": 70}) == [
        "No rows were held out: no setting was tuned, and the probabilities are not calibrated.",
        "The final model was trained on 22,500 rows.",
        "This run used the 70 test rows once, for these metrics.",
    ]
    assert decisions({}, temperature, validation={"n": 1}) == [
        "The validation metrics are those of models that were not trained on these rows, fitted before the final model."
    ]


def test_what_was_calibrated_is_named_by_its_method(monkeypatch):
    class Slope(TemperatureScaling):
        fitted = "slope"

    monkeypatch.setitem(CALIBRATORS, "slope", Slope)
    temperature = {"temperature": 0.5}
    for method, chosen, named in (
        ("slope", {"calibration": "slope"}, "the calibration slope"),
        ("auto", {"calibration": "slope"}, "the calibration slope"),
        ("auto", temperature, "the calibration temperature"),
        ("temperature", temperature, "the calibration temperature"),
        ("unknown", {"calibration": "unknown"}, "the calibration"),
    ):
        held = {"held_out": {"rows": 100}, "tried": [], **chosen}
        assert decisions(held, {"calibration": method}) == [
            f"No setting was tuned; {named} was fitted on 100 held-out rows."
        ]


def test_first_rows_and_mistakes_have_texts_and_places(tmp_path):
    mistakes = [{"file": "a.csv", "line": 7, "text": "A<br />dull film", "label": "neg", "prediction": "pos"}]
    folder = write_run(tmp_path, ["neg", "pos"], "binary", n=50, mistakes=mistakes)
    words = page_of(folder).words("first")
    assert words.startswith("First rows The first test rows")
    assert re.search(r"\b0 (neg|pos)", words)  # of an earlier version: neither text nor place
    run = RunFolder(folder)
    run.write_record(run.record | {"first_texts": ["Not<br/>bad", "word " * 300]})
    frame = pl.read_parquet(folder / "predictions.parquet")
    place = {"file": pl.Series(["a.csv"] * 50), "line": pl.int_range(2, 52, eager=True)}
    frame.with_columns(**place).write_parquet(folder / "predictions.parquet")
    page = page_of(folder)
    words = page.words("first")
    assert re.search(r"Line True label .* Not bad 2 (neg|pos)", words)
    assert re.search(r"word … 3 (neg|pos)", words)
    assert words.count("word") < 50
    assert "labelled neg line 7 of a.csv" in page.words("mistakes")
    place["file"][1] = None  # one row comes from no file: lines and rows are not mixed in a column
    frame.with_columns(**place).write_parquet(folder / "predictions.parquet")
    assert re.search(r"Row True label .* Not bad 0 .* word … 1 (neg|pos)", page_of(folder).words("first"))
    assert "A\ndull film" in "".join(page.sections["mistakes"])


def test_a_page_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    folder = write_run(tmp_path, ["neg", "pos"], "binary", n=50)
    (folder / "report.html").mkdir()
    with pytest.raises(OSError, match=r"report\.html"):
        write_report(folder)
    assert not list(folder.glob(".report*"))


def test_duplicate_texts_appear_once_among_the_mistakes():
    mistakes = [
        {"text": text, "label": "a", "prediction": "b", "probability": 0.9 - 0.01 * k}
        for k, text in enumerate(["One.", "Two.", "One. ", *map(str, range(30))])
    ]
    cards = mistake_cards(mistakes)
    assert [card["pieces"][0].text for card in cards[:3]] == ["One.", "Two.", "0"]
    assert len(cards) == 20


def test_notes_of_the_run_are_shown(tmp_path):
    note = "This recipe, as its tutorial does, chose its epoch on the test rows."
    assert note in page_of(write_run(tmp_path, ["neg", "pos"], "binary", notes=[note])).words("making")


def test_what_is_not_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is not a run: it has no `run.json`"):
        write_report(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        write_report(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "metrics.json").write_text('{"test": null}')
    with pytest.raises(InputError, match="no metrics"):
        write_report(tmp_path)


def test_writing_again_leaves_only_the_report(binary, tmp_path):
    folder = write_run(tmp_path, ["neg", "pos"], "binary", n=50)
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]
