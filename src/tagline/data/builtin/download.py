"""Fetch a file once: resumed where it was cut, verified, and put in place in one step."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tagline.errors import DownloadError
from tagline.storage.atomic import rename_file, temporary_folder
from tagline.storage.locks import lock

if TYPE_CHECKING:
    from http.client import HTTPResponse

ATTEMPTS = 5
TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """One file on the network, a row of a table: ``size`` in bytes, ``sha256`` in hexadecimal.

    ``sha256`` is empty where the origin tells only an ``md5``.
    """

    name: str
    url: str
    sha256: str
    size: int
    licence: str
    md5: str = ""


def cache_folder() -> Path:
    """Return the folder of what is downloaded or built: `TAGLINE_CACHE`, else in the user's cache."""
    chosen = os.environ.get("TAGLINE_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "tagline"


def data_folders() -> list[Path]:
    """Return the folders of `TAGLINE_DATA` that exist, in order; they are looked in before any download."""
    listed = os.environ.get("TAGLINE_DATA", "").split(os.pathsep)
    return [Path(folder) for folder in listed if folder and Path(folder).is_dir()]


def fetch(file: RemoteFile, folder: Path | None = None) -> Path:
    """Return the path of ``file`` in ``folder`` (the cache folder), downloading it if it is not there.

    What arrives goes to ``NAME.part``, which a later call takes up again by an HTTP range; the whole is
    checked against its checksum and renamed. A file that fails the check is deleted. While one process
    writes to it, others download to files of their own. Progress goes to stderr.

    Raises `DownloadError` when the server cannot be reached, the connection is cut time and again, the disk
    is full or the checksum is wrong.
    """
    target_folder = folder or cache_folder()
    target = target_folder / file.name
    if target.is_file():
        return target
    try:
        target_folder.mkdir(parents=True, exist_ok=True)
        with _own_part(target) as part:
            _fetch_part(file, part)
            found = sha256(part) if file.sha256 else _md5(part)
            if found == (file.sha256 or file.md5):
                rename_file(part, target)
                return target
            part.unlink()
    except OSError as error:
        raise DownloadError(
            f"`{target}` cannot be written: {error.strerror or error}. "
            f"`{file.name}` needs {file.size / 1e6:,.1f} MB; make room, or set `TAGLINE_CACHE` to a folder."
        ) from error
    raise DownloadError(
        f"`{file.url}` does not have the expected checksum and was deleted: "
        f"{'SHA-256' if file.sha256 else 'MD5'} is `{found}`, not `{file.sha256 or file.md5}`."
    )


@contextmanager
def _own_part(target: Path) -> Iterator[Path]:
    """Give a part file that nobody else writes: the common one, or while another holds it, one to be deleted."""
    common = target.with_name(f"{target.name}.part")
    with ExitStack() as stack:
        try:
            stack.enter_context(lock(common, wait=False, create=True))
        except BlockingIOError:
            pass
        else:
            yield common
            return
    with temporary_folder(target.parent) as folder:
        yield folder / target.name


def _fetch_part(file: RemoteFile, part: Path) -> None:
    """Download into ``part`` until it has the size of the file."""
    import urllib.error  # `urllib` is slow to import, and every command imports this module

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"Downloading {file.name}", total=file.size)
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(min(2.0, 0.1 * 2**attempt))
            try:
                _fetch_rest(file, part, lambda done: progress.update(bar, completed=done))
            except urllib.error.HTTPError as error:
                reason = f"the server answers {error.code} {error.reason}"
                error.close()
                if error.code == 416:
                    # The part is longer than the file: it is of another one.
                    os.truncate(part, 0)
                elif error.code < 500:
                    break
            except _NetworkError as error:
                reason = str(error)
            else:
                return
    raise DownloadError(
        f"`{file.url}` could not be downloaded: {reason}. Run the command again to go on where it stopped, "
        "or put the file in a folder named by `TAGLINE_DATA`."
    )


class _NetworkError(Exception):
    """The connection failed; what arrived is kept. Apart from OSError, which is the disk's."""


def _fetch_rest(file: RemoteFile, part: Path, show: Callable[[int], object]) -> None:
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    done = part.stat().st_size if part.exists() else 0
    if done == file.size:
        return
    request = urllib.request.Request(file.url, headers={"User-Agent": "tagline"})  # noqa: S310  # addresses are our own
    if done:
        request.add_header("Range", f"bytes={done}-")
    try:
        response = cast("HTTPResponse", urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS))  # noqa: S310  # as above
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException) as error:
        raise _NetworkError(str(getattr(error, "reason", error))) from error
    with response:
        if done and not (
            response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {done}-")
        ):
            done = 0
        # The server's word on the length decides what is whole; the checksum decides what is right.
        length = response.headers.get("Content-Length", "").strip()
        whole = done + int(length) if length.isdecimal() else file.size
        with part.open("ab" if done else "wb") as out:
            while True:
                try:
                    chunk = response.read(CHUNK_BYTES)
                except (OSError, HTTPException) as error:
                    chunk = getattr(error, "partial", b"")
                    out.write(chunk)
                    raise _NetworkError("the connection was cut") from error
                if not chunk:
                    break
                out.write(chunk)
                done += len(chunk)
                show(done)
    if done < whole:
        raise _NetworkError(f"the connection was cut after {done:,} of {whole:,} bytes")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
