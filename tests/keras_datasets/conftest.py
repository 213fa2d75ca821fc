"""Separate folders for every test, files like Keras's, and a local server."""

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
collect_ignore = [] if os.environ.get("TAGLINE_DATA") else ["test_keras_originals.py"]

Lists = list[list[int]]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty places to look in; the folder of `TAGLINE_DATA`."""
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("TAGLINE_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture(scope="session")
def save_npz() -> Callable[..., None]:
    """Write arrays of lists as Keras's files hold them: objects, pickled."""

    def save(path: Path, **arrays: Lists | list[int]) -> None:
        made = {}
        for name, values in arrays.items():
            made[name] = np.array(values, dtype=np.int64) if name.startswith("y") else np.empty(len(values), object)
            if name.startswith("x"):
                made[name][:] = values
        np.savez(path, **made)

    return save


class Files:
    """Serves ``content`` by name, and keeps what was asked for."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.requested: list[str] = []
        files = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/")
                files.requested.append(name)
                if name not in files.content:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(files.content[name])))
                self.end_headers()
                self.wfile.write(files.content[name])

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{name}"


@pytest.fixture
def server() -> Iterator[Files]:
    files = Files()
    thread = threading.Thread(target=files.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield files
    files.http.shutdown()
    thread.join()
    files.http.server_close()
