"""The served page in Chromium, as people use it."""

from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tagline import TextClassifier
from tagline.explain import explain_text
from tagline.report.comparison import render_comparison
from tagline.runs.predicting.predict import predict_file
from tests.report.test_comparison_page import document
from tests.synthetic_texts import made_up
from tests.web.browsing import DESK, KEY, PHONE, Heard, Opener

pytestmark = pytest.mark.slow  # models are trained, and a browser started

TABS = ("try", "file", "model")
# Axe needs milliseconds for each element, and a confusion matrix of 77 classes has thousands of cells in a few colours.
# Its structure is checked as a whole once; for the rest, one cell of each look is enough.
REMOVE_REPEATED_CELLS = """() => {
  const cells = [...document.querySelectorAll("table.matrix td")];
  const looks = new Set();
  const repeated = cells.filter((cell) => {
    const style = getComputedStyle(cell);
    const look = [style.color, style.backgroundColor, style.fontSize, style.fontWeight, cell.children.length].join();
    return looks.size === looks.add(look).size;
  });
  for (const cell of repeated) cell.remove();
  return repeated.length;
}"""
# What scrolls sideways; the cells of a confusion matrix of many classes cannot be narrower.
SCROLLS = """() => [...document.querySelectorAll("body, .scroll, .sheet, pre")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
  .filter((e) => !e.querySelector(":scope > .heat, :scope > .matrix.small, :scope > svg.wide"))
  .map((e) => [e.clientWidth, e.scrollWidth, e.textContent.trim().slice(0, 80)])"""
CONTRAST = "color-contrast"
REVIEW = "The good film 👩‍👩‍👧 was dull, a lovely ending"


def ready(page: Page) -> Page:
    expect(page.locator("#subtitle")).not_to_be_empty()
    return page


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


def test_a_csv_comes_back_as_predict_writes_it(opened: Opener, runs: dict[str, Path], tmp_path: Path) -> None:
    source, target = tmp_path / "reviews.csv", tmp_path / "expected.csv"
    texts = [*made_up(120, seed=3)[0], 'of "two"\nlines, good', "İ 👩‍👩‍👧", ""]
    source.write_text("Reviews of May\n\n" + pl.DataFrame({"id": range(len(texts)), "text": texts}).write_csv())
    clf = TextClassifier.load(runs["two"] / "model")
    predict_file(clf, source, target)
    page = ready(opened())
    page.locator("#tab-file").click()
    with page.expect_file_chooser() as chooser:
        page.locator("#choose").click()
    chooser.value.set_files(source)
    labelled = f"{len(texts) - 1} of {len(texts)} rows labelled"
    expect(page.locator("#labelled-heading")).to_have_text(f"reviews.csv: {labelled}")
    expect(page.locator("#file-notes li")).to_have_text(
        ["The table begins in line 3: what stands above it was not read.", "1 text is empty and has no prediction."]
    )
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "reviews-labelled.csv"
    expected, found = pl.read_csv(target), pl.read_csv(download.value.path())
    assert found.drop("probability").equals(expected.drop("probability"))
    assert (found["probability"] - expected["probability"]).abs().max() < 1e-9
    shown = {
        row.locator("th").text_content(): row.locator("td").first.text_content()
        for row in page.locator("#counts tbody tr").all()
    }
    assert shown == {name: str(n) for name, n in expected["prediction"].drop_nulls().value_counts().iter_rows()}
    lines = [4 + k + int(k > len(texts) - 3) for k in range(len(texts))]  # a text of two lines
    placed = expected.with_columns(line=pl.Series(lines))
    least_sure = placed.drop_nulls("prediction").sort("probability", "line").head(5)
    rows = page.locator("#least-sure tbody tr")
    assert [row.locator("td").last.text_content() for row in rows.all()] == [str(n) for n in least_sure["line"]]
    cut = [
        text if len(text) <= 100 else f"{text[:100].rstrip()}…" for text in least_sure["text"].str.replace("\n", " ")
    ]
    assert [row.locator("th").text_content() for row in rows.all()] == cut


