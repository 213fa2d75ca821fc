"""The page in Chromium: from disk, without a network, against Python."""

import csv
import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tagline import TextClassifier, load_dataset
from tagline.export.html import PageExport, export_page
from tagline.export.html.accuracy_loss import BOUND
from tagline.runs.predicting.predict import predict_file
from tagline.runs.predicting.prediction_row import PredictionOptions
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.synthetic_texts import made_up, unclear

pytestmark = pytest.mark.slow  # trains, exports and starts browsers
CHROMIUM = "/usr/bin/chromium"
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
ODD = ["", "İSTANBUL ΟΔΟΣ 👩‍👩‍👧 e\u0301", "我喜欢 film\u200b <br /> good"]

ASK = """async (texts) => {
  const answers = [];
  for (const text of texts) {
    const start = performance.now();
    const found = await taglineBackend.explain("model", text, null);
    answers.push([found.prediction, found.probabilities, performance.now() - start]);
  }
  return answers;
}"""
# Bytes travel as characters: lists of numbers take Playwright long.
LABEL = """async (characters) => {
  const progress = [];
  const onProgress = (done, total) => progress.push([done, total]);
  const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0));
  const file = new File([bytes], "reviews.csv", { type: "text/csv" });
  const labelled = await taglineBackend.label("model", file, { onProgress });
  let written = "";
  for (const byte of new Uint8Array(await labelled.arrayBuffer())) written += String.fromCharCode(byte);
  return [written, labelled.encoding, progress];
}"""
# How long nothing else on the page got a turn while a file was labelled.
LONGEST_PAUSE = """async (csv) => {
  let longest = 0, last = performance.now(), done = false;
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!done) setTimeout(tick, 0);
  };
  tick();
  await taglineBackend.label("model", new File([csv], "reviews.csv"), {});
  done = true;
  return longest;
}"""


@dataclass(frozen=True)
class Exported:
    """A run's model, and its page."""

    clf: TextClassifier
    page: PageExport


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("small")
    texts, labels = made_up(600)
    run = train_run(list(zip(texts, labels, strict=True)), TrainSettings(), out=folder / "run")
    replay = folder / "replay.csv"
    pl.DataFrame({"text": made_up(1000, seed=2)[0]}).write_csv(replay)
    model = run.folder / "model"
    return Exported(
        TextClassifier.load(model), export_page(model, folder / "page.html", replay=replay, title="Reviews & more")
    )


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("three")
    rows = folder / "rows.csv"
    pl.DataFrame(unclear(1500), ["text", "label"]).write_csv(rows)
    model = train_run(str(rows), TrainSettings(), out=folder / "run").folder / "model"
    return Exported(TextClassifier.load(model), export_page(model, folder / "page.html"))


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("reviews")
    reviews = load_dataset("movie-reviews").train
    rows = folder / "reviews.csv"  # of a file, the test rows are read again
    pl.DataFrame({"text": reviews.texts, "label": reviews.labels}).gather_every(2).write_csv(rows)
    model = train_run(str(rows), TrainSettings(settings=("model.C=1",)), out=folder / "run").folder / "model"
    return Exported(TextClassifier.load(model), export_page(model, folder / "page.html"))


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Page, list[str]]]:
    """A page that is offline, and its requests, errors and words on the console.

    The tests share it, as a new context costs four times as much as loading the page again.
    """
    heard: list[str] = []
    # Playwright runs once in a process at a time, and other modules need it too.
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET) as browser:
        context = browser.new_context()
        context.set_offline(True)
        page = context.new_page()
        page.on("request", lambda request: None if request.url.startswith("file:") else heard.append(request.url))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("console", lambda message: heard.append(message.text))
        yield page, heard


@pytest.fixture
def heard(shared: tuple[Page, list[str]]) -> list[str]:
    """Requests, errors and words on the console of the browser's page: each fails a test that has not asked for it."""
    return shared[1]


@pytest.fixture
def page(shared: tuple[Page, list[str]]) -> Iterator[Page]:
    page, heard = shared
    page.set_viewport_size({"width": 1280, "height": 720})
    yield page
    found = [*heard]
    heard.clear()
    assert found == []


def opened(page: Page, exported: Exported) -> None:
    page.goto(exported.page.path.as_uri())


