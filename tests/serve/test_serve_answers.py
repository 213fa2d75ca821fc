"""What the service answers is what the classifier says."""

import csv
import io
import json

import pytest

from tagline import TextClassifier
from tagline.explain import explain_text
from tests.synthetic_texts import made_up

TEXTS = [*made_up(20, 4, seed=5)[0], "", "\0", "İstanbul ß 👍🏽", "<b>&amp;</b>", "x" * 2000]


@pytest.fixture(scope="session", params=["two", "four", "labels"])
def name(request):
    return request.param


@pytest.fixture(scope="session")
def classifier(models, name):
    return TextClassifier.load(models[name])


def test_predictions_are_those_of_the_classifier(client, classifier, name):
    body = {"texts": TEXTS, "model": name, "probabilities": True, "top_k": 2}
    answer = client.post("/v1/predict", json=body).json()
    assert answer["model"] == name
    proba = classifier.predict_proba(TEXTS)
    for row, found in enumerate(answer["predictions"]):
        decided = classifier.decide(proba[row : row + 1]).tolist()[0]
        assert found["prediction"] == decided
        assert list(found["probabilities"]) == classifier.classes_.tolist()
        assert list(found["probabilities"].values()) == pytest.approx(proba[row], abs=1e-12)
        assert found["probability"] == (None if name == "labels" else max(found["probabilities"].values()))
        best = sorted(found["probabilities"].items(), key=lambda pair: -pair[1])[:2]
        assert [(given["class"], given["probability"]) for given in found["top"]] == best
        assert found["truncated"] is False


def test_one_text_gets_what_it_gets_among_many(client, name):
    together = client.post("/v1/predict", json={"texts": TEXTS, "model": name, "probabilities": True}).json()
    for text, found in zip(TEXTS, together["predictions"], strict=True):
        alone = client.post("/v1/predict", json={"text": text, "model": name, "probabilities": True}).json()
        assert alone["predictions"] == [found]


def test_a_threshold_decides(client, classifier, name):
    asked = {"texts": TEXTS, "model": name, "threshold": 0.999}
    answer = client.post("/v1/predict", json=asked)
    if name == "four":
        assert answer.status_code == 422
        assert answer.json()["error"]["field"] == "threshold"
        return
    decided = classifier.decide(classifier.predict_proba(TEXTS), threshold=0.999).tolist()
    assert [found["prediction"] for found in answer.json()["predictions"]] == decided


def test_explanations_are_those_of_the_classifier(client, classifier, name):
    text = "a great film 👍🏽 and a dull goal"
    for class_name in (None, "c1"):
        asked = {"text": text, "model": name} | ({"class": class_name} if class_name else {})
        answer = client.post("/v1/explain", json=asked).json()
        expected = explain_text(classifier, text, class_name)
        assert answer["class"] == expected.class_name
        assert answer["score"] == pytest.approx(expected.score, abs=1e-12)
        assert answer["intercept"] + sum(p["value"] for p in answer["contributions"]) == pytest.approx(answer["score"])
        assert [tuple(word) for word in answer["words"]] == [pytest.approx(word) for word in expected.words()]
        assert [part["spans"] for part in answer["contributions"]] == [
            [list(span) for span in part.spans] for part in expected.contributions
        ]
        assert list(answer["probabilities"]) == classifier.classes_.tolist()


def test_models_are_listed_and_told_of(client, models):
    listed = client.get("/v1/models").json()["models"]
    assert [(m["name"], m["default"]) for m in listed] == [("two", True), ("four", False), ("labels", False)]
    for given in listed:
        index = json.loads((models[given["name"]] / "tagline.json").read_bytes())
        told = client.get("/v1/model", params={"model": given["name"]}).json()
        assert told["version"] == given["version"] == index["sha256"]
        assert told["classes"] == index["classes"]
        assert told["task"] == index["task"]
    assert client.get("/v1/model").json()["name"] == "two"


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
        assert [float(row[f"proba:{class_name}"]) for row in rows] == pytest.approx(proba[:, column], abs=1e-12)
    predicted = [json.loads(row["prediction"]) if name == "labels" else row["prediction"] for row in rows]
    assert predicted == classifier.decide(proba).tolist()


def test_json_lines_come_back_labelled_as_either(client):
    lines = b'{"text": "great", "n": 1.50}\n{"n": 2, "text": "dull"}\n'
    answer = client.post("/v1/predict/file", content=lines, headers=JSON_LINES)
    assert answer.headers["content-type"] == "application/x-ndjson"
    first, second = answer.text.splitlines()
    assert first.startswith('{"text": "great", "n": 1.50,"prediction":"c0"')
    assert json.loads(second)["prediction"] == "c1"
    as_table = client.post("/v1/predict/file?format=csv", content=lines, headers=JSON_LINES)
    assert as_table.text.splitlines()[0] == "text,n,prediction,probability"


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
def test_files_that_cannot_be_labelled(client, query, body, status, said):
    answer = client.post(f"/v1/predict/file{query}", content=body, headers=CSV)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert "/tmp" not in answer.text


def test_rows_that_cannot_be_read_are_counted_and_few(client):
    good = b'{"text": "great"}\n' * 500
    answer = client.post("/v1/predict/file", content=good + b"{\n", headers=JSON_LINES)
    assert answer.status_code == 200
    assert (answer.headers["x-tagline-rows"], answer.headers["x-tagline-rejected"]) == ("500", "1")
    answer = client.post("/v1/predict/file", content=good + b"{\n" * 100, headers=JSON_LINES)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_file"


CSV, JSON_LINES = {"Content-Type": "text/csv"}, {"Content-Type": "application/x-ndjson"}
