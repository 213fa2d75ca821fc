"""The OpenAPI description is true: requests that it allows, and those that it does not, get an answer it describes."""

from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_answer_is_described(server, mode):
    import schemathesis  # here, as it takes seconds
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
    ]
    schema = schemathesis.openapi.from_url(f"{server.address}/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
        @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def check(case):
            nonlocal tried
            tried += 1
            case.call_and_validate(checks=checks)

        with suppress(Unsatisfiable):  # there is nothing to get wrong
            check()
    assert tried > 100
    assert not [line for line in server.lines() if line["event"] == "fault"]


def paths(client: httpx.Client) -> Iterator[tuple[str, str, dict]]:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, about in methods.items():
            yield path, method, about


def test_the_examples_are_answered(client):
    tried = 0
    for path, method, about in paths(client):
        for kind, content in about.get("requestBody", {}).get("content", {}).items():
            examples = [e["value"] for e in content.get("examples", {}).values()] or [content["example"]]
            for example in examples:
                body = {"json": example} if kind == "application/json" else {"content": example}
                answer = client.request(method, path, headers={"Content-Type": kind}, **body)
                assert answer.status_code == 200, answer.text
                tried += 1
    assert tried >= 7


def test_every_error_has_the_same_schema_and_an_example(client):
    for path, _, about in paths(client):
        errors = {status: response for status, response in about["responses"].items() if not status.startswith("2")}
        assert "500" in errors, path
        for response in errors.values():
            content = response["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}
            assert content["examples"]
        if path.startswith("/v1/"):
            assert errors["429"]["headers"]["Retry-After"]


def test_the_documents_name_every_path(client):
    page = client.get("/docs").text
    for path, method, _ in paths(client):
        assert f"{method.upper()} {path}" in page
