"""Several worker processes on one port: what one of them suffers, others do not notice; all start, reload and stop."""

import asyncio
import io
import json
import shutil
import signal
import socket
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from tagline import TextClassifier
from tagline.cli import main
from tagline.serve.http.access_log import AccessLog
from tagline.serve.http.listener import bind
from tagline.serve.settings import ServerSettings
from tagline.serve.workers.supervisor import _Supervisor
from tests.serve.service import TEXTS, Load, post, read_answer, serving, waited
from tests.synthetic_texts import made_up

N = 2
REQUEST = post("/v1/predict", json.dumps({"text": TEXTS[0]}).encode())


def workers_of(server):
    """The processes of the workers, by their numbers: they are started in this order."""
    return sorted(psutil.Process(server.process.pid).children(), key=lambda process: process.create_time())


def events(server, event):
    """The workers that have logged an event, as often as they have."""
    return Counter(line["worker"] for line in server.lines() if line["event"] == event and "worker" in line)


def owner(connection, workers):
    """The worker that has accepted a connection."""
    ours = connection.getsockname()

    def accepted(worker):
        return any(found.raddr == ours for found in worker.net_connections("tcp"))

    return waited(lambda: next((worker for worker in workers if accepted(worker)), None), 30)


def answers(connection):
    """Whether a request gets its answer."""
    try:
        connection.sendall(REQUEST)
        return read_answer(connection)[0] == 200
    except ConnectionError:
        return False


@pytest.fixture
def connected():
    """A function that connects to each worker of a server."""
    with ExitStack() as stack:

        def connect(server):
            workers, connections = workers_of(server), {}

            def step():
                connection = stack.enter_context(server.connect())
                assert answers(connection)
                connections.setdefault(owner(connection, workers).pid, connection)
                return len(connections) == len(workers)

            waited(step, 60)
            return connections

        yield connect


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_others_go_on(models, tmp_path, connected):
    with serving(tmp_path, models["two"], "--workers", N) as server:
        connections = connected(server)
        killed, living = workers_of(server)
        with Load(server, 8, pause=0.05) as load:  # leaves the new worker time to start
            waited(lambda: load.statuses[200] > 50, 60)
            killed.kill()
            assert server.logged("worker_died")["message"].startswith("Worker ")
            assert answers(connections[living.pid])
            assert not answers(connections[killed.pid])
            waited(lambda: len(workers_of(server)) == N, 30)
            waited(lambda: sum(events(server, "ready").values()) == N + 1, 60)
        assert set(load.statuses) <= {0, 200}
        with Load(server, 8) as load:
            waited(lambda: load.statuses[200] > 100, 60)
            assert server.stop() == 0
        assert not load.lost
        assert set(load.statuses) == {200}


@pytest.mark.slow
@pytest.mark.parametrize("clients", [2, 16])
def test_all_workers_stop_without_losing_a_request(models, tmp_path, clients):
    with serving(tmp_path, models["two"], "--workers", N) as server:
        with Load(server, clients) as load:
            waited(lambda: load.statuses[200] > 100, 60)
            for worker in workers_of(server):  # as systemd and Ctrl-C send them: to every process
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    worker.send_signal(number)
            assert server.stop() == 0
        assert not load.lost
        assert set(load.statuses) == {200}
        assert events(server, "stopped") == {1: 1, 2: 1}
        assert server.lines()[-1]["event"] == "stopped"
        with pytest.raises(ConnectionRefusedError):
            server.connect()


def test_a_signal_while_workers_start_stops_them_all(models, tmp_path):
    announced = []

    async def work(listener, log):
        supervisor = _Supervisor(
            ServerSettings({"two": models["two"]}, workers=N), listener, tmp_path, log, announced.append
        )
        running = asyncio.create_task(supervisor.run())
        while not supervisor._starting.locked():
            await asyncio.sleep(0)
        supervisor._stop()
        await running
        return [process.returncode for process in supervisor._processes.values()]

    with closing(bind("127.0.0.1", 0)) as listener, closing(AccessLog(io.StringIO())) as log:
        assert asyncio.run(work(listener, log)) == [0]  # the others are not started
    assert announced == []


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced(models, tmp_path, connected):
    with serving(
        tmp_path, models["two"], "--workers", N, changed=("workers.supervisor", "_SILENT_SECONDS", 3.0)
    ) as server:
        connections = connected(server)
        hanging, living = workers_of(server)
        hanging.suspend()
        assert "does not respond" in server.logged("worker_hangs", 60)["message"]
        waited(lambda: sum(events(server, "ready").values()) == N + 1, 60)
        assert answers(connections[living.pid])
        assert hanging not in workers_of(server)
        assert server.stop() == 0


def test_workers_finish_the_requests_in_progress(models, tmp_path, connected):
    with serving(tmp_path, models["two"], "--workers", N) as server:
        connections = connected(server)
        for connection in connections.values():
            connection.sendall(REQUEST[:-5])
        server.process.terminate()
        server.logged("stopping")
        for connection in connections.values():
            connection.sendall(REQUEST[-5:])
            status, headers, _ = read_answer(connection)
            assert (status, headers["connection"]) == (200, "close")
        assert server.process.wait(timeout=30) == 0


