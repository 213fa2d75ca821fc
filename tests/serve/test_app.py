"""Paths and methods that do not exist."""


def test_unknown_paths_and_methods(client):
    answer = client.get("/nope")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = client.get("/static/../secrets")
    assert answer.status_code == 404
    answer = client.get("/v1/predict")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert client.post("/v1/explain", json={"text": "x", "class": "c9"}).status_code == 422
