"""The API key, the headers of every answer, CORS and TLS."""

import ssl
import subprocess

import httpx
import pytest

from tests.serve.conftest import KEY, ORIGIN
from tests.serve.service import serving


@pytest.fixture(scope="module")
def authorized(locked):
    with locked.client() as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/predict"),
        ("POST", "/v1/explain"),
        ("POST", "/v1/predict/file"),
        ("GET", "/v1/models"),
        ("GET", "/v1/model"),
        ("GET", "/v1/nothing"),
        ("GET", "/metrics"),
    ],
)
def test_the_key_is_required(authorized, method, path):
    for headers in ({}, {"X-API-Key": "x" + KEY}, {"Authorization": f"Basic {KEY}"}, {"Authorization": "Bearer x"}):
        answer = authorized.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "unauthorized"
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer {KEY}"}):
        assert authorized.request(method, path, headers=headers).status_code != 401


def test_the_page_and_health_checks_need_no_key(authorized):
    for path in ("/", "/static/ui.js", "/static/style.css", "/docs", "/openapi.json", "/healthz", "/readyz"):
        assert authorized.get(path).status_code == 200, path


def test_the_page_has_the_title_that_was_given(authorized):
    answers = [authorized.get(path, headers={"X-API-Key": KEY}).json() for path in ("/v1/model", "/v1/models")]
    assert answers[0]["title"] == "Reviews"
    assert [model["title"] for model in answers[1]["models"]] == ["Reviews"]


def test_the_key_and_the_texts_are_never_logged(authorized, locked):
    secret = "a film that nobody may know of"
    authorized.post("/v1/predict", json={"text": secret}, headers={"X-API-Key": KEY})
    authorized.post("/v1/predict", json={"text": secret}, headers={"X-API-Key": KEY[:-1]})
    authorized.post("/v1/predict", json={"texts": [secret, 1]}, headers={"X-API-Key": KEY})
    authorized.post("/v1/explain", json={"text": secret, "class": "nope"}, headers={"X-API-Key": KEY})
    authorized.get(f"/v1/model?model={KEY}", headers={"X-API-Key": KEY})
    said = locked.logged("request") and locked.text()
    assert "nobody" not in said
    assert KEY[:-1] not in said


def test_pages_of_the_allowed_origin_are_accepted(authorized):
    preflight = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, authorization",
    }
    answer = authorized.options("/v1/predict", headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    refused = authorized.post("/v1/predict", json={"text": "x"}, headers={"Origin": ORIGIN})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == ORIGIN
    other = authorized.options("/v1/predict", headers={**preflight, "Origin": "https://elsewhere.example"})
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers


def test_pages_of_other_origins_are_rejected(client):
    answer = client.post("/v1/predict", json={"text": "x"}, headers={"Origin": ORIGIN})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert client.options("/v1/predict", headers={"Origin": ORIGIN}).status_code == 405


@pytest.mark.parametrize("path", ["/", "/static/ui.js", "/docs", "/v1/models", "/nope", "/metrics"])
def test_every_answer_has_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy
    for name in ("x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy"):
        assert name in headers
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_keep_to_their_own_policy(client, path):
    page = client.get(path).text
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
    assert " onclick=" not in page


def test_tls(models, tmp_path):
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    with serving(tmp_path, models["two"], "--certificate", certificate, "--private-key", key) as server:
        assert server.address.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(base_url=server.address, verify=trusted, trust_env=False) as client:
            answer = client.post("/v1/predict", json={"text": "great"})
            assert answer.status_code == 200
            assert "strict-transport-security" in answer.headers
        with server.connect() as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b"200" not in plain.recv(1000)
        assert server.stop() == 0