def test_what_is_unusual_in_a_file_is_said(opened: Opener) -> None:
    page = ready(opened())
    page.locator("#tab-file").click()
    content = "id;text\r\n1;gr\u00e9at\r\n2\r\n3;\r\n4;dull; x\r\n5;good\r\n6;fine\r\n".encode("cp1252")
    page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.locator("#labelled-heading")).to_have_text("x.csv: 3 of 6 rows labelled")
    expect(page.locator("#file-notes li")).to_have_text(
        [
            "The file is not UTF-8: it was read as Windows-1252.",
            "1 text is empty and has no prediction.",
            "2 rows cannot be read and have no prediction.",
        ]
    )
    with page.expect_download() as download:
        page.locator("#download").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "\ufeffid;text;prediction;probability;reason"
    assert lines[2] == "2;;;;2 fields expected, 1 found"


def test_a_dropped_file_of_several_labels_is_counted(opened: Opener) -> None:
    page = ready(opened("#model=several"))
    page.locator("#tab-file").click()
    drop = """(zone) => {
      const carried = new DataTransfer();
      carried.items.add(new File(["text\\ngood goal\\nthe film\\n"], "two.csv", { type: "text/csv" }));
      for (const name of ["dragenter", "dragover", "drop"]) {
        zone.dispatchEvent(new DragEvent(name, { dataTransfer: carried, bubbles: true, cancelable: true }));
      }
    }"""
    page.locator("#drop").evaluate(drop)
    expect(page.locator("#labelled-heading")).to_have_text("two.csv: 2 rows labelled")


def test_the_text_column_is_chosen_where_it_is_not_clear(opened: Opener, heard: Heard) -> None:
    page = ready(opened("#model=several"))
    page.locator("#tab-file").click()
    expect(page.locator("#panel-file")).to_contain_text("read from the column text, as in training")
    content = b"a,b\ngood goal,the\nthe film,market\n"
    page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.locator("#file-problem")).to_contain_text("no column looks like a text")
    options = page.locator("#text-column option")
    expect(options).to_have_text(["choose a column", "a", "b"])
    page.locator("#text-column").select_option("a")
    expect(page.locator("#labelled-heading")).to_have_text("x.csv: 2 rows labelled")
    expect(page.locator("#file-problem")).to_be_hidden()
    expect(options).to_have_text(["a", "b"])
    counts = page.locator("#counts").text_content()
    page.locator("#text-column").select_option("b")
    expect(page.locator("#counts")).not_to_have_text(counts or "")
    expect(page.locator("#labelled-heading")).to_have_text("x.csv: 2 rows labelled")
    expect(page.locator("#text-column")).to_have_value('["b"]')
    assert all("422" in said for said in heard.words)  # Chromium's own note of the status
    heard.words.clear()


def test_labels_have_a_threshold_and_a_text_without_one_its_nearest(opened: Opener, runs: dict[str, Path]) -> None:
    page = ready(opened("#text=zzz&model=several"))
    expect(page.locator("#subtitle")).to_contain_text("Micro F1 is")
    clf = TextClassifier.load(runs["several"] / "model")
    proba = clf.predict_proba(["zzz"])[0]
    assert proba.max() < clf.threshold_
    expect(page.locator("#verdict")).to_have_text("no label")
    expect(page.locator("#sureness")).to_contain_text(f"; nearest: {clf.classes_[proba.argmax()]}, ")
    expect(page.locator("#sureness")).to_contain_text("Nothing above ")
    expect(page.locator("#threshold")).to_contain_text("a label is assigned above")
    lines = page.locator("#bars .track b")
    expect(lines).to_have_count(len(clf.classes_))
    place = lines.first.evaluate("(line) => parseFloat(line.style.insetInlineStart)")
    assert place == pytest.approx(100 * clf.threshold_)
    page.locator("#model").select_option("two")
    expect(page.locator("#bars li")).to_have_count(2)
    expect(page.locator("#threshold")).to_be_hidden()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "no column looks like a text"),
        (b"text,n\n" + b"good\n" * 3, "3 of 3 rows cannot be read"),
        (b"", "is empty"),
        (b"text\n", "x.csv has no rows"),
    ],
)
def test_a_file_that_cannot_be_labelled_is_an_error_in_words(
    opened: Opener, heard: Heard, content: bytes, words: str
) -> None:
    page = ready(opened())
    page.locator("#tab-file").click()
    page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.locator("#file-problem")).to_contain_text(words)
    expect(page.locator("#working")).to_be_hidden()
    expect(page.locator("#labelled")).to_be_hidden()
    assert all("422" in said for said in heard.words)  # Chromium's own note of the status
    heard.words.clear()


