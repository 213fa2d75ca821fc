"""Files at URLs, such as ``s3://bucket/reviews.csv`` or ``https://host/reviews.csv.gz``, read in parts by fsspec."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote

from tagline.data.streams.chunks import chunks_of, stream_of
from tagline.errors import DataError, MissingExtraError

# A scheme of one letter is a Windows drive. `urllib.parse.urlsplit` raises for some hosts, and names need not be valid.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://(?:[^/?#]*@)?(?P<host>[^/?#]*)(?P<path>[^?#]*)", re.DOTALL)
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"`]+")
_NOT_FOUND = 404
_SECONDS_SILENT = 60  # that an HTTP server may take to send the next bytes


def is_url(name: object) -> bool:
    """Say whether a source is named by a URL."""
    return isinstance(name, str) and _URL.match(name) is not None


def public_url(url: str) -> str:
    """Return a URL without what may grant access: the password and the query of a signed URL."""
    scheme, host, path = _parts(url)
    return f"{scheme}://{host}{path}"


def recorded(name: Any) -> Any:
    """Return a source as it may be recorded: a URL without its password and query, anything else unchanged."""
    return public_url(name) if is_url(name) else name


def without_access(text: str) -> str:
    """Return a text, such as an SQL query or a message, whose URLs are those of `public_url`."""
    return _URL_IN_TEXT.sub(lambda found: public_url(found[0]), text)


def url_path(url: str) -> PurePosixPath:
    """Return the path of a URL, whose suffix names the format of the file."""
    return PurePosixPath(unquote(_parts(url)[2]))


def open_url(url: str, opened: ExitStack) -> BinaryIO:
    """Open a file at a URL as a buffered stream; ``opened`` closes it.

    Raises:
        DataError: there is no such file, or it cannot be read.
        MissingExtraError: fsspec is not installed.

    """
    with _failures(url):
        system, path = _located(url)
        # Not every web server sends parts of a file: it is read in one request.
        options = {"block_size": 0} if _is_http(url) else {}
        file = opened.enter_context(system.open(path, "rb", **options))

    def chunks() -> Iterator[bytes]:
        parts = chunks_of(file)
        while True:
            with _failures(url):
                part = next(parts, None)
            if part is None:
                return
            yield part

    return stream_of(chunks())


def download(url: str, opened: ExitStack) -> Path:
    """Return a temporary copy of the file at a URL, for formats that are read from the disk; ``opened`` removes it."""
    copy = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="tagline-"))) / url_path(url).name
    with copy.open("wb") as target, ExitStack() as remote:
        shutil.copyfileobj(open_url(url, remote), target, 1 << 20)
    return copy


def files_at(url: str) -> list[str] | None:
    """Return the URLs of the files that match a pattern or are in a folder, sorted; None if the URL is that of a file.

    Raises `DataError` if no file matches.
    """
    if _is_http(url):  # a web server lists nothing, and `?` begins a query
        return None
    with _failures(url):
        system, path = _located(url)
        if any(sign in path for sign in "*?["):
            found = [name for name, facts in system.glob(path, detail=True).items() if facts["type"] == "file"]
        elif system.isdir(path):
            found = [facts["name"] for facts in system.ls(path, detail=True) if facts["type"] == "file"]
        else:
            return None
    if not found:
        raise DataError(f"No file matches `{public_url(url)}`.")
    start = url.rstrip("/")
    if not start.endswith(path):
        return [system.unstrip_protocol(name) for name in sorted(found)]
    # Of FTP and others, paths lack the host and the password, which `unstrip_protocol` does not know.
    return [f"{start.removesuffix(path)}{name}" for name in sorted(found)]


def _located(url: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it."""
    if find_spec("fsspec") is None:
        raise MissingExtraError(f"Reading `{_parts(url)[0]}://`", "remote")
    from fsspec.core import url_to_fs

    options = {}
    if _is_http(url) and find_spec("aiohttp"):
        from aiohttp import ClientTimeout

        # The default ends a download after five minutes, however fast it is.
        patience = ClientTimeout(total=None, sock_connect=_SECONDS_SILENT, sock_read=_SECONDS_SILENT)
        options = {"client_kwargs": {"timeout": patience}}
    system, path = url_to_fs(url, **options)
    return system, path


def _is_http(url: str) -> bool:
    return _parts(url)[0] in ("http", "https")


def _parts(url: str) -> tuple[str, str, str]:
    """Return scheme, host and path of a URL."""
    found = _URL.match(url)
    assert found is not None
    return found["scheme"].lower(), found["host"], found["path"]


@contextmanager
def _failures(url: str) -> Iterator[None]:
    """Raise what a file system raises, each with exceptions of its own, as `DataError`."""
    try:
        yield
    except (DataError, MissingExtraError):
        raise
    except Exception as error:  # those of aiohttp, botocore and others have no common base
        # For fsspec there is no file where no server answers.
        cause = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error
        if isinstance(cause, FileNotFoundError) or getattr(cause, "status", None) == _NOT_FOUND:
            raise DataError(f"`{public_url(url)}` does not exist.") from None
        reason = str(cause).replace(url, public_url(url)).partition("\n")[0] or type(cause).__name__
        raise DataError(f"`{public_url(url)}` cannot be read: {without_access(reason).rstrip('.')}.") from error
