"""The served page on a phone, by keyboard and for assistive technology; reports on any screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tagline.report.comparison import render_comparison
from tests.report.test_comparison_page import document
from tests.web.browsing import DESK, PHONE, REVIEW, Opener, ready

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
    for control in ("answered", "sets", "choose"):
        page.keyboard.press("Tab")
        expect(page.locator(f"#{control}")).to_be_focused()
    with page.expect_file_chooser():
        page.keyboard.press("Enter")


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
        page.locator("#answered").select_option("least")
        page.locator("#least").fill("100")
        expect(page.locator("#verdict")).to_have_text("unsure")
        page.locator("#tab-file").click()
        page.locator("#sets").check()
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
