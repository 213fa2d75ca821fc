"""A server over its life: it starts, ends without losing a request, and does not grow; what cannot be served."""

import json
import socket
import subprocess
import sys

import pytest

from tagline.cli import main
from tests.serve.service import TEXTS, Load, post, read_answer, serving, waited


@pytest.mark.slow
@pytest.mark.parametrize("clients", [2, 16])
def test_sigterm_under_load_loses_no_accepted_request(models, tmp_path, clients):
    with serving(tmp_path, models["two"]) as server:
        with Load(server, clients) as load:
            waited(lambda: load.statuses[200] > 100, 60)
            assert server.stop() == 0
            answered = load.statuses[200]
        assert not load.lost
        assert set(load.statuses) == {200}
        assert answered > 100
        assert [line["event"] for line in server.lines()][-1] == "stopped"


def refused(server):
    try:
        socket.create_connection((server.host, server.port), timeout=0.3).close()
    except (ConnectionRefusedError, TimeoutError):
        return True
    return False


def test_sigterm_waits_for_requests_in_progress(models, tmp_path):
    with serving(tmp_path, models["two"]) as server, server.connect() as slow, server.connect() as idle:
        request = post("/v1/predict", b'{"text": "a great film"}')
        slow.sendall(request[:-5])
        idle.sendall(post("/v1/predict", b'{"text": "x"}'))
        assert read_answer(idle)[0] == 200
        with server.connect() as late:
            server.process.terminate()
            waited(lambda: refused(server), 30)
            late.sendall(request)  # on a connection that was let in before
            status, headers, _ = read_answer(late)
            assert (status, headers["connection"]) == (200, "close")
        assert idle.recv(1) == b""
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(timeout=1)
        slow.sendall(request[-5:])
        status, headers, body = read_answer(slow)
        assert (status, headers["connection"]) == (200, "close")
        assert json.loads(body)["predictions"][0]["prediction"] == "c0"
        assert server.process.wait(timeout=30) == 0


def test_a_server_that_stops_is_not_ready(models, tmp_path):
    with (
        serving(tmp_path, models["two"], changed=("server", "_DRAIN_SECONDS", 20)) as server,
        server.connect() as connection,
    ):
        ready = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.sendall(ready)
        assert read_answer(connection)[0] == 200
        server.process.terminate()
        server.logged("stopping")
        connection.sendall(ready)
        status, headers, _ = read_answer(connection)
        assert (status, headers["connection"]) == (503, "close")
        assert server.stop() == 0  # after the second signal it does not wait


@pytest.mark.slow
def test_memory_stays_flat(server, client):
    large = {"texts": ["a great film and a dull plot " * 60] * 50, "probabilities": True}

    def work(rounds):
        for _ in range(rounds):
            client.post("/v1/predict", json=large)
            client.post("/v1/explain", json={"text": TEXTS[0]})
            client.post("/v1/predict", json={"text": 1})
            body = "text\n" + "\n".join(TEXTS * 10)
            client.post("/v1/predict/file", content=body, headers={"Content-Type": "text/csv"})
            with server.connect() as gone:
                gone.sendall(post("/v1/predict", b'{"text": "a great film"}'))

    work(20)
    before = server.memory_mb()
    work(60)
    assert server.memory_mb() < before + 12


def test_the_server_imports_no_training_dependency(models, tmp_path):
    code = (
        "import sys, threading, os, signal, json\n"
        "from pathlib import Path\n"
        "from tagline.serve.server import run_server\n"
        "from tagline.serve.settings import ServerSettings\n"
        f"settings = ServerSettings({{'two': Path({str(models['two'])!r})}}, port=0)\n"
        "run_server(settings, lambda address: os.kill(os.getpid(), signal.SIGTERM))\n"
        "heavy = {'torch', 'sklearn', 'matplotlib', 'pandas', 'onnx', 'tensorflow', 'keras'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def fails(capfd, *arguments):
    capfd.readouterr()
    assert main(["serve", *map(str, arguments), "--quiet"]) in (1, 2)
    message = capfd.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    return message


def test_models_and_options_that_cannot_be_served(models, tmp_path, capfd, monkeypatch, server):
    monkeypatch.delenv("TAGLINE_API_KEY", raising=False)
    two = models["two"]
    assert "name a model" in fails(capfd)
    assert "`nope` does not exist" in fails(capfd, "nope", "--port", 0)
    assert "NAME=PATH" in fails(capfd, "--model", "nope")
    assert "Two models are called `two`" in fails(capfd, two, "--model", f"two={two}")
    assert "2 are served: leave it out" in fails(capfd, two, "--model", f"one={two}", "--title", "Reviews")
    for host in ("0.0.0.0", "::"):
        assert "--insecure" in fails(capfd, two, "--host", host)
    assert f"port {server.port}" in fails(capfd, two, "--port", server.port)
    (tmp_path / "short").write_text("secret")
    message = fails(capfd, two, "--api-key-file", tmp_path / "short")
    assert "16 or more" in message
    assert "secret" not in message
    assert "absent" in fails(capfd, two, "--api-key-file", tmp_path / "absent")
    assert "--certificate" in fails(capfd, two, "--private-key", tmp_path / "short")
    assert "certificate" in fails(capfd, two, "--certificate", tmp_path / "short", "--port", 0)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "tagline.json").write_text(json.dumps({"format": 1}))
    assert "damaged" in fails(capfd, tmp_path / "damaged")
    monkeypatch.setenv("TAGLINE_API_KEY", "short")
    assert "TAGLINE_API_KEY" in fails(capfd, two)
