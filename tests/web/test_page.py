"""The served page in Chromium, as people use it: texts, models, links, and what is known of a model."""

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tagline import TextClassifier
from tagline.explain import explain_text
from tests.synthetic_texts import made_up, unclear
from tests.web.browsing import PHONE, REVIEW, Opener, ready

pytestmark = pytest.mark.slow  # models are trained, and a browser started


def typed(page: Page, text: str) -> Page:
    ready(page).locator("#text").press_sequentially(text)
    expect(page.locator("#highlighted")).to_have_text(text)
    return page


def test_a_review_gets_a_verdict_and_highlights_as_it_is_typed(opened: Opener, runs: dict[str, Path]) -> None:
    page = typed(opened(), REVIEW)
    clf = TextClassifier.load(runs["two"] / "model")
    expected = explain_text(clf, REVIEW)
    expect(page.locator("#verdict")).to_have_text(expected.prediction)
    expect(page.locator("#sureness")).to_have_text(f"Probability {100 * expected.proba:.1f} %")
    expect(page.locator("#bars li")).to_have_count(2)
    strongest = max(abs(value) for _, _, value in expected.words())
    marked = [
        (REVIEW[start:end], "for" if value > 0 else "against")
        for start, end, value in expected.words()
        if abs(value) > 0.02 * strongest
    ]
    marks = [
        (m.text_content(), (m.get_attribute("class") or "").split()[0]) for m in page.locator("#highlighted mark").all()
    ]
    assert marks == marked
    assert {way for _, way in marks} == {"for", "against"}
    first = page.locator("#decided tbody tr").first
    expect(first.locator("th summary")).to_have_text(expected.by_word[0].name)
    first.locator("th summary").click()
    expect(first.locator("th li").first).to_contain_text(expected.by_word[0].features[0].name)
    score = (page.locator("#decided tfoot tr").last.locator("td").last.text_content() or "").replace("−", "-")
    assert float(score) == pytest.approx(expected.score, abs=0.005)


def test_a_text_unlike_the_training_texts_is_marked(opened: Opener) -> None:
    page = typed(opened(), "Ein Satz auf Deutsch")
    expect(page.locator("#unlike")).to_be_visible()
    page.locator("#text").fill(made_up(1)[0][0])
    expect(page.locator("#unlike")).to_be_hidden()


def test_another_class_is_explained_on_request(opened: Opener) -> None:
    page = typed(opened(), REVIEW)
    good = page.locator("#highlighted mark", has_text="good")
    before = good.get_attribute("class")
    verdict = page.locator("#verdict").text_content()
    page.locator("#explained").select_option("c1" if verdict == "c0" else "c0")
    expect(good).not_to_have_class(before or "")
    expect(page.locator("#verdict")).to_have_text(verdict or "")


def test_pointing_at_a_word_says_what_it_adds(opened: Opener) -> None:
    page = typed(opened(), REVIEW)
    page.locator("#highlighted mark", has_text="dull").hover()
    expect(page.locator("#reading")).to_contain_text("“dull” is evidence")


def test_an_empty_text_has_no_verdict(opened: Opener) -> None:
    page = typed(opened(), "good")
    for empty in ("", " \x85"):  # U+0085 is white space in Unicode, but not for `trim`
        page.locator("#text").fill("good")
        expect(page.locator("#highlighted")).to_have_text("good")
        page.locator("#text").fill(empty)
        expect(page.locator("#explanation")).to_be_hidden()
        expect(page.locator("#verdict")).to_have_text("–")


def test_the_last_text_wins_over_a_slow_answer_to_an_earlier_one(opened: Opener) -> None:
    page = ready(opened())
    held = []
    page.route("**/v1/explain", lambda route: held.append(route) if not held else route.continue_())
    with page.expect_request("**/v1/explain"):
        page.locator("#text").fill("bad awful")
    page.locator("#text").fill("good great lovely")
    expect(page.locator("#highlighted")).to_have_text("good great lovely")
    assert len(held) == 1
    page.wait_for_timeout(100)
    expect(page.locator("#highlighted")).to_have_text("good great lovely")


def test_an_example_is_taken_over(opened: Opener) -> None:
    page = ready(opened())
    example = page.locator("#example-list button").first
    text = example.locator("span").text_content()
    example.click()
    expect(page.locator("#text")).to_have_value(text or "")
    expect(page.locator("#highlighted")).to_have_text(text or "")


def test_a_link_brings_its_text_and_its_model(opened: Opener, server: str) -> None:
    page = typed(opened(permissions=["clipboard-read", "clipboard-write"]), "good + great & 100 % #1 👍")
    page.locator("#copy").click()
    expect(page.locator("#copied")).to_contain_text("copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{server}#text=")
    other = ready(opened(address=link))
    expect(other.locator("#highlighted")).to_have_text("good + great & 100 % #1 👍")
    expect(other.locator("#model")).to_have_value("two")
    other.goto(f"{server}#text=w3+v3&model=many")
    expect(other.locator("#model")).to_have_value("many")
    expect(other.locator("#highlighted")).to_have_text("w3 v3")
    expect(other.locator("#verdict")).to_have_text("مرحبا بالعالم")


