"""``POST /v1/predict/file``: files come back labelled."""

import asyncio
import csv
import io
import itertools
import json
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect, Request

from tagline.serve.http.errors import ApiError
from tagline.serve.http.limits import Limits
from tagline.serve.routes.predict_file import _Clock, _FileResponse, _full_disk_as_api_error, _receive
from tests.synthetic_texts import made_up


def as_csv(rows):
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def test_a_csv_file_comes_back_labelled(client, classifier, name):
    texts = ["plain", 'with "quotes", commas', "two\nlines", *made_up(2500, 4, seed=9)[0]]
    body = as_csv([["id", "text"], *([i, text] for i, text in enumerate(texts))])
    query = {"model": name, "probabilities": "true", "top_k": 1}
    with client.stream("POST", "/v1/predict/file", params=query, content=body, headers=CSV) as answer:
        assert answer.status_code == 200
        assert answer.headers["x-tagline-rows"] == str(len(texts))
        rows = list(csv.DictReader(io.StringIO(answer.read().decode(), newline="")))
    assert [row["text"] for row in rows] == texts
    assert [row["id"] for row in rows] == [str(i) for i in range(len(texts))]
    proba = classifier.predict_proba(texts)
    for column, class_name in enumerate(classifier.classes_):
        assert [float(row[f"proba:{class_name}"]) for row in rows] == pytest.approx(
            proba[:, column].round(4), abs=1e-12
        )
    predicted = [json.loads(row["prediction"]) if name == "labels" else row["prediction"] for row in rows]
    assert predicted == classifier.decide(proba).tolist()


def test_texts_unlike_the_training_texts_have_a_reason(client):
    body = as_csv([["text"], [made_up(1, 4, seed=5)[0][0]], ["Ein Satz auf Deutsch"]])
    found = client.post("/v1/predict/file", params={"novelty": 0.05}, content=body, headers=CSV)
    usual, unlike = csv.DictReader(io.StringIO(found.text))
    assert usual["prediction"]
    assert usual["reason"] == ""
    assert unlike["prediction"] == unlike["probability"] == ""
    assert unlike["reason"] == "unlike the training texts"


def test_json_lines_come_back_labelled_as_either(client):
    lines = b'{"text": "great", "n": 1.50}\n{"n": 2, "text": "dull"}\n'
    answer = client.post("/v1/predict/file", content=lines, headers=JSON_LINES)
    assert answer.headers["content-type"] == "application/x-ndjson"
    first, second = answer.text.splitlines()
    assert first.startswith('{"text": "great", "n": 1.50,"prediction":"c0"')
    assert json.loads(second)["prediction"] == "c1"
    as_table = client.post("/v1/predict/file?format=csv", content=lines, headers=JSON_LINES)
    assert as_table.text.splitlines()[0] == "text,n,prediction,probability,reason"


def test_formulas_are_escaped_on_request(client):
    path, formulas = "/v1/predict/file?escape_formulas=true", b"text,=n\n=great,-1\n"
    lines = client.post(path, content=formulas, headers=CSV).text.splitlines()
    assert [line.split(",")[:2] for line in lines] == [["text", "'=n"], ["'=great", "-1"]]
    assert "=great,-1,c0" in client.post("/v1/predict/file", content=formulas, headers=CSV).text
    refused = client.post(path, content=b'{"text": "great"}\n', headers=JSON_LINES)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_request")
    assert "`format=csv`" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "body", "status", "said"),
    [
        ("", b"", 422, "is empty"),
        ("?text=nope", b"id,text\n1,x\n", 422, "no column `nope`"),
        ("?format=xml", b"text\nx\n", 422, "`format`"),
        ("?top_k=-1", b"text\nx\n", 422, "`top_k`"),
        ("?threshold=2", b"text\nx\n", 422, "`threshold`"),
        ("?model=four&threshold=0.5", b"text\nx\n", 422, "two classes"),
        ("?nope=1", b"text\nx\n", 422, "`nope`"),
        ("?model=nope", b"text\nx\n", 404, "`nope`"),
        ("", b"\x1f\x8b\x08\x00 packed", 415, "gzip"),
        ("", b"PAR1 and more", 415, "Parquet"),
        ("", b"text\n" + b"x\n" * 300_000, 413, "500,000 bytes"),
        ("", bytes(5000), 422, "not text"),
    ],
)
def test_invalid_files(client, query, body, status, said):
    answer = client.post(f"/v1/predict/file{query}", content=body, headers=CSV)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert "/tmp" not in answer.text


