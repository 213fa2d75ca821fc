"""Files on the served page: labelled, counted, downloaded, and refused in words."""

from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import expect

from tagline import TextClassifier
from tagline.runs.predicting.predict import predict_file
from tests.synthetic_texts import made_up
from tests.web.browsing import Heard, Opener, ready

pytestmark = pytest.mark.slow  # models are trained, and a browser started


def test_a_csv_comes_back_as_predict_writes_it(opened: Opener, runs: dict[str, Path], tmp_path: Path) -> None:
    source, target = tmp_path / "reviews.csv", tmp_path / "expected.csv"
    texts = ["=1+1, good", *made_up(120, seed=3)[0], 'of "two"\nlines, good', "İ 👩‍👩‍👧", ""]
    rows = pl.DataFrame({"id": range(-1, len(texts) - 1), "text": texts})
    source.write_text("Reviews of May\n\n" + rows.write_csv())
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
    page.locator("#escape-formulas").check()
    with page.expect_download() as download:
        page.locator("#download").click()
    escaped = pl.read_csv(download.value.path(), infer_schema=False)
    assert escaped["text"].to_list() == expected["text"].str.replace("^=", "'=").to_list()
    assert escaped["id"].to_list() == [str(n) for n in range(-1, len(texts) - 1)]
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


def test_labelling_can_be_cancelled(opened: Opener) -> None:
    page = ready(opened())
    page.locator("#tab-file").click()
    page.route("**/v1/predict/file*", lambda route: None)
    page.locator("#file").set_input_files({"name": "x.csv", "mimeType": "text/csv", "buffer": b"text\ngood\n"})
    expect(page.locator("#progress-label")).to_contain_text("x.csv")
    page.locator("#cancel").click()
    expect(page.locator("#working")).to_be_hidden()
    expect(page.locator("#labelled")).to_be_hidden()