def compare(page: Page, exported: Exported, texts: list[str]) -> list[float]:
    """Hold the page's answers against Python's; return how long each took, in ms."""
    classes = [str(name) for name in exported.clf.classes_]
    answers = page.evaluate(ASK, texts)
    proba = np.array([[found[name] for name in classes] for _, found, _ in answers])
    expected = exported.clf.predict_proba(texts)
    assert np.abs(proba - expected).max() <= max(exported.page.losses.largest, BOUND)
    differ = np.array([label for label, _, _ in answers]) != exported.clf.predict(texts)
    # Labels may differ in a tie only.
    ties = np.abs(expected[:, 1] - exported.clf.threshold_) <= BOUND
    assert not (differ & ~ties).any()
    return [ms for _, _, ms in answers]


def csv_of(texts: list[str]) -> str:
    return pl.DataFrame({"id": range(len(texts)), "text": texts}).write_csv()


def test_answers_are_pythons(page: Page, small: Exported) -> None:
    opened(page, small)
    compare(page, small, [*made_up(50, seed=3)[0], *ODD])


@pytest.mark.parametrize(
    ("separator", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), ("|", "cp1252")]
)
def test_a_csv_comes_back_as_predict_writes_it(
    page: Page, small: Exported, tmp_path: Path, separator: str, encoding: str
) -> None:
    odd = ODD if encoding.startswith("utf") else ["", "caf\u00e9 \u20ac, very good"]
    texts = [*made_up(300, seed=3)[0], *odd, 'of "two"\nlines, good']
    frame = pl.DataFrame({"id": range(len(texts)), "text": texts})
    suffix = "tsv" if separator == "\t" else "csv"
    source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    unreadable = f"1{separator}2{separator}3\n"
    source.write_text(frame.write_csv(separator=separator) + unreadable, encoding=encoding, newline="")
    predict_file(small.clf, source, target)
    opened(page, small)
    characters, found_encoding, progress = page.evaluate(LABEL, source.read_bytes().decode("latin-1"))
    written = characters.encode("latin-1")
    assert found_encoding == ("Windows-1252" if encoding == "cp1252" else None)
    assert written.startswith(b"\xef\xbb\xbf") == (encoding != "utf-8")  # else Excel takes it for Windows-1252
    expected, found = (
        list(csv.reader(StringIO(content.decode(wide), newline=""), delimiter=separator))
        for content, wide in (
            (target.read_bytes(), "utf-16" if encoding == "utf-16" else "utf-8-sig"),
            (written, "utf-8-sig"),
        )
    )
    assert found[0] == ["id", "text", "prediction", "probability", "reason"]
    assert [(row[:2], row[4]) for row in found] == [(row[:2], row[4]) for row in expected]
    for row, other in zip(found[1:], expected[1:], strict=True):
        assert (row[2] == "") == (row[3] == "") == (other[2] == "")
        if row[2] and row[2] == other[2]:
            assert abs(float(row[3]) - float(other[3])) <= BOUND
            assert len(row[3].partition(".")[2]) <= 4
    assert progress[-1] == [len(texts) + 1, len(texts) + 1]


def test_lines_that_are_utf8_stay_so_in_a_file_that_is_not(page: Page, small: Exported) -> None:
    opened(page, small)
    content = "text\ncaf\u00e9 one\n".encode() + "caf\u00e9 two\nna\u00efve\n".encode("cp1252")
    written, encoding, _ = page.evaluate(LABEL, content.decode("latin-1"))
    assert encoding == "Windows-1252"
    assert [line.split(",")[0] for line in written.encode("latin-1").decode("utf-8-sig").splitlines()] == [
        "text",
        "caf\u00e9 one",
        "caf\u00e9 two",
        "na\u00efve",
    ]


def test_a_file_that_is_mostly_utf8_has_unreadable_rows_as_in_predict(
    page: Page, small: Exported, tmp_path: Path
) -> None:
    opened(page, small)
    content = "text\ncaf\u00e9 one\ncaf\u00e9 two\n".encode() + "na\u00efve\n".encode("cp1252")
    written, encoding, _ = page.evaluate(LABEL, content.decode("latin-1"))
    (tmp_path / "rows.csv").write_bytes(content)
    predict_file(small.clf, tmp_path / "rows.csv", tmp_path / "expected.csv")
    assert encoding is None
    last = written.encode("latin-1").decode().splitlines()[-1]
    assert last == (tmp_path / "expected.csv").read_text().splitlines()[-1]
    assert "byte 0xEF at position 3 of the row is not UTF-8" in last