def test_a_request_to_a_busy_server_is_retried(opened: Opener, heard: Heard) -> None:
    page = ready(opened())
    refused = []

    def answer(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route)
        told = '{"error": {"code": "overloaded", "message": "Too many requests: try again in a second."}}'
        route.fulfill(status=429, headers={"Retry-After": "1"}, content_type="application/json", body=told)

    page.route("**/v1/explain", answer)
    page.locator("#text").fill("good")
    expect(page.locator("#problem")).to_have_text("Too many requests: try again in a second.")
    expect(page.locator("#verdict")).to_have_text("c0")
    expect(page.locator("#problem")).to_be_hidden()
    assert all("429" in said for said in heard.words)
    heard.words.clear()


def test_labelling_can_be_cancelled(opened: Opener) -> None:
    page = ready(opened())
    page.locator("#tab-file").click()
    page.route("**/v1/predict/file*", lambda route: None)
    page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": b"text\ngood\n"})
    expect(page.locator("#progress-label")).to_contain_text("x.csv")
    page.locator("#cancel").click()
    expect(page.locator("#working")).to_be_hidden()
    expect(page.locator("#labelled")).to_be_hidden()


def test_a_server_that_is_gone_is_an_error_in_words(opened: Opener, heard: Heard) -> None:
    page = ready(opened())
    page.context.set_offline(True)
    page.locator("#text").fill("good")
    expect(page.locator("#problem")).to_have_text("The server cannot be reached: is it still running?")
    page.context.set_offline(False)
    page.locator("#text").fill("good film")
    expect(page.locator("#verdict")).to_have_text("c0")
    expect(page.locator("#problem")).to_be_hidden()
    heard.words.clear()


def test_what_is_known_of_the_model(opened: Opener) -> None:
    page = ready(opened())
    page.locator("#tab-model").click()
    expect(page.locator("#about svg")).to_have_count(2)  # calibration and ROC
    expect(page.locator(".matrix tbody tr")).to_have_count(2)
    expect(page.locator("#about")).to_contain_text("95 % interval")
    expect(page.locator("#about")).to_contain_text("This model classifies texts as c0 or c1.")
    page.locator("summary").first.click()
    expect(page.locator("details table").first).to_be_visible()


@pytest.mark.parametrize("model", ["two", "several", "many"])
def test_nothing_is_wider_than_a_phone(opened: Opener, model: str) -> None:
    text = "good " + "pneumonoultramicroscopicsilicovolcanoconiosis" * 4 + " שלום עולם 👍 w7 v7"
    page = ready(opened(f"#model={model}", viewport=PHONE))
    page.locator("#text").fill(text)
    expect(page.locator("#highlighted")).to_have_text(text)
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"], tab
        tables = "[...document.querySelectorAll('.scroll:has(.figures)')]"
        assert page.evaluate(f"{tables}.every((one) => one.scrollWidth <= one.clientWidth)")


