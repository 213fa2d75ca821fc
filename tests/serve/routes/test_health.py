"""Whether requests should be sent to this server."""

import asyncio
import io
import re
from types import SimpleNamespace
from typing import Any, cast

import httpx

from tagline.serve.app import make_app
from tagline.serve.http.access_log import AccessLog
from tagline.serve.metrics import Metrics
from tagline.serve.settings import ServerSettings
from tagline.serve.state import Service


def get(service: Service, path: str, method: str = "GET") -> httpx.Response:
    async def work() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(service))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path)

    return asyncio.run(work())


def test_a_server_whose_scorer_has_failed_is_alive_but_not_ready() -> None:
    scorer: Any = SimpleNamespace(failure=None)
    log = AccessLog(io.StringIO())
    service = Service(ServerSettings({}), cast("Any", {}), scorer, log, Metrics(()))
    assert get(service, "/readyz").status_code == 200
    scorer.failure = "The scoring thread has ended."
    answer = get(service, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["error"] == {"code": "unavailable", "message": "The scoring thread has ended."}
    assert answer.headers["retry-after"] == "1"
    assert get(service, "/healthz").status_code == 200
    log.close()


def test_health_checks_may_use_head(client):
    for path in ("/healthz", "/readyz", "/"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_a_proxy_may_publish_the_service_below_a_path() -> None:
    log = AccessLog(io.StringIO())
    settings = ServerSettings({}, root_path="/text/tagline", api_key="a-key-that-nobody-guesses")
    scorer: Any = SimpleNamespace(failure=None)
    service = Service(settings, cast("Any", {}), scorer, log, Metrics(()))
    for prefix in ("", "/text/tagline"):  # some proxies remove it
        assert get(service, f"{prefix}/healthz").status_code == 200
        assert get(service, f"{prefix}/readyz", "HEAD").status_code == 200
        assert get(service, f"{prefix}/v1/models").status_code == 401
        page = get(service, f"{prefix}/docs").text
        links = re.findall(r'(?:href|src)="([^"#]+)"', page)
        assert "static/style.css" in links
        assert not [link for link in links if link.startswith("/")]
    assert get(service, "/text/tagline").headers["location"] == "/text/tagline/"
    assert get(service, "/text/tagline?model=a%20b&x").headers["location"] == "/text/tagline/?model=a%20b&x"
    assert get(service, "/text/tagliner/healthz").status_code == 404
    assert get(service, "/openapi.json").json()["servers"] == [{"url": "/text/tagline"}]
    log.close()
