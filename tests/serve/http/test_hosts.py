"""The `Host` of requests: a page that lets its name resolve to this machine must not use the model."""

import pytest

from tagline.cli.commands.serve import _allowed_hosts
from tagline.serve.http.hosts import is_allowed
from tests.serve.conftest import KEY


@pytest.mark.parametrize("path", ["/", "/v1/predict", "/v1/models", "/metrics", "/docs"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "192.0.2.1", "[::2]"])
def test_other_names_are_not_answered(client, path, host):
    answer = client.request("POST" if path == "/v1/predict" else "GET", path, headers={"Host": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "unknown_host")
    assert "--allow-host" in answer.json()["error"]["message"]


def test_this_machine_is_answered_by_any_of_its_names(client, server):
    for host in ("localhost", "LocalHost:1", "127.0.0.1", "127.8.8.8:80", "[::1]", f"[::1]:{server.port}"):
        assert client.get("/v1/models", headers={"Host": host}).status_code == 200, host


def test_with_a_key_any_name_is_answered(locked):
    with locked.client() as client:
        assert client.get("/v1/models", headers={"Host": "models.example", "X-API-Key": KEY}).status_code == 200


def test_names_can_be_added():
    names = _allowed_hosts(["Models.example."], "127.0.0.1", checked=True)
    assert is_allowed("models.EXAMPLE:443", names)
    assert not is_allowed("other.example", names)
    assert _allowed_hosts([], "0.0.0.0", checked=False) is None
    assert _allowed_hosts(["models.example"], "0.0.0.0", checked=False) == {"models.example", "0.0.0.0"}
