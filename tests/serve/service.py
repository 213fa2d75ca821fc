"""A server in a process of its own, and clients that behave well and badly."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.synthetic_texts import made_up


class Running:
    """A server that runs: its address, its process and what it has logged."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, address: str) -> None:
        self.process, self._log, self.address = process, log, address
        self.host, self.port = "127.0.0.1", int(address.rpartition(":")[2])

    def lines(self) -> list[dict[str, Any]]:
        """The complete lines of the log so far: the server may be writing the last one."""
        complete = self._log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in complete.splitlines() if line.startswith("{")]

    def logged(self, event: str, seconds: float = 30.0) -> dict[str, Any]:
        """The first line of an event, waited for."""
        return waited(lambda: next((line for line in self.lines() if line["event"] == event), None), seconds)

    def text(self) -> str:
        return self._log.read_text()

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.address, trust_env=False, timeout=30, **options)

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=30)

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1024

    def stop(self) -> int:
        """End it by SIGTERM and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


CHANGED = (
    "import sys; from tagline import cli; import tagline.serve.{0} as module; module.{1} = {2}; sys.exit(cli.main())"
)


@contextmanager
def serving(
    folder: Path, *arguments: Any, env: dict[str, str] | None = None, changed: tuple[str, str, float] | None = None
) -> Iterator[Running]:
    """Run ``tagline serve`` on a free port with its log in ``folder``; ``changed``: module, constant, value."""
    log = folder / f"serve-{time.monotonic_ns()}.log"
    tagline = ["-m", "tagline"] if changed is None else ["-c", CHANGED.format(*changed)]
    command = [sys.executable, "-W", "error", *tagline, "serve", *map(str, arguments), "--port", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env={**os.environ, **(env or {})})
    try:
        found = waited(lambda: _address(process, log), 120)
        yield Running(process, log, found)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str | None:
    found = re.search(r'"address": "([^"]+)"', log.read_text())
    if found is None and process.poll() is not None:
        raise AssertionError(log.read_text())
    return found[1] if found else None


def waited(probe: Any, seconds: float) -> Any:
    """Return what ``probe`` gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := probe()) not in (None, False):
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain")


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A request, as it goes over the wire."""
    head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer: status, headers, body; status 0 if the connection ended before it."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return 0, {}, received
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        part = connection.recv(65536)
        if not part:
            return 0, headers, body
        body += part
    return int(first.split()[1]), headers, body


TEXTS = made_up(50, seed=3)[0]


class Load:
    """Clients that ask one after the other on connections that they keep; what came of it, counted by status.

    A request is lost if its connection had been established and no answer came. Without a ``pause`` between them,
    requests keep all cores busy.
    """

    def __init__(self, server, clients=8, pause=0.0):
        self.server, self.statuses, self.lost, self.versions = server, Counter(), [], Counter()
        self._pause = pause
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
                    self._ending.wait(self._pause)

    def _one(self, connection, text):
        try:
            connection.sendall(post("/v1/predict", json.dumps({"text": text}).encode()))
            return read_answer(connection)
        except OSError as error:
            return 0, {}, repr(error)