def test_a_file_that_cannot_be_read_is_an_error_in_words(page: Page, small: Exported) -> None:
    opened(page, small)
    ask = """async (characters) => {
      const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0));
      const file = new File([bytes], "reviews.csv");
      return taglineBackend.label("model", file, {}).catch((error) => error.message);
    }"""
    not_text = "The file is not text that can be read: save it as “CSV UTF-8”."
    assert page.evaluate(ask, gzip.compress(csv_of(made_up(300)[0]).encode()).decode("latin-1")) == not_text
    assert page.evaluate(ask, "text\ngood\n".encode("utf-16-le").decode("latin-1")) == not_text
    assert page.evaluate(ask, "text,a\nx\n") == (
        "1 of 1 rows cannot be read (more than 50 %); the first is line 2: 2 fields expected, 1 found."
    )


def test_an_aborted_file_stops(page: Page, small: Exported) -> None:
    opened(page, small)
    ask = """async (csv) => {
      const stop = new AbortController();
      const options = { onProgress: () => stop.abort(), signal: stop.signal };
      return taglineBackend.label("model", new File([csv], "x.csv"), options).catch((error) => error.name);
    }"""
    assert page.evaluate(ask, csv_of(made_up(100)[0] * 500)) == "AbortError"


def test_nothing_can_be_loaded_or_sent(page: Page, heard: list[str], small: Exported) -> None:
    html = small.page.path.read_text()
    assert html.index("Content-Security-Policy") < html.index("<style>")
    opened(page, small)
    page.evaluate("""() => {
      window.blocked = [];
      document.addEventListener("securitypolicyviolation", (event) => window.blocked.push(event.effectiveDirective));
    }""")
    tries = """async () => {
      await fetch("data:text/plain,x").catch(() => null);
      const add = (name, content) => document.body.append(Object.assign(document.createElement(name), content));
      add("script", { textContent: "window.ran = true" });
      add("iframe", { src: "https://example.org/" });
      await new Promise((resolve) => setTimeout(resolve, 50));
      return [window.blocked, window.ran];
    }"""
    blocked, ran = page.evaluate(tries)
    page.goto("about:blank")  # what is said of a frame may come late, but not later than this
    assert len(heard) >= 3
    assert all("Content Security Policy" in words for words in heard), heard
    heard.clear()
    assert {"connect-src", "script-src-elem"} <= set(blocked)
    assert ran is None


def test_a_thousand_reviews(page: Page, reviews: Exported) -> None:
    exported = reviews.page
    assert exported.bytes == exported.path.stat().st_size <= 5_000_000
    assert exported.bits == 8
    assert exported.losses.accuracy is not None
    assert exported.losses.page_accuracy is not None
    assert exported.losses.accuracy - exported.losses.page_accuracy <= 0.002
    started = time.perf_counter()
    opened(page, reviews)
    page.evaluate("taglineBackend.explain('model', 'A good film.', null)")
    assert time.perf_counter() - started < 10  # 0.5 s when nothing else runs
    texts = list(load_dataset("movie-reviews").test.texts)[:1000]
    ms = compare(page, reviews, texts)
    assert float(np.median(ms)) < 20
    # Some 30 ms when nothing else runs, out of 800 for the whole file; something else is unlikely to come in twice.
    assert any(page.evaluate(LONGEST_PAUSE, csv_of(texts)) < 500 for _ in range(3))


def test_a_person_types_a_text_and_sees_what_decided(page: Page, small: Exported) -> None:
    opened(page, small)
    assert page.inner_text("h1") == "Reviews & more"
    page.fill("#text", "👍🏽 the film was lovely, a joy")
    page.wait_for_selector("#explanation:not([hidden])")
    (expected,) = small.clf.predict(["👍🏽 the film was lovely, a joy"])
    assert page.inner_text("#verdict") == expected
    assert "lovely" in page.inner_text("#highlighted")
    assert "lovely" in page.inner_text("#decided")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_to_a_text_opens_it(page: Page, small: Exported) -> None:
    page.goto(small.page.path.as_uri() + "#text=a%20dull%20mess")
    page.wait_for_selector("#explanation:not([hidden])")
    assert page.input_value("#text") == "a dull mess"


