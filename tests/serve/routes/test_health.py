"""Whether requests should be sent to this server."""

import asyncio
import io
from types import SimpleNamespace
from typing import Any, cast

import httpx

from tagline.serve.app import make_app
from tagline.serve.http.access_log import AccessLog
from tagline.serve.metrics import Metrics
from tagline.serve.settings import ServerSettings
from tagline.serve.state import Service


def get(service: Service, path: str) -> httpx.Response:
    async def work() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(service))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

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
