"""Files at URLs, such as ``s3://bucket/reviews.csv`` or ``https://host/reviews.csv.gz``, read in parts by fsspec."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Any, BinaryIO
from urllib.parse import unquote

from tagline.data.streams.chunks import chunks_of, stream_of
from tagline.errors import DataError, MissingExtraError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # a scheme of one letter is a Windows drive
_URL_IN_TEXT = re.compile(_URL.pattern + r"[^\s'\"`<>]+")
# What is before `@`. Names need not be valid URLs: a password may hold `/`, `?` or `#`, no port follows its `:`.
_LOGIN = re.compile(r"(?<=://)(?:[^/?#]*@|[^/?#:@\[]*:(?![0-9]*(?:[/?#]|$)).*@)", re.DOTALL)
_QUERY = re.compile(r"[?#]")
_NOT_FOUND = 404
_LONGEST_REASON = 300
_SECONDS_SILENT = 60  # that an HTTP server may take to send the next bytes


def is_url(name: object) -> bool:
    """Say whether a source is named by a URL."""
    return isinstance(name, str) and _URL.match(name) is not None


def public_url(url: str) -> str:
    """Return a URL without what may grant access: the user, the password and the query of a signed URL."""
    return _QUERY.split(_LOGIN.sub("", url), maxsplit=1)[0]


def recorded(name: Any) -> Any:
    """Return a source as it may be recorded: a URL without its password and query, anything else unchanged."""
    return public_url(name) if is_url(name) else name


def without_access(text: str) -> str:
    """Return a text, such as an SQL query or a message, whose URLs are those of `public_url`."""
    return _URL_IN_TEXT.sub(lambda found: public_url(found[0]), text)


def url_path(url: str) -> PurePosixPath:
    """Return the path of a URL, whose suffix names the format of the file."""
    return PurePosixPath(unquote("/" + public_url(url).partition("://")[2].partition("/")[2]))


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
    copy = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="tagline-"))) / "copy"
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
    scheme = _scheme(url)
    if find_spec("fsspec") is None:
        raise MissingExtraError(f"Reading `{scheme}://`", "remote")
    from fsspec.core import filesystem, url_to_fs

    if not _is_http(url):
        system, path = url_to_fs(url)
        if scheme == "file" and not system.exists(path):
            path = unquote(path)  # which fsspec does not
        return system, path
    options = {}
    if find_spec("aiohttp"):
        from aiohttp import ClientTimeout

        # The default ends a download after five minutes, however fast it is.
        patience = ClientTimeout(total=None, sock_connect=_SECONDS_SILENT, sock_read=_SECONDS_SILENT)
        options = {"client_kwargs": {"timeout": patience}}
    return filesystem(scheme, **options), url  # `url_to_fs` cuts `http://[::1]/` at `::`


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def _is_http(url: str) -> bool:
    return _scheme(url) in ("http", "https")


@contextmanager
def _failures(url: str) -> Iterator[None]:
    """Raise what a file system raises, each with exceptions of its own, as `DataError`."""
    try:
        yield
    except (DataError, MissingExtraError):
        raise
    except Exception as error:  # noqa: BLE001  # those of aiohttp, botocore and others have no common base
        # For fsspec there is no file where no server answers.
        cause = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error
        if isinstance(cause, FileNotFoundError) or getattr(cause, "status", None) == _NOT_FOUND:
            raise DataError(f"`{public_url(url)}` does not exist.") from None
        # The error itself may hold the URL with its password, which a traceback would show.
        raise DataError(f"`{public_url(url)}` cannot be read: {_reason(cause, url)}.") from None


def _reason(error: BaseException, url: str) -> str:
    """Return in a few words why a file cannot be read; a server may have sent anything."""
    status = getattr(error, "status", None)
    if status is not None:  # an error of aiohttp, whose text has the URL that the server redirected to
        if error.__cause__ is not None:
            return "the server's answer is not valid HTTP"
        return f"{status} {getattr(error, 'message', '')}".strip() if status else "the server redirects endlessly"
    text = without_access(str(error).replace(url, public_url(url)))
    text = shorten(text, _LONGEST_REASON, placeholder="…").rstrip(".")
    if text == public_url(url):
        return "the URL is not valid"
    return text or type(error).__name__
