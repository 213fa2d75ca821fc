"""``GET /v1/models`` and ``GET /v1/model``."""

import json


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
