"""Archives of built-in sets: where they lie, what is in them, and the table kept of them in the cache folder.

The table is kept under the digest of the archive it was built of, so that another archive gives another one.
"""

import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from tagline.data.builtin.download import RemoteFile, cache_folder, data_folders, sha256
from tagline.errors import DataError
from tagline.storage.atomic import open_file


def data_places(name: str) -> Iterator[Path]:
    """Go through the folders of `TAGLINE_DATA`, and before each through its folder ``name``."""
    for folder in data_folders():
        yield from (folder / name, folder)


def find_file(file: RemoteFile, name: str, path: str | Path = "") -> Path | None:
    """Return where ``file`` lies: in `TAGLINE_DATA`, in the folder that Keras keeps, or in the cache folder.

    A file at ``path`` comes first; otherwise the name in ``path`` is what it goes by in these places.
    """
    given = Path(path or file.name).expanduser()
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    places = (given, *(place / given.name for place in (*data_places(name), keras, cache_folder())))
    return next((place for place in places if place.is_file()), None)


def find_cached(file: RemoteFile, name: str) -> Path | None:
    """Return the table built of ``file``, or else ``file`` itself, if it is in the cache folder."""
    places = (_table_path(name, file.sha256), cache_folder() / file.name)
    return next((place for place in places if place.is_file()), None)


def _table_path(name: str, digest: str) -> Path:
    return cache_folder() / f"{name}-{digest[:16]}.parquet"


def read_table(place: Path, name: str, build: Callable[[Path], pl.DataFrame]) -> pl.DataFrame:
    """Return the table that ``place`` is, or that ``build`` makes of it, once."""
    if place.suffix != ".parquet":
        archive, place = place, _table_path(name, sha256(place))
        if not place.is_file():
            write_parquet(build(archive), place)
    return pl.read_parquet(place)


def read_members(archive: Path, wanted: re.Pattern[str]) -> dict[str, bytes]:
    """Return the files of a ``.tar.gz`` whose whole name matches; raise `DataError` if it is not sound."""
    found = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                stream = tar.extractfile(member) if wanted.fullmatch(member.name) else None
                if stream:
                    found[member.name] = stream.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"`{archive}` cannot be read to its end ({error}): put the whole archive in its place, or remove it."
        ) from error
    return found


def write_parquet(table: pl.DataFrame, path: Path) -> None:
    """Write a table so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_file(path) as file:
        table.write_parquet(file)
