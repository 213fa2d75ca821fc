"""Paths and methods that do not exist."""


def test_paths_and_methods_that_are_not_there(client):
    answer = client.get("/nope")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = client.get("/static/../secrets")
    assert answer.status_code == 404
    answer = client.get("/v1/predict")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert client.post("/v1/explain", json={"text": "x", "class": "c9"}).status_code == 422
