"""Failures while the page is used: unusual texts, late answers, a server that is busy or gone, a wrong key."""

import pytest
from playwright.sync_api import Route, expect

from tests.web.browsing import KEY, PHONE, Heard, Opener, ready

pytestmark = pytest.mark.slow  # models are trained, and a browser started

PASTE = "(field, text) => { field.value = text; field.dispatchEvent(new Event('input')); }"
CSV = {"name": "x.csv", "mimeType": "text/csv", "buffer": b"text\ngood\n"}


@pytest.mark.parametrize(
    "text",
    [
        "good 🎬👩‍👩‍👧 lovely 😀 dull",
        "مرحبا good بالعالم dull",
        "<img src=x onerror=alert(1)> good & </textarea><script>dull</script>",
        "good " + "x" * 3000 + " dull",
        "good\u0000\u200b e\u0301\u0301 dull \ud800 lovely",
        "good\n\n\tlovely\ndull  awful",
    ],
    ids=["emoji", "right to left", "markup", "a long word", "no characters", "white space"],
)
def test_no_text_breaks_the_page(opened: Opener, text: str) -> None:
    page = ready(opened(viewport=PHONE))
    page.locator("#text").evaluate(PASTE, text)
    expect(page.locator("#highlighted mark", has_text="dull")).to_have_count(1)
    expect(page.locator("#highlighted mark", has_text="good").first).to_be_visible()
    assert page.locator("#highlighted").evaluate("shown => shown.textContent") == page.locator("#text").input_value()
    assert page.locator("#highlighted :not(mark)").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_text_beyond_the_limit_shows_what_was_read_and_has_no_link(opened: Opener) -> None:
    page = ready(opened())
    page.locator("#text").evaluate(PASTE, ("хорошо " * 20 + "good\n") * 2_000)
    expect(page.locator("#sureness")).to_contain_text("only its beginning was used")
    read = page.locator("#highlighted").evaluate("shown => shown.textContent")
    assert 99_900 < len(read) <= 100_002
    assert read.endswith(" …")
    page.locator("#copy").click()
    expect(page.locator("#copied")).to_contain_text("too long for a link")


def test_the_model_chosen_last_is_shown_though_an_earlier_ones_answer_comes_later(opened: Opener) -> None:
    page = ready(opened())
    held: list[Route] = []
    page.route("**/v1/model?model=many", lambda route: held.append(route))
    page.locator("#model").select_option("many")
    page.locator("#model").select_option("several")
    expect(page.locator("#subtitle")).to_contain_text("Assigns any of")
    with page.expect_response("**/v1/model?model=many"):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(page.locator("#model")).to_have_value("several")
    expect(page.locator("#subtitle")).to_contain_text("Assigns any of")


def test_a_model_that_cannot_be_had_leaves_the_choice_at_the_one_that_answers(opened: Opener, heard: Heard) -> None:
    page = ready(opened())
    page.route("**/v1/model?model=many", lambda route: route.abort())
    page.locator("#model").select_option("many")
    expect(page.locator("#problem")).to_contain_text("cannot be reached")
    expect(page.locator("#model")).to_have_value("two")
    heard.words.clear()


def test_a_file_that_another_model_was_labelling_is_given_up(opened: Opener) -> None:
    """Its answers would be shown under the name of another model."""
    page = ready(opened())
    page.locator("#tab-file").click()
    page.route("**/v1/predict/file*", lambda route: None)
    page.locator("#file").set_input_files(CSV)
    expect(page.locator("#working")).to_be_visible()
    with page.expect_event("requestfailed"):
        page.locator("#model").select_option("several")
    expect(page.locator("#working")).to_be_hidden()
    expect(page.locator("#labelled")).to_be_hidden()


def test_a_name_that_looks_like_a_list_is_counted_as_a_name(opened: Opener) -> None:
    page = ready(opened())
    answer = "text,prediction,probability,reason\na,[1],0.9,\n"
    headers = {"Content-Type": "text/csv", "X-Tagline-Separator": ",", "X-Tagline-Text-Columns": "0"}
    page.route("**/v1/predict/file*", lambda route: route.fulfill(body=answer, headers=headers))
    page.locator("#tab-file").click()
    page.locator("#file").set_input_files(CSV)
    expect(page.locator("#counts tbody th")).to_have_text("[1]")


def test_what_could_not_be_judged_is_not_called_nothing(opened: Opener, heard: Heard) -> None:
    page = ready(opened())
    page.route("**/v1/explain", lambda route: route.abort())
    page.locator("#text").fill("good")
    expect(page.locator("#problem")).to_contain_text("cannot be reached")
    expect(page.locator("#sureness")).not_to_contain_text("No text yet")
    page.locator("#text").fill("")
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#sureness")).to_contain_text("No text yet")
    heard.words.clear()


def test_no_request_goes_to_another_host(opened: Opener, server: str) -> None:
    page = ready(opened())
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.reload()
    page.locator("#text").fill("good")
    expect(page.locator("#verdict")).to_have_text("c0")
    assert len(requested) > 3
    assert all(url.startswith(server) for url in requested)


def test_colours_that_the_system_forces_leave_the_marks_apart(opened: Opener) -> None:
    page = ready(opened("#text=good+but+dull", forced_colors="active"))
    expect(page.locator("#highlighted mark", has_text="dull")).to_be_visible()
    style = "mark => getComputedStyle(mark).textDecorationStyle"
    assert {mark.evaluate(style) for mark in page.locator("#highlighted mark").all()} == {"solid", "dotted"}


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