def test_no_report_scrolls_sideways(browser: Browser, runs: dict[str, Path]) -> None:
    pages = [(run / "report.html").read_text(encoding="utf-8") for run in runs.values()]
    with browser.new_context() as context:
        page = context.new_page()
        for html in [*pages, *(render_comparison(document(n)) for n in (2, 3))]:
            page.set_content(html.replace("<details", "<details open"))
            for viewport in (DESK, PHONE):
                page.set_viewport_size(viewport)
                assert page.evaluate(SCROLLS) == []


def test_the_keyboard_is_enough(opened: Opener) -> None:
    page = ready(opened())
    page.keyboard.press("Tab")
    expect(page.locator("#skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("good but dull")
    expect(page.locator("#highlighted mark")).to_have_count(3)
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.localName") == "mark":
            break
    expect(page.locator("#reading")).to_contain_text("“good”")
    page.keyboard.press("End")
    expect(page.locator("#reading")).to_contain_text("“dull”")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#reading")).to_contain_text("“but”")
    page.locator("#tab-try").focus()
    for key, tab in (
        ("ArrowRight", "file"),
        ("End", "model"),
        ("ArrowRight", "try"),
        ("ArrowLeft", "model"),
        ("Home", "try"),
    ):
        page.keyboard.press(key)
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        expect(page.locator(f"#panel-{tab}")).to_be_visible()
        assert page.locator("[role=tabpanel]:visible").count() == 1
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(page.locator("#choose")).to_be_focused()
    with page.expect_file_chooser():
        page.keyboard.press("Enter")


def test_the_page_prompts_for_a_key_and_stores_it(opened: Opener, heard: Heard, locked_server: str) -> None:
    page = opened(address=locked_server)
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_have_text("The server does not accept this key.")
    page.locator("#key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#key-form")).to_be_hidden()
    page.locator("#text").fill("good")
    expect(page.locator("#verdict")).to_have_text("c0")
    assert page.evaluate("sessionStorage.taglineKey") == KEY
    page.reload()
    expect(page.locator("#key-form")).to_be_hidden()
    ready(page)
    assert all("401" in words for words in heard.words)
    heard.words.clear()


def test_a_key_that_no_header_can_hold_is_not_taken(opened: Opener, heard: Heard, locked_server: str) -> None:
    page = opened("#text=good", address=locked_server)
    expect(page.locator("#key")).to_be_focused()
    page.locator("#key").fill("ключ")
    page.locator("#key-form button").click()
    expect(page.locator("#key:invalid")).to_be_focused()
    assert page.evaluate("sessionStorage.getItem('taglineKey')") is None
    page.locator("#key").fill(KEY)
    page.locator("#key-form button").click()
    expect(page.locator("#verdict")).to_have_text("c0")
    heard.words.clear()


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESK), ("dark", PHONE)], ids=["light", "dark"])
def test_no_accessibility_fault(opened: Opener, scheme: str, viewport: dict[str, int]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()

    def check(page: Page, **rules: object) -> None:
        found = axe.run(page, options={"resultTypes": ["violations"], **rules})
        serious = [
            (page.url, fault["id"], fault["nodes"][0]["html"], fault["nodes"][0]["failureSummary"])
            for fault in found.response["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert serious == []

    for model, text in (("two", REVIEW), ("many", "w3 v3 v9")):
        page = ready(opened(f"#model={model}", color_scheme=scheme, viewport=viewport))
        page.locator("#text").fill(text)
        expect(page.locator("#highlighted")).to_have_text(text)
        page.locator("#tab-file").click()
        page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": b"text\ngood\n"})
        expect(page.locator("#labelled")).to_be_visible()
        page.locator("#tab-model").click()
        expect(page.locator("table.matrix")).to_be_visible()
        check(page, rules={CONTRAST: {"enabled": False}})
        assert page.evaluate(REMOVE_REPEATED_CELLS) > 0
        for tab in TABS:
            page.locator(f"#tab-{tab}").click()
            check(page)
    check(opened("docs", color_scheme=scheme, viewport=viewport))
