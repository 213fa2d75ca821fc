"""Files at URLs: of a web server, of a file system in memory, and of this machine, whole and streamed."""

import gzip
import importlib.util
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import fsspec
import polars as pl
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tagline.data import load_dataset
from tagline.data.sources.files import read_file, read_texts
from tagline.data.sources.read import read_source
from tagline.data.streams import urls
from tagline.errors import DataError, MissingExtraError
from tagline.runs.resume import absolute, is_rereadable

FRAME = pl.DataFrame({"text": [f"text number {i}, ünïcode" for i in range(400)], "label": ["pos", "neg"] * 200})
CSV = FRAME.write_csv().encode()


def parquet(frame: pl.DataFrame) -> bytes:
    out = BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


FILES = {"/data.csv": CSV, "/data.csv.gz": gzip.compress(CSV), "/data.parquet": parquet(FRAME), "/named%20so.csv": CSV}
PAGE = b"\n<!DOCTYPE html>\n<html><body>Sign in, please</body></html>\n"


class Handler(BaseHTTPRequestHandler):
    """Sends whole files, never parts of one; what is called ``cut`` ends in the middle."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        content = CSV if path in ("/cut.csv", "/download") else PAGE if path == "/page.csv" else FILES.get(path)
        if path == "/redirect.csv":
            self.send_response(302)
            self.send_header("Location", "/forbidden.csv?signature=secret")
            self.end_headers()
            return
        if path == "/nonsense.csv":
            self.wfile.write(CSV)
            return
        if path == "/forbidden.csv" or content is None:
            self.send_error(403 if path == "/forbidden.csv" else 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[: len(content) // 2] if path == "/cut.csv" else content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("name", [*FILES, "/download?id=1"])
def test_a_file_of_a_web_server_is_read_as_a_local_one(server: str, name: str) -> None:
    assert read_file(server + name).frame.equals(FRAME)
    batches = list(read_texts(server + name, batch_rows=150))
    assert [len(batch.rows) for batch in batches] == [150, 150, 100]
    assert pl.concat([batch.rows for batch in batches]).equals(FRAME)


def test_a_dataset_is_named_after_the_file(server: str) -> None:
    dataset = load_dataset(f"{server}/data.csv.gz")
    assert (dataset.name, dataset.source) == ("data", f"{server}/data.csv.gz")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/none.csv", "does not exist."),
        ("/forbidden.csv?signature=secret", "cannot be read: 403 Forbidden."),
        ("/redirect.csv", "cannot be read: 403 Forbidden."),
        ("/nonsense.csv", "cannot be read: the server's answer is not valid HTTP."),
        ("/page.csv", "is a web page"),
        ("/cut.csv", "cannot be read: "),
    ],
)
def test_what_cannot_be_read_is_one_sentence(server: str, name: str, message: str) -> None:
    for read in (read_source, lambda url: list(read_texts(url))):
        with pytest.raises(DataError) as caught:
            read(server + name)
        assert f"`{server}{name.partition('?')[0]}` {message}" in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_login_and_the_query_are_not_in_messages(server: str) -> None:
    url = server.replace("://", "://user:secret@") + "/forbidden.csv?signature=secret"
    with pytest.raises(DataError) as caught:
        read_source(url)
    assert str(caught.value) == f"`{server}/forbidden.csv` cannot be read: 403 Forbidden."


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://[::1]:1/data.csv", "Cannot connect to host ::1:1"),
        ("http://[::1", "Invalid IPv6 URL."),
        ("http:///data.csv", "the URL is not valid."),
    ],
)
def test_an_address_is_named_as_it_is(url: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_source(url)
    assert str(caught.value).startswith(f"`{url}` cannot be read: {message}")


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(DataError, match=r"`http://127.0.0.1:1/data.csv` cannot be read: Cannot connect"):
        read_source("http://127.0.0.1:1/data.csv")


def test_a_pattern_and_a_folder_of_a_file_system() -> None:
    system = fsspec.filesystem("memory")
    for name, part in (("a", FRAME[:100]), ("b", FRAME[100:])):
        system.pipe(f"/parts/{name}.csv", part.write_csv().encode())
    system.pipe("/parts/notes.md", b"no data")
    for url in ("memory://parts/*.csv", "memory://parts/", "memory://parts"):
        assert read_source(url).frame.equals(FRAME)
    with pytest.raises(DataError, match=r"No file matches `memory://parts/\*.json`"):
        read_source("memory://parts/*.json")
    system.pipe("/notes/notes.md", b"no data")
    with pytest.raises(DataError, match="`memory://notes` has no file that can be read"):
        read_source("memory://notes")


class Hosted(MemoryFileSystem):
    """A file system whose URLs begin with user and host, which paths lack, as those of FTP."""

    protocol = "hosted"

    def __init__(self, host: str) -> None:
        super().__init__()
        assert host == "ann:secret@host"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("hosted://ann:secret@host")))

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, str]:
        return {"host": path.removeprefix("hosted://").partition("/")[0]}


def test_files_of_a_host_keep_user_and_password_but_not_in_their_names() -> None:
    fsspec.register_implementation("hosted", Hosted, clobber=True)
    fsspec.filesystem("memory").pipe("/hosted/a.csv", CSV)
    for url in ("hosted://ann:secret@host/hosted/*.csv", "hosted://ann:secret@host/hosted/"):
        assert urls.files_at(url) == ["hosted://ann:secret@host/hosted/a.csv"]
        rows = read_source(url)
        assert rows.frame.equals(FRAME)
        assert rows.source == urls.public_url(url)


def test_files_of_a_folder_may_name_splits() -> None:
    system = fsspec.filesystem("memory")
    for name, part in (("train", FRAME[:300]), ("test", FRAME[300:]), ("other", FRAME[:1])):
        system.pipe(f"/splits/{name}.jsonl", part.write_ndjson().encode())
    dataset = load_dataset("memory://splits")
    assert dataset.test is not None
    assert (len(dataset.train), len(dataset.test)) == (300, 100)


def test_a_file_of_this_machine(tmp_path: Path) -> None:
    for name in ("data", "größe 1", "100%41"):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(CSV)
        rows = read_source(path.as_uri())
        assert rows.frame.equals(FRAME)
        assert rows.name == name


def test_a_url_that_is_not_valid_is_named() -> None:
    for url in ("http://[host/data.csv", "https://"):
        with pytest.raises(DataError, match=rf"`{re.escape(url)}` cannot be read: "):
            read_source(url)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"`s3://bucket/data.csv` cannot be read: Install s3fs"):
        read_source("s3://bucket/data.csv")
    with pytest.raises(DataError, match="`nothing://x` cannot be read: Protocol not known: nothing"):
        read_source("nothing://x")
    monkeypatch.setattr(urls, "find_spec", lambda name: None if name == "fsspec" else importlib.util.find_spec(name))
    with pytest.raises(MissingExtraError, match=r"Reading `s3://` needs .*tagline\[remote\]"):
        read_source("s3://bucket/data.csv")


def test_a_url_that_may_grant_access_is_not_recorded() -> None:
    plain = "https://host/data.csv"
    assert is_rereadable(plain, ())
    assert absolute(plain) == plain
    for url in ("https://user:secret@host/data.csv", "https://host/data.csv?signature=secret"):
        assert urls.recorded(url) == absolute(url) == plain
        assert not is_rereadable(url, ())
        assert not is_rereadable(plain, (url,))
    assert urls.public_url("https://host/a?b@c") == "https://host/a"
    assert urls.without_access(f"at '{url}' and postgres://ann:secret@host") == f"at '{plain}' and postgres://host"
    for url in (
        "https://user:with/slash@host/data.csv",
        "https://user:with#number@host/data.csv?signature=secret",
        "https://user:with?mark@host/data.csv#part",
    ):
        assert urls.recorded(url) == plain
    assert urls.recorded("zip://a.csv::https://user:secret@host/a.zip?b=c") == "zip://host/a.zip"
    assert urls.recorded("https://host:80/@user/data.csv") == "https://host:80/@user/data.csv"
    sql = "SELECT * FROM 'https://user:secret@host/data.csv?signature=secret' WHERE x = 'a@b?'"
    assert urls.without_access(sql) == "SELECT * FROM 'https://host/data.csv' WHERE x = 'a@b?'"
    assert not urls.is_url("C:/data.csv")
    assert not urls.is_url("data.csv")
