"""Limits on texts and on concurrent requests."""

import httpx

from tests.serve.service import post, read_answer, serving, waited

PATIENCE = 30  # for a busy machine; who is never cut off takes minutes


def test_a_long_text_is_truncated_on_request_only(client):
    text = "great " * 300 + "dull " * 300
    assert client.post("/v1/predict", json={"text": text}).status_code == 422
    assert client.post("/v1/explain", json={"text": text}).status_code == 422
    body = {"texts": [text, "great"], "truncate": True, "probabilities": True}
    cut, whole = client.post("/v1/predict", json=body).json()["predictions"]
    assert (cut["truncated"], whole["truncated"]) == (True, False)
    expected = client.post("/v1/predict", json={"text": text[:2000], "probabilities": True}).json()["predictions"][0]
    assert cut["probabilities"] == expected["probabilities"]
    explained = client.post("/v1/explain", json={"text": text, "truncate": True}).json()
    assert explained["truncated"] is True
    assert max(end for _, end, _ in explained["words"]) <= 2000


def test_too_many_concurrent_requests_get_retry_after(models, tmp_path):
    with serving(tmp_path, models["two"], "--max-concurrent", 2) as server, server.client() as client:
        request = post("/v1/predict", b'{"text": "a great film"}')
        waiting = [server.connect() for _ in range(2)]
        for connection in waiting:
            connection.sendall(request[:-5])
        answer = waited(lambda: refused(client), PATIENCE)
        assert answer.json()["error"]["code"] == "overloaded"
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == 200
        assert 'tagline_rejected_total{code="overloaded"}' in client.get("/metrics").text
        for connection in waiting:
            connection.sendall(request[-5:])
            assert read_answer(connection)[0] == 200
            connection.close()
        assert client.post("/v1/predict", json={"text": "great"}).status_code == 200


def refused(client: httpx.Client) -> httpx.Response | None:
    answer = client.post("/v1/predict", json={"text": "great"})
    return answer if answer.status_code == 429 else None


def test_a_long_text_in_a_file_is_rejected_with_its_row(client):
    rows = b"text\nshort\n" + b"word " * 10_000 + b"\n"
    answer = client.post("/v1/predict/file", content=rows, headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_file")
    assert "row 2 has" in answer.json()["error"]["message"]