@pytest.mark.slow
def test_workers_end_with_their_supervisor(models, tmp_path):
    with serving(tmp_path, models["two"], "--workers", N) as server:
        workers = workers_of(server)
        server.process.kill()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive


def large_model(folder, seed):
    """A model whose arrays are large enough to be shared: each text is there twice, so that its n-grams are kept."""
    rng = np.random.default_rng(seed)
    words = ["".join(letters) for letters in rng.choice(list("abcdefgh"), (2000, 5))]
    texts = [" ".join(rng.choice(words, 40)) for _ in range(600)] * 2
    TextClassifier("fast").fit(texts, ["a", "b"] * 600).save(folder)


def shared_arrays(worker):
    """The files of arrays that a worker has in memory."""
    return {Path(found.path) for found in worker.memory_maps() if found.path.endswith(".array")}


@pytest.mark.slow
def test_workers_have_one_copy_of_a_model_in_memory(tmp_path):
    model, before = tmp_path / "served", set()
    large_model(model, seed=0)
    with serving(tmp_path, model, "--workers", N) as server:
        for n in range(1, 4):

            def settled(before=before):
                first, second = map(shared_arrays, workers_of(server))
                return first if first == second and not first & before else None

            held = waited(settled, 60)
            folder = next(iter(held)).parent
            assert held <= set(folder.glob("*.array")) <= held | before
            with server.client() as client:
                for path in ("/v1/predict", "/v1/explain"):
                    assert client.post(path, json={"text": "abcde bcdef"}).status_code == 200
            large_model(model, seed=n)
            waited(lambda n=n: events(server, "reloaded") == {1: n, 2: n}, 60)
            before = held
        assert server.stop() == 0
    assert not folder.exists()


@pytest.mark.slow
def test_all_workers_reload(models, tmp_path):
    model = tmp_path / "served"
    shutil.copytree(models["two"], model)
    with serving(tmp_path, model, "--workers", N) as server:
        TextClassifier("fast").fit(*made_up(300, seed=9)).save(model)
        waited(lambda: events(server, "reloaded") == {1: 1, 2: 1}, 60)
        server.process.send_signal(signal.SIGHUP)
        waited(lambda: events(server, "reload_requested") == {1: 1, 2: 1}, 30)
        with Load(server) as load:
            waited(lambda: load.statuses[200] > 50, 60)
        assert len(load.versions) == 1
        assert server.stop() == 0


def figures(connection):
    connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    lines = read_answer(connection)[2].decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def n_predicted(server):
    return sum(line.get("path") == "/v1/predict" for line in server.lines())


def test_metrics_are_the_sums_of_all_workers(models, tmp_path, connected):
    answered = 'tagline_requests_total{path="/v1/predict",status="200"}'
    with serving(tmp_path, models["two"], "--workers", N) as server:
        first, second = connected(server).values()
        for connection in (first, second, second):
            assert answers(connection)
        waited(lambda: figures(first)[answered] == figures(second)[answered] == n_predicted(server), 30)
        before = figures(first)
        assert before['tagline_texts_total{model="two"}'] == before[answered]
        assert before["tagline_in_flight"] <= N
        assert not [name for name in before if name.startswith("process_")]
        shown = []
        for _ in range(10):
            for connection in (first, second):
                assert answers(connection)
                shown.append(figures(connection)[answered])
                shown.append(figures(second)[answered])
        assert shown == sorted(shown)  # no counter goes down, whichever worker is asked
        killed = owner(second, workers_of(server))
        last = figures(second)[answered]
        killed.kill()
        waited(lambda: sum(events(server, "ready").values()) == N + 1, 60)
        with server.connect() as new:
            assert figures(new)[answered] >= last
        assert server.stop() == 0


@pytest.mark.slow
def test_the_server_ends_when_no_worker_can_start(models, tmp_path):
    model = tmp_path / "served"
    shutil.copytree(models["two"], model)
    with serving(tmp_path, model, "--workers", N) as server:
        shutil.rmtree(model)
        first, second = workers_of(server)
        first.kill()
        failed = server.logged("worker_failed", 60)
        assert "does not exist" in failed["message"]
        with server.connect() as connection:
            assert answers(connection)
        second.kill()
        assert server.process.wait(timeout=60) == 2
        assert f"error: `{model}` does not exist" in server.text()


def test_what_cannot_be_served_is_said_once(models, tmp_path, capfd):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        arguments = ["serve", str(models["two"]), "--workers", "2", "--quiet", "--port", str(taken.getsockname()[1])]
        assert main(arguments) == 1
        assert "Cannot listen" in (message := capfd.readouterr().err)
        assert message.count("\n") == 1
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "tagline.json").write_text("{")
    assert main(["serve", str(tmp_path / "damaged"), "--workers", "2", "--quiet", "--port", "0"]) == 2
    message = capfd.readouterr().err
    assert message.startswith("error: ")
    assert "is damaged" in message
    assert message.count("\n") == 1
    assert not [child for child in psutil.Process().children() if "tagline.serve.workers.worker" in child.cmdline()]
