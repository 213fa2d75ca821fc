"""A server over its life: it starts quickly, takes a new bundle, ends without losing a request, and does not grow."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from tagline import TextClassifier
from tests.serve.service import post, read_answer, serving, waited
from tests.synthetic_texts import made_up

TEXTS = made_up(50, seed=3)[0]


class Load:
    """Clients that ask one after the other on connections that they keep; what came of it, counted by status.

    A request is lost if its connection had been established and no answer came.
    """

    def __init__(self, server, clients=8):
        self.server, self.statuses, self.lost, self.versions = server, Counter(), [], Counter()
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(k,)) for k in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, k):
        turn = k
        while not self._ending.is_set():
            try:
                connection = self.server.connect()
            except OSError:  # not let in: the server has stopped
                return
            with connection:
                kept = True
                while kept and not self._ending.is_set():
                    turn += 1
                    status, headers, body = self._one(connection, TEXTS[turn % len(TEXTS)])
                    self.statuses[status] += 1
                    if status == 0:
                        self.lost.append(body)
                        return
                    if status == 200:
                        self.versions[json.loads(body)["version"]] += 1
                    kept = headers.get("connection") != "close"

    def _one(self, connection, text):
        try:
            connection.sendall(post("/v1/predict", json.dumps({"text": text}).encode()))
            return read_answer(connection)
        except OSError as error:
            return 0, {}, repr(error)


def fitted(seed):
    return TextClassifier("fast").fit(*made_up(300, seed=seed))


def version_of(model):
    return json.loads((model / "tagline.json").read_bytes())["sha256"]


@pytest.mark.slow
def test_a_replaced_bundle_is_taken_without_losing_a_request(models, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(models["two"], model)
    first, second, third = version_of(model), fitted(7), fitted(8)
    second.save(tmp_path / "second")
    with serving(tmp_path, "--model", f"served={model}") as server, server.client() as client:

        def serves(version):
            return client.get("/v1/models").json()["models"][0]["version"] == version

        with Load(server, 4) as load:
            assert serves(first)
            second.save(model)
            waited(lambda: serves(version_of(model)), 60)
            third.save(tmp_path / "third")
            shutil.copy(tmp_path / "third" / "tagline.json", model)  # a copy that is under way
            failed = server.logged("reload_failed", 60)
            assert "damaged" in failed["message"]
            assert serves(version_of(tmp_path / "second"))
            shutil.rmtree(model)
            time.sleep(1.5)
            assert serves(version_of(tmp_path / "second"))
            shutil.copytree(tmp_path / "third", model)
            waited(lambda: serves(version_of(model)), 60)
            answer = client.post("/v1/predict", json={"texts": TEXTS, "probabilities": True}).json()
        assert not load.lost
        assert set(load.statuses) == {200}
        assert set(load.versions) >= {first, version_of(model)}
        told = [found["probabilities"]["c1"] for found in answer["predictions"]]
        assert told == pytest.approx(third.predict_proba(TEXTS)[:, 1], abs=1e-12)
        metrics = client.get("/metrics").text
        assert 'tagline_reloads_total{model="served",result="ok"} 2.0' in metrics
        assert 'tagline_reloads_total{model="served",result="failed"}' in metrics
        assert metrics.count("tagline_model_info{") == 1


@pytest.mark.slow
@pytest.mark.parametrize("clients", [2, 16])
def test_sigterm_under_load_loses_no_accepted_request(models, tmp_path, clients):
    with serving(tmp_path, models["two"]) as server:
        with Load(server, clients) as load:
            waited(lambda: load.statuses[200] > 200, 60)
            assert server.stop() == 0
            answered = load.statuses[200]
        assert not load.lost
        assert set(load.statuses) == {200}
        assert answered > 200
        assert [line["event"] for line in server.lines()][-1] == "stopped"


def test_sigterm_waits_for_what_is_under_way(models, tmp_path):
    with serving(tmp_path, models["two"]) as server, server.connect() as slow, server.connect() as idle:
        request = post("/v1/predict", b'{"text": "a great film"}')
        slow.sendall(request[:-5])
        idle.sendall(post("/v1/predict", b'{"text": "x"}'))
        assert read_answer(idle)[0] == 200
        server.process.terminate()
        server.logged("stopping")
        time.sleep(1)
        assert server.process.poll() is None
        assert idle.recv(1) == b""
        with pytest.raises((ConnectionRefusedError, TimeoutError)):
            socket.create_connection((server.host, server.port), timeout=0.5)
        slow.sendall(request[-5:])
        status, headers, body = read_answer(slow)
        assert (status, headers["connection"]) == (200, "close")
        assert json.loads(body)["predictions"][0]["prediction"] == "c0"
        assert server.process.wait(timeout=30) == 0


def test_a_server_that_stops_is_not_ready(models, tmp_path):
    with serving(tmp_path, models["two"], drain=20) as server, server.connect() as connection:
        ready = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(ready)
        assert read_answer(connection)[0] == 200
        server.process.terminate()
        server.logged("stopping")
        connection.sendall(ready)
        status, headers, _ = read_answer(connection)
        assert (status, headers["connection"]) == (503, "close")
        assert server.stop() == 0  # asked twice, it does not wait


@pytest.mark.slow
def test_memory_stays_flat(server, client):
    large = {"texts": ["a great film and a dull plot " * 60] * 50, "probabilities": True}

    def work(rounds):
        for _ in range(rounds):
            client.post("/v1/predict", json=large)
            client.post("/v1/explain", json={"text": TEXTS[0]})
            client.post("/v1/predict", json={"text": 1})
            body = "text\n" + "\n".join(TEXTS * 20)
            client.post("/v1/predict/file", content=body, headers={"Content-Type": "text/csv"})
            with server.connect() as gone:
                gone.sendall(post("/v1/predict", b'{"text": "a great film"}'))

    work(40)
    before = server.memory_mb()
    work(120)
    assert server.memory_mb() < before + 25


def test_the_server_does_without_what_only_training_needs(models, tmp_path):
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