def test_a_link_to_a_model_that_is_gone_says_so(opened: Opener) -> None:
    page = ready(opened("#text=good&model=gone"))
    expect(page.locator("#problem")).to_contain_text("“gone”, which this server does not have")
    expect(page.locator("#highlighted")).to_have_text("good")


def test_another_model_judges_the_same_text(opened: Opener) -> None:
    page = typed(opened(), "good goal")
    page.locator("#model").select_option("several")
    expect(page.locator("#bars li")).to_have_count(3)
    expect(page.locator("#subtitle")).to_contain_text("Assigns any of")
    expect(page.locator("#highlighted")).to_have_text("good goal")


def test_many_classes_are_shown_on_request(opened: Opener) -> None:
    page = ready(opened("#text=w5+v5&model=many"))
    expect(page.locator("#verdict")).to_have_text("🎬 <b>bold</b> & film")
    expect(page.locator("#bars li")).to_have_count(8)
    page.locator("#all-classes").click()
    expect(page.locator("#bars li")).to_have_count(77)
    page.locator("#all-classes").click()
    expect(page.locator("#bars li")).to_have_count(8)


def test_long_names_break_only_after_an_underscore(opened: Opener) -> None:
    page = ready(opened("#model=many", viewport=PHONE))
    page.locator("#tab-model").click()
    names = page.get_by_role("region", name="Words by class").locator("tbody th bdi")
    name = names.filter(has_text="a_class_with_a_rather_long_name_00")
    expect(name).to_have_text("a_class_with_a_rather_long_name_00")
    lines = name.evaluate("""(name) => {
        const parts = [...name.childNodes].filter((part) => part.nodeType === Node.TEXT_NODE);
        return parts.map((part) => {
            const range = document.createRange();
            range.selectNodeContents(part);
            return [...range.getClientRects()].map(({ top }) => top);
        });
    }""")
    assert [len(tops) for tops in lines] == [1] * 8
    assert len({tops[0] for tops in lines}) > 1  # the name needs several lines
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_labels_have_a_threshold_and_a_text_without_one_its_nearest(opened: Opener, runs: dict[str, Path]) -> None:
    page = ready(opened("#text=zzz&model=several"))
    expect(page.locator("#subtitle")).to_contain_text("Micro F1 is")
    clf = TextClassifier.load(runs["several"] / "model")
    proba = clf.predict_proba(["zzz"])[0]
    assert (proba < clf.threshold_).all()
    expect(page.locator("#verdict")).to_have_text("no label")
    expect(page.locator("#sureness")).to_contain_text(f"; nearest: {clf.classes_[proba.argmax()]}, ")
    expect(page.locator("#sureness")).to_contain_text("Nothing above ")
    expect(page.locator("#threshold")).to_contain_text("a label is assigned above")
    expect(page.locator("[for=explained]")).to_have_text("Label to explain")
    expect(page.locator("#explained option").first).to_have_text("predicted label")
    lines = page.locator("#bars .track b")
    expect(lines).to_have_count(len(clf.classes_))
    place = lines.first.evaluate("(line) => parseFloat(line.style.insetInlineStart)")
    assert place == pytest.approx(100 * np.broadcast_to(clf.threshold_, proba.shape)[proba.argsort()[-1]])
    page.locator("#model").select_option("two")
    expect(page.locator("#bars li")).to_have_count(2)
    expect(page.locator("#threshold")).to_be_hidden()


def test_costs_decide_against_the_most_probable_class(opened: Opener, runs: dict[str, Path]) -> None:
    clf = TextClassifier.load(runs["costs"] / "model")
    texts, _ = unclear(300, seed=4)
    proba, predicted = clf.predict_proba(texts), clf.predict(texts)
    row = int(np.flatnonzero(predicted != clf.classes_[proba.argmax(axis=1)])[0])
    page = ready(opened(f"#text={quote(texts[row])}&model=costs"))
    expect(page.locator("#verdict")).to_have_text(predicted[row])
    expect(page.locator("#threshold")).to_contain_text("smallest expected cost")
    page.locator("#model").select_option("unclear")
    expect(page.locator("#threshold")).to_be_hidden()


def test_the_table_of_labels_has_their_thresholds(opened: Opener, runs: dict[str, Path]) -> None:
    clf = TextClassifier.load(runs["several"] / "model")
    assert len(set(clf.threshold_.tolist())) > 1
    page = ready(opened("#model=several"))
    page.get_by_role("tab", name="Model").click()
    table = page.locator("table.figures")
    expect(table.locator("thead th").last).to_have_text("threshold")
    for row, threshold in enumerate(clf.threshold_):
        expect(table.locator("tbody tr").nth(row).locator("td").last).to_have_text(f"{100 * threshold:.0f} %")
    page.locator("#model").select_option("two")
    expect(table.locator("thead th").last).to_have_text("texts")


def test_what_is_known_of_the_model(opened: Opener) -> None:
    page = ready(opened())
    page.locator("#tab-model").click()
    expect(page.locator("#about svg")).to_have_count(2)  # calibration and ROC
    expect(page.locator(".matrix tbody tr")).to_have_count(2)
    expect(page.locator("#about")).to_contain_text("95 % interval")
    expect(page.locator("#about")).to_contain_text("This model classifies texts as c0 or c1.")
    page.locator("summary").first.click()
    expect(page.locator("details table").first).to_be_visible()
