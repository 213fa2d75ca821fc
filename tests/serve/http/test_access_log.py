"""The log is JSON and never contains a text or a key unless it should."""

import io
import json
from typing import ClassVar

from tagline.serve.http.access_log import AccessLog
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


def test_lines_are_written_whole_and_at_most_4096_bytes_at_a_time():
    class Stream(io.StringIO):
        parts: ClassVar[list[str]] = []

        def write(self, part):
            self.parts.append(part)
            return len(part)

    stream = Stream()
    log = AccessLog(stream, worker=3)
    for n in range(200):
        log.write("info", "test", message="ü" * n)
    log.write("info", "test", message="x" * 10_000)
    log.close()
    written = "".join(stream.parts).splitlines()
    assert [len(json.loads(line)["message"]) for line in written] == [*range(200), 10_000]
    assert {json.loads(line)["worker"] for line in written} == {3}
    assert all(part.endswith("\n") for part in stream.parts)
    assert all(len(part.encode()) <= 4096 or part.count("\n") == 1 for part in stream.parts)
    assert len(stream.parts) < 30
