"""Rows of whatever the caller names: a file, a folder, a glob, a built-in set or a Python object."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagline.data.annotation_tools import read_export
from tagline.data.builtin.catalog import BUILT_IN
from tagline.data.columns import with_nested
from tagline.data.formats import SUFFIXES
from tagline.data.reading import DETECT, FileLayout
from tagline.data.rows import Rows
from tagline.data.sources.files import is_readable, read_file
from tagline.data.sources.folders import is_glob, read_folder, read_glob, split_of, stack
from tagline.data.sources.objects import read_object
from tagline.data.sources.query import Query, read_query
from tagline.data.streams import STDIN, display_name
from tagline.data.streams.urls import files_at, is_url, url_path
from tagline.data.wording import listed
from tagline.errors import DataError, nearest


def read_source(data: Any, *, expected: Sequence[str] = (), layout: FileLayout = DETECT) -> Rows:
    """Read rows from a path, a URL, a folder, a glob, ``-``, a built-in name or an object, as `read_export` reads them.

    ``expected`` are column names that the caller requests, also of values inside objects (``body.title``); ``layout``
    is how its text files are written. Raises `DataError` if there is nothing readable.
    """
    try:
        found = _read_source(data, expected, layout)
    except OSError as error:  # a name too long, a loop of links, a disk that fails
        raise DataError(f"`{error.filename or data}` cannot be read: {error.strerror or error}.") from error
    rows = read_export(found, expected)
    return replace(rows, frame=with_nested(rows.frame, expected))


def _read_source(data: Any, expected: Sequence[str], layout: FileLayout) -> Rows:
    if isinstance(data, Query):
        return read_query(data)
    if not isinstance(data, str | Path):
        return read_object(data)
    name = str(data)
    if isinstance(data, str) and name in BUILT_IN:
        return BUILT_IN[name].read()
    if is_url(name):
        return _read_url(name, expected, layout)
    path = Path(name)
    if name == STDIN or path.is_file():
        return read_file(name, expected=expected, layout=layout)
    if path.is_dir():
        return read_folder(name, expected=expected, layout=layout)
    if is_glob(name):
        return read_glob(name, expected=expected, layout=layout)
    if path.exists():
        return read_file(name, expected=expected, layout=layout)
    if path.name != name or path.suffix:
        siblings = [child.name for child in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"`{name}` does not exist.{nearest(path.name, siblings)}")
    raise DataError(
        f"`{name}` is neither a file, a folder nor a built-in dataset.{nearest(name, BUILT_IN)} "
        f"Built-in datasets are {listed(BUILT_IN)}."
    )


def _read_url(url: str, expected: Sequence[str], layout: FileLayout) -> Rows:
    """Read the file at a URL, or the files that match a pattern or are in a folder; their names may name splits."""
    found = files_at(url)
    if found is None:
        return read_file(url, expected=expected, layout=layout)
    name = display_name(url)
    files = [each for each in found if is_readable(url_path(each))]
    if not files:
        raise DataError(f"`{name}` has no file that can be read (suffixes: {listed(SUFFIXES)}).")
    parts = [(split_of(url_path(each).name), each) for each in files]
    if any(split == "train" for split, _ in parts):
        parts = [(split, each) for split, each in parts if split is not None]
    else:
        parts = [(None, each) for each in files]
    return stack(parts, url_path(url).stem, name, expected, layout)
