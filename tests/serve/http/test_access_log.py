"""The log is JSON and never contains a text or a key unless it should."""

from tests.serve.service import serving


def test_the_log_is_json_and_contains_texts_on_request(models, tmp_path):
    with serving(tmp_path, models["two"], "--log-texts") as server, server.client() as client:
        client.post("/v1/predict", json={"text": "a great\nfilm"})
        line = server.logged("request")
        assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/predict", 200)
        assert (line["model"], line["texts"], line["level"]) == ("two", 1, "info")
        assert line["logged_texts"] == ["a great\nfilm"]
        assert line["ms"] > 0
        assert line["time"].endswith("+00:00")