@pytest.mark.parametrize(("query", "field"), [("threshold=0.5&model=four", "threshold"), ("by_class=true", "by_class")])
def test_an_option_that_the_model_does_not_support_is_named_as_for_texts(client, query, field):
    error = client.post(f"/v1/predict/file?{query}", content=b"text\nx\n", headers=CSV).json()["error"]
    assert (error["code"], error["field"]) == ("invalid_request", field)


def test_an_option_is_given_once(client):
    answer = client.post("/v1/predict/file?abstain=0.9&abstain=0.8", content=b"text\nx\n", headers=CSV)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["field"]) == ("invalid_request", "abstain")
    assert error["message"] == "`abstain` is given 2 times: give it once."
    joined = client.post("/v1/predict/file?text=a&text=b", content=b"a,b\ngreat,fun\n", headers=CSV)
    assert joined.headers["x-tagline-text-columns"] == "0,1"


@pytest.mark.parametrize(("query", "content"), [("", b"a,b\n1,2\n"), ("?text=c", b"a,b\nx,y\n")])
def test_an_error_that_another_column_solves_names_the_columns(client, query, content):
    answer = client.post(f"/v1/predict/file{query}", content=content, headers=CSV)
    assert answer.status_code == 422
    assert answer.json()["error"]["columns"] == ["a", "b"]


def test_rows_that_cannot_be_read_are_counted_and_few(client):
    good = b'{"text": "great"}\n' * 500
    answer = client.post("/v1/predict/file", content=b"{\n" + good + b"{\n", headers=JSON_LINES)
    assert answer.status_code == 200
    assert (answer.headers["x-tagline-rows"], answer.headers["x-tagline-rejected"]) == ("502", "2")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert len(rows) == 502
    for row in (rows[0], rows[-1]):
        assert row["prediction"] is None
        assert "not valid JSON" in row["reason"]
    assert all(row["prediction"] and row["reason"] is None for row in rows[1:-1])
    answer = client.post("/v1/predict/file", content=good + b"{\n" * 501, headers=JSON_LINES)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_file"


@pytest.mark.parametrize(
    ("content", "encoding", "separator", "table_line", "first_line"),
    [
        ("May\n\nid,text\n\n1,gr\u00e9at\n".encode("cp1252"), "Windows-1252", ",", "3", "5"),
        ("\ufeffid;text\n1;gr\u00e9at\n".encode(), None, ";", None, "2"),
        ("id\ttext\n1\tgr\u00e9at\n".encode("utf-16"), None, "%09", None, "2"),
    ],
)
def test_the_headers_say_how_the_file_was_read(client, content, encoding, separator, table_line, first_line):
    answer = client.post("/v1/predict/file", content=content, headers=CSV)
    assert answer.headers.get("x-tagline-encoding") == encoding
    assert answer.headers["x-tagline-separator"] == separator
    assert answer.headers["x-tagline-text-columns"] == "1"
    assert answer.headers.get("x-tagline-table-line") == table_line
    assert answer.headers["x-tagline-first-line"] == first_line
    assert "gr\u00e9at" in answer.content.decode()


CSV, JSON_LINES = {"Content-Type": "text/csv"}, {"Content-Type": "application/x-ndjson"}


def test_the_steps_of_a_file_have_a_time_limit_together(monkeypatch):
    seconds = itertools.count(step=20)
    monkeypatch.setattr("tagline.serve.routes.predict_file.perf_counter", lambda: next(seconds))
    clock = _Clock(30)
    assert clock.timed(lambda: "block") == "block"
    with pytest.raises(ApiError, match="not ready within 30 seconds") as raised:
        clock.timed(lambda: "block")
    assert (raised.value.status, raised.value.code) == (504, "timed_out")


def test_a_file_is_released_if_its_client_has_gone_before_the_answer_starts():
    released = []

    async def content():
        yield b"text"

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        raise ClientDisconnect  # it read nothing of an earlier answer on this connection

    response = _FileResponse(content(), {}, lambda: released.append(True))
    with pytest.raises(ClientDisconnect):
        asyncio.run(response({"type": "http"}, receive, send))
    assert released == [True]


def test_a_full_disk_is_the_fault_of_no_client():
    async def receive():
        return {"type": "http.request", "body": b"text\n" + b"x" * 3_000_000, "more_body": False}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(ApiError) as raised, _full_disk_as_api_error():
        asyncio.run(_receive(request, Path("/dev/full"), Limits()))
    assert (raised.value.status, raised.value.code) == (507, "disk_full")
