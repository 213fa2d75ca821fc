"""What the model answers, on the served page: every text, or only where it is sure enough."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page, expect

from tagline import TextClassifier
from tagline.runs.predicting.predict import predict_file
from tagline.runs.predicting.prediction_row import PredictionOptions
from tests.synthetic_texts import unclear
from tests.web.browsing import PHONE, Opener, ready

pytestmark = pytest.mark.slow  # models are trained, and a browser started


@dataclass(frozen=True)
class Unclear:
    """A model, and a text of which it is unsure at 95 %, with two classes in its prediction set."""

    clf: TextClassifier
    text: str
    nearest: str
    proba: float


@pytest.fixture(scope="module")
def unclear_text(runs: dict[str, Path]) -> Unclear:
    clf = TextClassifier.load(runs["unclear"] / "model")
    texts, _ = unclear(300, seed=5)
    proba, novelty = clf.predict_proba(texts), clf.novelty_p_values(texts)
    sizes = [len(found) for found in clf.predict_sets(texts)]
    threshold = clf.abstention_threshold(0.95)
    row = next(k for k, p in enumerate(proba) if p.max() < threshold and sizes[k] == 2 and novelty[k] > 0.1)
    return Unclear(clf, texts[row], str(clf.predict([texts[row]])[0]), float(proba[row].max()))


def opened_with(opened: Opener, text: str, model: str = "unclear", **context: object) -> Page:
    page = ready(opened(f"#model={model}", **context))
    page.locator("#text").fill(text)
    expect(page.locator("#highlighted")).to_have_text(text)
    return page


def test_an_unclear_text_is_unsure_where_95_percent_must_be_right(opened: Opener, unclear_text: Unclear) -> None:
    page, clf = opened_with(opened, unclear_text.text), unclear_text.clf
    expect(page.locator("#verdict")).to_have_text(unclear_text.nearest)
    page.locator("#answered").select_option("0.95")
    expect(page.locator("#verdict")).to_have_text("unsure")
    threshold = clf.abstention_threshold(0.95)
    said = f"Most probable: {unclear_text.nearest}, {100 * unclear_text.proba:.1f} %"
    expect(page.locator("#sureness")).to_have_text(f"{said}, below the threshold of {100 * threshold:.1f} %")
    expect(page.locator("#answered-hint")).to_contain_text("At least 95 % of the answers are right")
    expect(page.locator("#bars .given")).to_have_count(0)
    expect(page.locator("#status")).to_contain_text("unsure, Most probable: ")
    inside = ", ".join(clf.predict_sets([unclear_text.text])[0])
    expect(page.locator("#prediction-set")).to_have_text(f"With 90 % probability one of: {inside}.")
    page.locator("#text").fill("good great lovely")
    expect(page.locator("#verdict")).to_have_text("c0")
    expect(page.locator("#prediction-set")).to_be_hidden()
    page.locator("#text").fill("")
    expect(page.locator("#verdict")).to_have_text("–")
    page.locator("#answered").select_option("")
    expect(page.locator("#answered-hint")).to_be_empty()


def test_levels_name_the_share_of_texts_that_is_answered(opened: Opener, unclear_text: Unclear) -> None:
    page, scores = opened_with(opened, "good"), unclear_text.clf.held_out_
    assert scores is not None
    answered = (scores.confidence >= unclear_text.clf.abstention_threshold(0.95)).mean()
    option = page.locator("#answered option[value='0.95']")
    expect(option).to_have_text(f"only if at least 95 % of answers are right ({100 * answered:.0f} % of texts)")
    page.locator("#answered").select_option("0.95")
    unsure = f"({100 * (1 - answered):.0f} % of texts) are “unsure”."
    expect(page.locator("#answered-hint")).to_contain_text(unsure)


def test_a_probability_of_ones_own(opened: Opener, unclear_text: Unclear) -> None:
    page = opened_with(opened, unclear_text.text, viewport=PHONE)
    expect(page.locator("#least")).to_be_hidden()
    page.locator("#answered").select_option("least")
    page.get_by_label("Least probability in percent").fill("99.5")
    expect(page.locator("#verdict")).to_have_text("unsure")
    expect(page.locator("#sureness")).to_contain_text("below the threshold of 99.5 %")
    page.locator("#least").fill(str(int(100 * unclear_text.proba)))
    expect(page.locator("#verdict")).to_have_text(unclear_text.nearest)
    page.locator("#least").fill("120")  # no probability: the last one stays
    expect(page.locator("#verdict")).to_have_text(unclear_text.nearest)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_choice_goes_with_the_tab_and_stays_with_the_model(opened: Opener, unclear_text: Unclear) -> None:
    page = opened_with(opened, unclear_text.text)
    page.locator("#tab-file").click()
    page.locator("#panel-file #answered").select_option("least")
    page.locator("#least").fill("99.5")
    page.locator("#sets").check()
    page.locator("#tab-try").click()
    expect(page.locator("#panel-try #answered")).to_have_value("least")
    expect(page.locator("#verdict")).to_have_text("unsure")
    page.locator("#model").select_option("two")
    expect(page.locator("#bars li")).to_have_count(2)
    expect(page.locator("#answered")).to_have_value("least")
    page.locator("#model").select_option("several")  # labels have thresholds instead
    expect(page.locator("#subtitle")).to_contain_text("Assigns any of")
    expect(page.locator("#answered")).to_be_hidden()
    expect(page.locator("#verdict")).not_to_have_text("unsure")
    page.locator("#tab-file").click()
    expect(page.locator("#answered")).to_be_hidden()
    expect(page.locator("#sets")).to_be_hidden()
    page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": b"text\ngood goal\n"})
    expect(page.locator("#labelled-heading")).to_have_text("x.csv: 1 row labelled")


def test_the_keyboard_reaches_the_choice(opened: Opener) -> None:
    page = opened_with(opened, "good")
    page.locator("#copy").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Answer", exact=True)).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#least")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#least")).to_be_focused()


def test_a_file_is_labelled_as_predict_labels_it(opened: Opener, unclear_text: Unclear, tmp_path: Path) -> None:
    source = tmp_path / "texts.csv"
    texts = [*unclear(200, seed=6)[0], ""]
    pl.DataFrame({"text": texts}).write_csv(source)

    def expected(**options: float) -> pl.DataFrame:
        predict_file(unclear_text.clf, source, tmp_path / "expected.csv", PredictionOptions(**options))
        return pl.read_csv(tmp_path / "expected.csv", infer_schema=False)

    def downloaded() -> pl.DataFrame:
        with page.expect_download() as download:
            page.locator("#download").click()
        return pl.read_csv(download.value.path(), infer_schema=False)

    page = ready(opened("#model=unclear"))
    page.locator("#tab-file").click()
    page.locator("#answered").select_option("0.95")
    page.locator("#file").set_input_files(source)
    wanted = expected(abstain=0.95)
    n_unsure = int((wanted["reason"] == "unsure").sum())
    assert n_unsure > 20
    heading = page.locator("#labelled-heading")
    expect(heading).to_have_text(f"texts.csv: {200 - n_unsure} of 201 rows labelled")
    notes = [
        "1 text is empty and has no prediction.",
        f"The model is unsure of {n_unsure} texts, which have no prediction.",
    ]
    expect(page.locator("#file-notes li")).to_have_text(notes)
    assert downloaded().equals(wanted)
    expect(page.locator("#least-sure caption")).to_contain_text(f"{n_unsure} of 201 texts are “unsure”.")
    first = page.locator("#least-sure tbody tr").first
    expect(first.locator("td").first).to_have_text("unsure")
    page.locator("#sets").check()  # labels the file again
    expect(heading).to_be_visible()
    wanted = expected(abstain=0.95, sets=0.9)
    assert wanted.columns == ["text", "prediction", "probability", "prediction_set", "reason"]
    assert wanted["prediction_set"].str.contains(", ").any()
    assert downloaded().equals(wanted)
    expect(page.locator("#text-column option")).to_have_text(["text"])
    page.locator("#tab-try").click()
    page.locator("#answered").select_option("least")
    page.locator("#least").fill("80")
    page.locator("#tab-file").click()  # now, as a file is not labelled in a tab that is hidden
    wanted = expected(unsure_below=0.8, sets=0.9)
    n_labelled = 200 - int((wanted["reason"] == "unsure").sum())
    expect(heading).to_have_text(f"texts.csv: {n_labelled} of 201 rows labelled")
    assert downloaded().equals(wanted)
