"""``GET /v1/models`` and ``GET /v1/model``."""

import json


def test_models_are_listed_and_described(client, models):
    listed = client.get("/v1/models").json()["models"]
    assert [(m["name"], m["default"]) for m in listed] == [("two", True), ("four", False), ("labels", False)]
    for given in listed:
        index = json.loads((models[given["name"]] / "tagline.json").read_bytes())
        found = client.get("/v1/model", params={"model": given["name"]}).json()
        assert found["version"] == given["version"] == index["sha256"]
        assert found["classes"] == index["classes"]
        assert found["task"] == index["task"]
    assert client.get("/v1/model").json()["name"] == "two"


def test_one_model_is_named_once(client):
    answer = client.get("/v1/model?model=labels&model=four")
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "model")
