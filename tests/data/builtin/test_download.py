"""Downloads against a real server on this machine that cuts, lies and resumes."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tagline.data.builtin import download
from tagline.data.builtin.download import RemoteFile, cache_folder, data_folders, fetch
from tagline.errors import DownloadError

CONTENT = bytes(range(256)) * 4000


class Server:
    """Serves `CONTENT`, cutting the connection after ``cut_after`` bytes for the first ``cuts`` requests."""

    def __init__(self) -> None:
        self.cuts = 0
        self.cut_after = 300_000
        self.ranges_work = True
        self.status = 200
        self.length: str | None = None
        self.requested: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                server.requested.append(wanted)
                if server.status != 200:
                    self.send_error(server.status)
                    return
                start = 0
                if wanted and server.ranges_work:
                    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                    if start >= len(CONTENT):
                        self.send_error(416)
                        return
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", server.length or str(len(CONTENT) - start))
                self.end_headers()
                end = len(CONTENT)
                if server.cuts:
                    server.cuts -= 1
                    end = start + server.cut_after
                self.wfile.write(CONTENT[start:end])

            def log_message(self, *arguments: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/data.bin"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


def row(server: Server, content: bytes = CONTENT) -> RemoteFile:
    digest = hashlib.sha256(content).hexdigest()
    return RemoteFile("data.bin", server.url, digest, len(CONTENT), "none")


def test_a_download_is_verified_and_done_once(server: Server, tmp_path: Path) -> None:
    path = fetch(row(server), tmp_path / "new" / "cache")
    assert path.read_bytes() == CONTENT
    assert fetch(row(server), tmp_path / "new" / "cache") == path
    assert server.requested == [None]
    assert [child.name for child in path.parent.iterdir()] == ["data.bin"]


def test_a_cut_connection_is_resumed(server: Server, tmp_path: Path) -> None:
    server.cuts = 3
    assert fetch(row(server), tmp_path).read_bytes() == CONTENT
    assert server.requested == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_a_later_call_goes_on_where_the_last_one_stopped(server: Server, tmp_path: Path) -> None:
    server.cuts, server.cut_after = 5, 100_000
    with pytest.raises(DownloadError, match=r"cut after 500,000 of 1,024,000 bytes\. Run"):
        fetch(row(server), tmp_path)
    assert not (tmp_path / "data.bin").exists()
    assert fetch(row(server), tmp_path).read_bytes() == CONTENT
    assert server.requested[-1] == "bytes=500000-"


@pytest.mark.parametrize("size", [500_000, 2_000_000])
def test_a_wrong_size_in_the_table_does_no_harm(server: Server, tmp_path: Path, size: int) -> None:
    server.cuts = 1
    assert fetch(replace(row(server), size=size), tmp_path).read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.cuts, server.ranges_work = 1, False
    assert fetch(row(server), tmp_path).read_bytes() == CONTENT


def test_an_invalid_content_length_is_ignored(server: Server, tmp_path: Path) -> None:
    server.length = "many"
    assert fetch(row(server), tmp_path).read_bytes() == CONTENT


def test_two_at_a_time_do_not_write_to_one_part(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "data.bin.part"
    code = (
        "import fcntl, sys; held = open(sys.argv[1], 'ab'); fcntl.flock(held, fcntl.LOCK_EX);"
        "held.write(b'of another'); held.flush(); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(part)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert fetch(row(server), tmp_path).read_bytes() == CONTENT
        assert part.read_bytes() == b"of another"
        assert sorted(child.name for child in tmp_path.iterdir()) == ["data.bin", "data.bin.part"]
        other.communicate()


def test_many_at_a_time(server: Server, tmp_path: Path) -> None:
    server.cuts = 4
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: fetch(row(server), tmp_path), range(8)))
    assert {path.read_bytes() == CONTENT for path in paths} == {True}


@pytest.mark.parametrize("step", ["sha256", "replace"])
def test_a_fault_after_the_download_is_one_sentence(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(download if step == "sha256" else Path, step, fail)
    with pytest.raises(DownloadError, match=r"data\.bin` cannot be written: Input/output error\."):
        fetch(row(server), tmp_path)


def test_a_part_that_is_too_long_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(CONTENT + b"more")
    assert fetch(row(server), tmp_path).read_bytes() == CONTENT


def test_a_wrong_checksum_is_deleted(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="does not have the expected checksum and was deleted"):
        fetch(row(server, b"something else"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence(server: Server, tmp_path: Path) -> None:
    # Every write to /dev/full fails as it does on a full disk.
    (tmp_path / "data.bin.part").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"cannot be written: No space left on device. `data.bin` needs 1.0 MB"):
        fetch(row(server), tmp_path)
    assert not (tmp_path / "data.bin").exists()


def test_a_missing_file_is_not_requested_again(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match="the server answers 404"):
        fetch(row(server), tmp_path)
    assert len(server.requested) == 1


def test_requests_to_a_failing_server_are_retried(server: Server, tmp_path: Path) -> None:
    server.status = 503
    with pytest.raises(DownloadError, match="503"):
        fetch(row(server), tmp_path)
    assert len(server.requested) == download.ATTEMPTS


def test_no_network_is_one_sentence(server: Server, tmp_path: Path) -> None:
    file = RemoteFile("data.bin", "http://127.0.0.1:9/data.bin", "0", 1, "none")
    with pytest.raises(DownloadError, match="TAGLINE_DATA"):
        fetch(file, tmp_path)


def test_progress_is_shown_on_stderr(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    fetch(row(server), tmp_path)
    shown = capsys.readouterr()
    assert "Downloading data.bin" in shown.err
    assert shown.out == ""


def test_the_folders_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_DATA", os.pathsep.join([str(tmp_path / "none"), str(tmp_path)]))
    assert data_folders() == [tmp_path]
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("TAGLINE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "tagline"