def test_a_person_drops_a_file_and_gets_it_labelled(page: Page, small: Exported, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(csv_of(made_up(200, seed=3)[0]))
    opened(page, small)
    page.click("#tab-file")
    page.set_input_files("#file", source)
    page.wait_for_selector("#labelled:not([hidden])")
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(target)
    labelled = pl.read_csv(target)
    assert labelled.columns == ["id", "text", "prediction", "probability", "reason"]
    assert labelled["prediction"].to_list() == small.clf.predict(labelled["text"]).tolist()


def test_a_person_chooses_when_the_model_answers(page: Page, three: Exported) -> None:
    texts, _ = unclear(300, seed=5)
    threshold = three.clf.abstention_threshold(0.95)
    proba, sets = three.clf.predict_proba(texts).max(axis=1), three.clf.predict_sets(texts)
    unlike = three.clf.novelty_p_values(texts) <= 0.05
    row = next(k for k in range(300) if proba[k] < threshold - BOUND and len(sets[k]) == 2 and not unlike[k])
    opened(page, three)
    page.fill("#text", texts[row])
    page.wait_for_selector("#explanation:not([hidden])")
    assert page.inner_text("#verdict") == three.clf.predict([texts[row]])[0]
    assert page.inner_text("#prediction-set") == f"With 90 % probability one of: {', '.join(sets[row])}."
    page.select_option("#answered", "0.95")
    assert page.inner_text("#verdict") == "unsure"
    assert page.inner_text("#sureness").startswith(f"Most probable: {sets[row][0]}, ")
    page.fill("#text", texts[int(proba.argmax())])
    expect(page.locator("#verdict")).to_have_text(sets[int(proba.argmax())][0])


@pytest.mark.parametrize("choice", ["0.95", "least"])
def test_a_file_is_answered_as_predict_answers_it(page: Page, three: Exported, tmp_path: Path, choice: str) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    texts = [*unclear(300, seed=5)[0], ""]
    source.write_text(csv_of(texts))
    options = PredictionOptions(**({"unsure_below": 0.8} if choice == "least" else {"abstain": 0.95}), sets=0.9)
    predict_file(three.clf, source, target, options)
    opened(page, three)
    page.click("#tab-file")
    page.select_option("#answered", choice)
    if choice == "least":
        page.fill("#least", "80")
    page.check("#sets")
    page.set_input_files("#file", source)
    page.wait_for_selector("#labelled:not([hidden])")
    with page.expect_download() as download:
        page.click("#download")
    found, expected = (pl.read_csv(path, infer_schema=False) for path in (download.value.path(), target))
    assert found.columns == expected.columns
    assert found.columns[2:] == ["prediction", "probability", "prediction_set", "reason"]
    close = found["probability"].cast(pl.Float64) - expected["probability"].cast(pl.Float64)
    assert close.abs().max() <= three.page.losses.largest
    proba = three.clf.predict_proba(texts)
    least = 0.8 if choice == "least" else three.clf.abstention_threshold(0.95)
    thresholds = np.array([least, three.clf.set_threshold(0.9)])
    distance = np.abs(proba[:, :, np.newaxis] - thresholds).min(axis=(1, 2))  # (n_texts,)
    away = pl.Series(distance > three.page.losses.largest)  # decisions may differ where a threshold is near
    assert away.mean() > 0.5
    assert found.drop("probability").filter(away).equals(expected.drop("probability").filter(away))
    n_unsure = int((found["reason"] == "unsure").sum())
    assert n_unsure > 30
    assert f"The model is unsure of {n_unsure} texts, which have no prediction." in page.inner_text("#file-notes")


def test_the_card_says_what_is_known_of_the_page(page: Page, small: Exported) -> None:
    exported = small.page
    assert (exported.bits, exported.n_features, exported.losses.different) == (8, small.clf.n_features_, 0)
    assert exported.losses.rows >= 1000
    opened(page, small)
    page.click("#tab-model")
    card = page.inner_text("#panel-model")
    assert all(sentence in card for sentence in exported.card)


def test_the_card_counts_texts_that_only_the_page_or_only_the_model_answers(three: Exported) -> None:
    assert three.page.losses.unsure is not None
    assert three.page.losses.unsure <= 20
    assert any(f"at most {three.page.losses.unsure:,} of 1,000 real texts" in said for said in three.page.card)
